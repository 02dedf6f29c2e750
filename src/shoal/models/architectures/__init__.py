"""Architectures that can be trained from scratch, as `transformers` defines them.

A new one is a file in this folder with one subclass of `Architecture`: recipes can name it, and the card of a model
trained by it names what it is. Importing this folder imports neither torch nor transformers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
