"""Stories told by a language model at an OpenAI-compatible endpoint: prompts, cost, and a record that can go on."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
