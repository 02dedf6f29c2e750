"""Which explanation fits what a model says: the rule, a shortcut, several of them, or none that is named."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
