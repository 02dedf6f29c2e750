"""Code exercises: a signature with a docstring, a reference solution, and tests that a sandbox runs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
