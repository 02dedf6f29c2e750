"""Model specs, loading, saving, and what must be known of a model to trust a number.

Importing this room imports neither torch nor transformers; `load_model` and `load_reader` do when they are called.
"""

<<<<<<< HEAD
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
=======
from shoal.models.digest import weight_digest
from shoal.models.load import load_model, load_tokenizer
from shoal.models.loaded import LoadedModel
from shoal.models.reader import Reader, load_reader
from shoal.models.save import check_saving, save_model
from shoal.models.spec import ModelSpec, parse_spec

__all__ = [
    "LoadedModel",
    "ModelSpec",
    "Reader",
    "check_saving",
    "load_model",
    "load_reader",
    "load_tokenizer",
    "parse_spec",
    "save_model",
    "weight_digest",
]
>>>>>>> 4dba55c (A malformed configuration is one line before anything is built; a model whose generation settings contradict each other can be saved)
