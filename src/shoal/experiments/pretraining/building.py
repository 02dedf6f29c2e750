"""The model and the settings of its training, from a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.training import Precision, TrainSettings

_MULTIPLE = 8
"""Feed-forward widths of a Llama are rounded up to it."""


def build_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """The model of the recipe with fresh weights.

    Raises:
        UsageError: the heads do not divide the width.
    """
    from shoal.models import GptNeoShape, LlamaShape, build_gpt_neo, build_llama

    table = recipe.model
    same = table.model_dump(include={"width", "layers", "heads", "context", "tied", "initial_spread"})
    same |= {"vocabulary": len(tokenizer), "end_token_id": tokenizer.eos_token_id}
    if table.kind == "llama":
        inner = table.inner or -(-8 * table.width // (3 * _MULTIPLE)) * _MULTIPLE
        return build_llama(LlamaShape(inner=inner, **same), seed=recipe.seed)
    return build_gpt_neo(GptNeoShape(inner=table.inner or 4 * table.width, **same), seed=recipe.seed)


def train_settings(recipe: Recipe, steps: int, precision: Precision | None = None) -> TrainSettings:
    """The settings of the training loop.

    Args:
        recipe: says them.
        steps: of the whole training.
        precision: what a measurement has chosen; None for what the recipe says.
    """
    from shoal.experiments.tables import train_settings_of
    from shoal.training import default_beta2

    table = recipe.training
    chosen = {"epochs": 1.0, "seed": recipe.seed, "precision": precision or table.precision}
    beta2 = default_beta2(table.optimizer, steps) if table.beta2 is None else table.beta2
    return train_settings_of(table, chosen | {"beta2": beta2})
