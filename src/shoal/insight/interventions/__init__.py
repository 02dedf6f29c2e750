"""Causal interventions: activations of a model replaced by those of another run, or ablated."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
