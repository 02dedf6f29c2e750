"""Crossed experiments: several factors in one file, and hypotheses of their effects that are written before the run."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
