"""Pretraining: from a recipe file to a small model and what was measured of it.

Importing this room's part imports neither torch nor transformers; `pretrain_run` does when it is called.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
