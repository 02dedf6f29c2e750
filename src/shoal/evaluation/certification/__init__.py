"""Certification: proof that an evaluator scores models as it must, on dummies whose right scores are known."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
