"""Benchmarks: task files of lm-evaluation-harness read as they are, scored with exact reuse of prefixes.

Importing this room imports neither torch nor transformers; a function that needs them does.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
