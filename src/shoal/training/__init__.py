"""The small training loop: fine-tuning on examples and pretraining on documents or on a stream of tokens.

Importing this room imports neither numpy, torch nor transformers; what needs them does when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
