"""Word vectors: a corpus as numbers, GloVe, Word2Vec and FastText, files, and judging by similarity and analogies."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
