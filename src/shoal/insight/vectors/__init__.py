"""The vectors of tokens and words: what is near, how even their space is, and how many dimensions they need."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
