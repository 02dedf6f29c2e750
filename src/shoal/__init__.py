"""shoal: a laboratory for small language models.

Every verb of the command line is a function here; each is imported when it is first asked for, so that ``import
shoal`` costs nothing.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
