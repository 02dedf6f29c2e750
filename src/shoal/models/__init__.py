"""Model specs, loading, saving, and what must be known of a model to trust a number.

Importing this room imports neither torch nor transformers; `load_model` and `load_reader` do when they are called.
"""

from shoal.models.digest import weight_digest
from shoal.models.load import load_model, load_tokenizer
from shoal.models.loaded import LoadedModel
from shoal.models.reader import Reader, load_reader
from shoal.models.save import save_model
from shoal.models.spec import ModelSpec, parse_spec

__all__ = [
    "LoadedModel",
    "ModelSpec",
    "Reader",
    "load_model",
    "load_reader",
    "load_tokenizer",
    "parse_spec",
    "save_model",
    "weight_digest",
]
