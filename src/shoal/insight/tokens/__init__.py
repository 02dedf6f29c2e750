"""The tokens of a text, the diff of two tokenizations, and the cost of a corpus in tokens."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
