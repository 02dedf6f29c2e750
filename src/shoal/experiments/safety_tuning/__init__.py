"""`shoal safety tune`: what safety examples in an instruction tuning do, over their number, with verdicts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
