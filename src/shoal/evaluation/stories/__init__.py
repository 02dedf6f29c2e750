"""The rating of a model that writes stories: by program, and by a judge of its completions.

Importing this room imports neither torch nor transformers; a function that needs them does.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
