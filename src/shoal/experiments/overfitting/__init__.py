"""`shoal overfit`: what meets overfitting, all in one table at equal compute, with the asymptotes of ensembles and sizes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
