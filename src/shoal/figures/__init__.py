"""Figures and HTML blocks that rooms draw with: plain values in, Altair charts or HTML out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
