"""Every page of shoal: a result, a run or a sweep as one HTML file that opens offline."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
