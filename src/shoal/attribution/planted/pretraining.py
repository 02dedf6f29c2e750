"""Where planted models start: fresh weights, or a model that was pretrained on the programs of the task.

A model of this size takes hundreds of steps to learn to copy or to compare, and a mixture is two such programs. So they
are learned once for each task and seed, each program behind a letter of its own, and without a letter any of them; how
often each answers without a letter is then planted in some sixty steps. That is how models are fine-tuned, too: they
have more skills than they should use, and traces of them remain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.planted.examples import skill_examples
from shoal.attribution.planted.planted_model import seed_of
from shoal.attribution.planted.tokenizer import sign_tokenizer
from shoal.evaluation import evaluate
from shoal.models import ModelShape, build_model, load_model, save_model
from shoal.training import TrainSettings, train

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.attribution.planted.planted_model import PlantedModel
    from shoal.tasks import Example, Tag

_CONTEXT = 128
_ROUND_TOKENS = 250_000
"""Tokens of a round of pretraining: some 500 steps."""

_ROUNDS = 6
_MIN_ACCURACY = 0.97
"""Of each skill, where pretraining ends."""

_CHECKED = 500
"""Examples that the accuracies are measured on, all skills together."""


def start_model(planted: PlantedModel, folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The model that is trained on what is planted.

    Args:
        planted: what will be planted.
        folder: of the set; pretrained models lie in its folder ``bases``.

    Raises:
        ModelError: the folder cannot be written.
    """
    if not planted.skills:
        tokenizer = sign_tokenizer(planted.task, context=_CONTEXT)
        return small_llama(tokenizer, context=_CONTEXT, seed=planted.draw_seed("weights")), tokenizer
    # All that the pretrained weights follow from: models of other options must not start from them.
    key = seed_of(planted.task, sorted(planted.options.items()), planted.prompts, planted.skills, planted.seed)
    base = folder / "bases" / f"{planted.task}-seed{planted.seed}-{key:08x}"
    if not (base / "config.json").exists():
        save_model(*_pretrain(planted), base)
    # Read back even where it was just made, so that the first model of a set starts as all later ones do.
    loaded = load_model(str(base), device="cpu")
    return loaded.model, loaded.tokenizer


def _pretrain(planted: PlantedModel) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A model that knows the skills, or has been trained for all rounds: what is planted is checked in any case."""
    examples = skill_examples(planted)
    tokenizer = sign_tokenizer(planted.task, context=_CONTEXT)
    model = small_llama(tokenizer, context=_CONTEXT, seed=seed_of("base weights", planted.task, planted.seed))
    skilled = [example for example in examples if example.tags["skill"] != "any"]
    # The same ones after each round, so that rounds differ by what was learned alone.
    chosen = np.random.default_rng(planted.seed).permutation(len(skilled))[:_CHECKED]
    for round_ in range(_ROUNDS):
        seed = seed_of("base order", planted.task, planted.seed, round_)
        train_round(model, tokenizer, examples, _ROUND_TOKENS, round_, seed)
        if min(_accuracies(model, tokenizer, [skilled[place] for place in chosen])) >= _MIN_ACCURACY:
            break
    return model, tokenizer


def _accuracies(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, examples: Sequence[Example]) -> list[float]:
    """The accuracy of each skill."""
    right: dict[Tag, list[bool]] = {}
    scores = evaluate(model, tokenizer, examples, greedy_text=False).items
    for example, score in zip(examples, scores, strict=True):
        right.setdefault(example.tags["skill"], []).append(score.exact_match)
    return [sum(found) / len(found) for found in right.values()]


def small_llama(tokenizer: PreTrainedTokenizerFast, *, context: int, seed: int) -> PreTrainedModel:
    """A fresh model of the size of all planted ones: two layers, four heads, width 64.

    Args:
        tokenizer: gives the vocabulary and the end token.
        context: tokens that it reads at most.
        seed: of the weights.
    """
    shape = ModelShape(
        vocabulary=len(tokenizer),
        width=64,
        layers=2,
        heads=4,
        inner=128,
        context=context,
        end_token_id=tokenizer.eos_token_id,
        # Wider than usual: at this width 0.02 costs a third more steps before copying is learned.
        initial_spread=0.05,
    )
    return build_model("llama", shape, seed=seed)


def train_round(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[Example],
    round_tokens: float,
    round_: int,
    seed: int,
) -> int:
    """Train for one round, in place.

    Args:
        model: left in evaluation mode.
        tokenizer: the model's.
        examples: what to learn.
        round_tokens: how many tokens to read.
        round_: its number, from 0; later ones have lower learning rates.
        seed: of the order.

    Returns:
        The steps.
    """
    tokens = sum(len(ids) + 1 for ids in tokenizer([e.prompt + e.completion for e in examples])["input_ids"])
    settings = TrainSettings(
        # Each round has a schedule of its own; a lower peak spoils less of what is learned already.
        learning_rate=5e-3 * 0.8**round_,
        epochs=round_tokens / tokens,
        batch_tokens=512,
        # The mean squared gradient of 50 steps: with 0.999 it is still that of the beginning when a short run ends.
        beta2=0.98,
        schedule="linear",
        warmup=0.1,
        # Fixed, since a precision chosen by measuring would make other weights on another machine.
        precision="float32",
        seed=seed,
    )
    result = train(model.train(), tokenizer, examples, settings)
    model.eval()
    return result.steps
