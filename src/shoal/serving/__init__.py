"""Chat and generation with a model: prompts by its chat template, stop strings, text as it is generated.

Importing it imports no torch; each name is imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
