"""Model specs, loading, saving, and what must be known of a model to trust a number.

Importing this room imports neither torch nor transformers; `load_model` and `load_for_scoring` do when they are called.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
