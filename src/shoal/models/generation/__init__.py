"""What chat, generation and a server need of a model: prompts, exact decoding of many rows, the choice of tokens.

Importing it imports no torch; each name is imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
