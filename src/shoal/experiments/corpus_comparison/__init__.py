"""`shoal curate compare`: corpora, or the parts of one that filters make, compared by models trained on each."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
