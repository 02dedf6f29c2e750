"""The internals of a model: its tokens, activations, attention heads, neurons, lenses and layers.

Importing it imports no torch; each name is imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
