"""Activations of a forward pass, captured or edited by names that do not depend on the architecture."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
