"""The score of a model that tells stories: what a program can see, and what a judge says of its completions.

Importing this room imports neither torch nor transformers; asking for a function that needs them does.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
