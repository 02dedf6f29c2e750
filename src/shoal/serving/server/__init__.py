"""The OpenAI-compatible server. Importing it imports neither torch nor FastAPI; each name is imported on first use."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
