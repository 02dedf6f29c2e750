"""The local web app over runs, models and data: server-rendered pages, on loopback and behind a token."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
