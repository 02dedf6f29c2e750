"""Refusal as a shortcut: minimal pairs of focus words, and what explains a model's refusals."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
