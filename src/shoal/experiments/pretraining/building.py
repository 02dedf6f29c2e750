"""The model and the settings of its training, from a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.training import TrainSettings
    from shoal.training.settings import Precision

_MULTIPLE = 8
"""Feed-forward widths of a Llama are rounded up to it."""


def build_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """The model of the recipe with fresh weights.

    Raises:
        UsageError: the heads do not divide the width.
    """
    from shoal.models.build import GptNeoShape, LlamaShape, build_gpt_neo, build_llama

    table = recipe.model
    if table.kind == "llama":
        inner = table.inner or -(-8 * table.width // (3 * _MULTIPLE)) * _MULTIPLE
        llama = LlamaShape(
            vocabulary=len(tokenizer),
            width=table.width,
            layers=table.layers,
            heads=table.heads,
            inner=inner,
            context=table.context,
            tied=table.tied,
            initial_spread=table.initial_spread,
            end_token_id=tokenizer.eos_token_id,
        )
        return build_llama(llama, seed=recipe.seed)
    neo = GptNeoShape(
        vocabulary=len(tokenizer),
        width=table.width,
        layers=table.layers,
        heads=table.heads,
        inner=table.inner or 4 * table.width,
        context=table.context,
        tied=table.tied,
        initial_spread=table.initial_spread,
        end_token_id=tokenizer.eos_token_id,
    )
    return build_gpt_neo(neo, seed=recipe.seed)


def train_settings(recipe: Recipe, precision: Precision | None = None) -> TrainSettings:
    """The settings of the training loop.

    Args:
        recipe: says them.
        precision: what a measurement has chosen; None for what the recipe says.
    """
    from shoal.experiments.learning import settings_of

    chosen = {"epochs": 1.0, "seed": recipe.seed, "precision": precision or recipe.training.precision}
    return settings_of(recipe.training, chosen)
