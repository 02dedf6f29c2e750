"""Diversity by constraint: what to write is drawn under constraints, and what was written is checked against them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
