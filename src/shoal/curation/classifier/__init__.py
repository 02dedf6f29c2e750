"""Classifiers of quality in FineWeb-Edu's way: vectors of documents, a light head, few labels, and how good it is."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
