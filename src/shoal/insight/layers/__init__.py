"""What layers cost and reach: the table of layer types measured, attention in two ways, and number formats."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
