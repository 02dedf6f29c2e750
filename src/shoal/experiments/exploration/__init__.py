"""A hypothesis of one's own: one thing changed in an experiment, a prediction before the run, and whether it held."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
