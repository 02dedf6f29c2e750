"""The values that a sweep tries: the points of its grid, and what a trial's values make of the recipe."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shoal.errors import ExperimentFileError, UnknownNameError, UsageError
from shoal.experiments.sweeps.sweep import RangeTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments.pretraining import Recipe
    from shoal.experiments.sweeps.sweep import Setting, Sweep

    Choice = Mapping[str, Setting]
    """From each key of the sweep file to the setting that was drawn."""

CORRUPTIONS = ("kept", "noise", "repeats")
"""Keys of a corpus that are no keys of a recipe: what is done to its training documents (`sweeps.data_corruption`)."""

_MOVES_HELD_OUT = {
    "clean", "column", "deduplicate", "documents", "drop_counting", "easiest_books", "features", "grammar",
    "held_out", "instruct", "language", "longest", "mixture", "seed", "source", "stories",
}  # fmt: skip
"""Keys of a corpus that change which documents are held out, so that scores would not be of one kind."""

MAX_POINTS = 100_000


def grid_size(sweep: Sweep) -> int:
    """How many points the grid has."""
    return math.prod(len(grid_values(values)) for values in sweep.keys.values())


def grid_point(sweep: Sweep, number: int) -> dict[str, Setting]:
    """The settings of one point; the last key changes fastest.

    Args:
        sweep: with a grid.
        number: of the point, from 0.
    """
    point: dict[str, Setting] = {}
    for key, values in reversed(sweep.keys.items()):
        settings = grid_values(values)
        number, place = divmod(number, len(settings))
        point[key] = settings[place]
    return dict(reversed(point.items()))


def grid_values(values: RangeTable | tuple[Setting, ...]) -> tuple[Setting, ...]:
    """All values of a key; those of a range are its steps."""
    if not isinstance(values, RangeTable):
        return values
    assert values.step is not None
    # In decimals, as the file writes them: in binary the third step of 0.1 is 0.30000000000000004, and beyond the end.
    low, high, step = (Decimal(repr(number)) for number in (values.low, values.high, values.step))
    kind = int if values.whole else float
    return tuple(kind(low + place * step) for place in range(int((high - low) / step) + 1))


def flat_settings(choice: Choice) -> dict[str, Any]:
    """From each single key to its value."""
    settings: dict[str, Any] = {}
    for key, value in choice.items():
        names = [name.strip() for name in key.split(",")]
        settings |= dict(zip(names, value if isinstance(value, tuple) else (value,), strict=True))
    return settings


def split_settings(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """The keys of the recipe, and the corruption by corpus."""
    changes: dict[str, Any] = {}
    corruption: dict[str, dict[str, float]] = {}
    for key, value in settings.items():
        corpus, name = _of_corpus(key)
        if name in CORRUPTIONS:
            corruption.setdefault(corpus, {})[name] = value
        else:
            changes[key] = value
    return changes, corruption


def check_keys(sweep: Sweep, recipe: Recipe, source: str) -> None:
    """Check that every key is one of the recipe, and every value of a list or end of a range fits it.

    Args:
        sweep: what is swept.
        recipe: from what.
        source: what an error message calls the sweep.

    Raises:
        ExperimentFileError: an unknown key, with the nearest known one, or a value out of range.
        UsageError: a grid that is too large.
    """
    for key, values in sweep.keys.items():
        # Of a range its ends: the bounds of a recipe are intervals, so that they then hold in between.
        for setting in (values.low, values.high) if isinstance(values, RangeTable) else values:
            _check_setting({key: setting}, recipe, source)
    if sweep.sampler == "grid" and grid_size(sweep) > MAX_POINTS:
        raise UsageError(
            f"{source}: the grid has {grid_size(sweep):,} points and {MAX_POINTS:,} is the most; "
            "take fewer values, or sampler = 'random' with a number of trials"
        )


def _check_setting(choice: Choice, recipe: Recipe, source: str) -> None:
    settings = flat_settings(choice)
    changes, corruption = split_settings(settings)
    corpora = [corpus.name for corpus in recipe.corpus]
    for corpus, given in corruption.items():
        if corpus not in corpora:
            raise UnknownNameError(f"corpus in the keys of {source}", corpus, corpora)
        for name, severity in given.items():
            if isinstance(severity, (bool, str)) or not (0 < severity <= 1 if name == "kept" else 0 <= severity < 1):
                fitting = "above 0 to 1" if name == "kept" else "from 0 to below 1"
                raise ExperimentFileError(
                    f"{source}: keys.corpus.{corpus}.{name} = {severity!r}: give shares {fitting}"
                )
    try:
        recipe.with_values(changes)
    except ExperimentFileError as error:
        raise ExperimentFileError(f"{source}: keys: {str(error).removeprefix('the changed recipe: ')}") from error


def check_comparable(sweep: Sweep, source: str) -> None:
    """Check that every trial is scored on the same documents.

    Args:
        sweep: what is swept.
        source: what an error message calls it.

    Raises:
        ExperimentFileError: a key would change what is held out of a corpus that the objective is measured on.
    """
    objective = sweep.objective
    if not objective.startswith("bits_per_byte"):
        return
    judged = objective.removeprefix("bits_per_byte").removeprefix(".")
    for key in (name.strip() for keys in sweep.keys for name in keys.split(",")):
        corpus, name = _of_corpus(key)
        if name in _MOVES_HELD_OUT and judged in ("", corpus):
            raise ExperimentFileError(
                f"{source}: {key!r} changes which documents of {corpus!r} are held out, so that trials could not be "
                f"compared by {objective}; sweep corpus.{corpus}.kept for the size of the data, or judge by the text "
                "of another corpus: objective = 'bits_per_byte.CORPUS'"
            )


def _of_corpus(key: str) -> tuple[str, str]:
    """The corpus and its key that a key of the sweep names; empty where it is none of a corpus."""
    parts = key.split(".")
    return (".".join(parts[1:-1]), parts[-1]) if len(parts) > 2 and parts[0] == "corpus" else ("", "")
