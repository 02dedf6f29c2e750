"""Refusals scored: what an answer does with a request, and how often answers refuse, corrected for errors."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
