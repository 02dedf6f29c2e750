"""The perplexity of plain texts: per token, word and byte, in sliding windows, with the tokens that surprise most."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
