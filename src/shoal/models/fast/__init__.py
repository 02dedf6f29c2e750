"""Forward passes of shoal's own, for scoring: the same functions as those of `transformers`, in fewer operations.

They read config.json and the weights by name, so that scoring a plain model imports no model class of `transformers`,
which would take most of the time to a first result. What they do not know, they leave to it. They read and are never
trained.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
