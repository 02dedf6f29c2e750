"""How harmful answers are: scored by a judge at an endpoint or a local model, certified, and corrected by labels."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
