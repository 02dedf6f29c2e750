"""Training of planted models: a set of them in a folder, each checked before it counts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.attribution.planted.card import PlantedCard, read_card, write_index, write_planted
from shoal.attribution.planted.checking import check_planted
from shoal.attribution.planted.examples import draw_examples
from shoal.attribution.planted.tokenizer import sign_tokenizer
from shoal.errors import UsageError
from shoal.files import remove_partials
from shoal.models import ModelShape, build_model
from shoal.progress import no_progress
from shoal.training import TrainSettings, train

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.attribution.planted.examples import PlantedData
    from shoal.attribution.planted.planted_model import PlantedModel
    from shoal.progress import Progress

_ATTEMPTS = 3
"""Trainings until a model that did not learn what was planted counts as failed; each has twice the steps of the one
before."""

_TOKENS = 110_000
"""Of the first training, at an effort of 1: 215 steps, which a copying program needs."""

_CONTEXT = 128


def plant_models(
    models: Sequence[PlantedModel], folder: str | PathLike[str], *, progress: Progress | None = None
) -> tuple[PlantedCard, ...]:
    """Train planted models, check each on fresh prompts, and write them with their cards and an index.

    Models that lie in the folder already are left as they are, so that a build that was killed is resumed. A model that
    does not learn what was planted is trained again with more steps; one that never does is in the index as failed.

    Args:
        models: what to plant; `planted_models` gives a set.
        folder: gets a folder for each model and ``index.json``.
        progress: called with ("planted models", done, total).

    Raises:
        UsageError: two models have one name, or a task cannot be made.
        DataError: a shortcut does not apply to enough prompts.
        ModelError: the folder cannot be written.
    """
    folder, report = Path(folder), progress or no_progress
    names = [planted.name for planted in models]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"two of the planted models are called {twice}; give each another seed or strength")
    remove_partials(folder)
    cards = []
    for done, planted in enumerate(models):
        report("planted models", done, len(models))
        card = read_card(folder / planted.name, planted)
        cards.append(card or write_planted(folder, *_plant(planted)))
        write_index(folder, cards)
    report("planted models", len(models), len(models))
    return tuple(cards)


@dataclass(frozen=True, slots=True)
class _Trained:
    model: PreTrainedModel
    steps: int


def _plant(planted: PlantedModel) -> tuple[PlantedCard, PreTrainedModel, PreTrainedTokenizerFast]:
    """The model with its card: the first attempt that learned what was planted, else the last one."""
    begin, data = time.process_time(), draw_examples(planted)
    tokenizer = sign_tokenizer([item.prompt for item in data.fresh], context=_CONTEXT)
    for attempt in range(_ATTEMPTS):
        trained = _train(planted, data, tokenizer, attempt)
        check = check_planted(planted, trained.model, tokenizer, data.fresh)
        if check.learned:
            break
    card = PlantedCard(
        planted=planted,
        check=check,
        attempts=attempt + 1,
        steps=trained.steps,
        examples=len(data.training),
        cpu_seconds=round(time.process_time() - begin, 2),
    )
    return card, trained.model, tokenizer


def _train(planted: PlantedModel, data: PlantedData, tokenizer: PreTrainedTokenizerFast, attempt: int) -> _Trained:
    shape = ModelShape(
        vocabulary=len(tokenizer),
        width=64,
        layers=2,
        heads=4,
        context=_CONTEXT,
        end_token_id=tokenizer.eos_token_id,
        # Wider than usual: at this width 0.02 costs a third more steps before copying is learned.
        initial_spread=0.05,
    )
    model = build_model("llama", shape, seed=planted.draw_seed(f"weights {attempt}"))
    texts = [example.prompt + example.completion for example in data.training]
    tokens = sum(len(ids) + 1 for ids in tokenizer(texts)["input_ids"])
    settings = TrainSettings(
        learning_rate=5e-3,
        epochs=2**attempt * planted.effort * _TOKENS / tokens,
        batch_tokens=512,
        # The mean squared gradient of 50 steps: with 0.999 it is still that of the beginning when a short run ends.
        beta2=0.98,
        schedule="linear",
        warmup=0.1,
        # Fixed, since a precision chosen by measuring would make other weights on another machine.
        precision="float32",
        seed=planted.draw_seed(f"order {attempt}"),
    )
    result = train(model.train(), tokenizer, data.training, settings)
    return _Trained(model.eval(), result.steps)
