"""`shoal overfit`: methods against overfitting, in one table at equal compute, asymptotes by members and by size."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
