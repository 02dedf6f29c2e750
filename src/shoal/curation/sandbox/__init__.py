"""A sandbox for programs that a model or a stranger wrote: its tests are run without harm, and cannot be faked."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
