"""A sandbox for programs that a model or a stranger wrote: tests of a function, run without harm, and not to be faked."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
