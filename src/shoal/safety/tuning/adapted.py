"""A model with adapters: what a safety tuning leaves of each training, made a whole model again."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shoal.models import load_model, model_digest
from shoal.training import load_adapters, merge_adapters

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from shoal.models import LoadedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptedModel:
    """A model spec with the folder of its LoRA adapters, to be loaded when its turn comes."""

    model: str
    adapters: Path

    def load(self, *, device: str = "auto", dtype: str = "float32") -> LoadedModel:
        """The model with its adapters merged.

        Args:
            device: where it runs.
            dtype: of its weights.

        Raises:
            ShoalError: the model cannot be loaded, or the adapters are not its own.
        """
        return merge_into(load_model(self.model, device=device, dtype=dtype), self.adapters)


def merge_into(model: LoadedModel, adapters: str | os.PathLike[str]) -> LoadedModel:
    """A loaded model with adapters merged into its weights, which are changed in place.

    Args:
        model: a plain one.
        adapters: folder of LoRA adapters, as `shoal.training.save_adapters` or peft writes it.

    Returns:
        The model, with the digest of the merged weights: records of the plain one are not taken for its own.

    Raises:
        MissingExtraError: peft is not installed.
        UsageError: the folder holds no adapters, or those of another model.
    """
    load_adapters(model.model, adapters)
    merge_adapters(model.model)
    model.model.eval()
    return replace(model, digest=model_digest(model.model), origin=f"{model.origin}, with the adapters of {adapters}")


def merged_copy(model: LoadedModel, adapters: str | os.PathLike[str]) -> LoadedModel:
    """The same of a copy of the model, which is left as it was.

    Args:
        model: a plain one.
        adapters: folder of LoRA adapters.

    Raises:
        MissingExtraError: peft is not installed.
        UsageError: the folder holds no adapters, or those of another model.
    """
    return merge_into(replace(model, model=copy.deepcopy(model.model)), adapters)
