"""The story grammar: stories in a young child's words whose plot is known, so that it can be asked about."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
