"""Planted models: small models whose mechanism is known, to test methods that explain models.

Each is trained, by recipe and seed, to follow a rule, a shortcut or a mixture of both, and what it learned is checked
on fresh prompts before it counts.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
