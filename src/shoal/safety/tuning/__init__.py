"""Safety tuning: instructions and safe answers as training rows, what a tuned model does, and the refusal direction."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
