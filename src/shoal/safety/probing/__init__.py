"""The red-team loop: probes from given seeds, failures clustered and curated, the model tuned again and compared.

It is defensive. It measures refusals, frames and encodes the seeds that it is given, and writes no attack of its own.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
