"""Training of planted models: a set of them in a folder, each checked before it counts."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.attribution.planted.card import PlantedCard, read_card, write_index, write_planted
from shoal.attribution.planted.checking import check_planted, has_learned
from shoal.attribution.planted.examples import draw_examples
from shoal.attribution.planted.pretraining import start_model, train_round
from shoal.errors import UsageError
from shoal.files import remove_partials
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.attribution.planted.checking import PlantedCheck
    from shoal.attribution.planted.planted_model import PlantedModel
    from shoal.progress import Progress

_ROUNDS = 4
"""Rounds of training after which an attempt is given up."""

_MORE_PROMPTS = (1, 3)
"""How many times the prompts of its recipe each attempt trains on. Scattered and mixed labels of few prompts are
learned by heart in the later rounds, which more prompts prevent; drawing them takes as long as training does."""

_ROUND_TOKENS = 32_000
"""Tokens of a round at an effort of 1: some sixty steps."""


def plant_models(
    models: Sequence[PlantedModel], folder: str | PathLike[str], *, progress: Progress | None = None
) -> tuple[PlantedCard, ...]:
    """Train planted models, check each on fresh prompts, and write them with their cards and an index.

    Models that lie in the folder already are left as they are, so that a build that was killed is resumed. A model that
    has not learned what was planted is trained for another round, and after some rounds from the beginning, on more
    prompts; one that never does is in the index as failed.

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
        cards.append(card or write_planted(folder, *_plant(planted, folder)))
        # After each model, so that a build that is killed leaves an index of what is there.
        write_index(folder)
    report("planted models", len(models), len(models))
    return tuple(cards)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A training from the beginning, and what came of it."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    check: PlantedCheck
    rounds: int
    steps: int
    examples: int


def _plant(planted: PlantedModel, folder: Path) -> tuple[PlantedCard, PreTrainedModel, PreTrainedTokenizerFast]:
    """The model with its card: of the first attempt in which it learned what was planted, or of the last one."""
    begin, attempts = time.process_time(), [_attempt(planted, folder, _MORE_PROMPTS[0])]
    for more in _MORE_PROMPTS[1:]:
        if has_learned(planted, attempts[-1].check):
            break
        try:
            attempts.append(_attempt(planted, folder, more))
        except UsageError:
            # The task has not so many prompts with these options, so that there is nothing more to try.
            break
    last = attempts[-1]
    card = PlantedCard(
        planted=planted,
        check=last.check,
        rounds=sum(attempt.rounds for attempt in attempts),
        steps=last.steps,
        examples=last.examples,
        cpu_seconds=round(time.process_time() - begin, 2),
    )
    return card, last.model, last.tokenizer


def _attempt(planted: PlantedModel, folder: Path, more: int) -> _Attempt:
    """Train until what was planted is learned, or for all rounds, on so many times the prompts."""
    data = draw_examples(replace(planted, prompts=more * planted.prompts))
    model, tokenizer = start_model(planted, folder)
    steps = 0
    for round_ in range(_ROUNDS):
        seed = planted.draw_seed(f"order {more} {round_}")
        steps += train_round(model, tokenizer, data.training, planted.effort * _ROUND_TOKENS, round_, seed)
        check = check_planted(planted, model, tokenizer, data.fresh)
        if has_learned(planted, check):
            break
    return _Attempt(model, tokenizer, check, round_ + 1, steps, len(data.training))
