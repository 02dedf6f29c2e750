"""Model specs, loading, saving, and what must be known of a model to trust a number.

Importing this room imports neither torch nor transformers; `load_model` does when it is called.
"""

from shoal.models.digest import weight_digest
from shoal.models.load import load_model, load_tokenizer
from shoal.models.loaded import LoadedModel
from shoal.models.save import save_model
from shoal.models.spec import ModelSpec, parse_spec

__all__ = ["LoadedModel", "ModelSpec", "load_model", "load_tokenizer", "parse_spec", "save_model", "weight_digest"]
