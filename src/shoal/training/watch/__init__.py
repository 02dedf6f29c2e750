"""The watch over a training: spikes, plateaus, new skills and divergence, and a learning rate that acts on them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
