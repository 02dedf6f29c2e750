"""GGUF files, read and written.

Of a file that is read, every key and every tensor is used, is known to change nothing, or is an error that names it.
Importing this folder imports neither torch nor transformers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
