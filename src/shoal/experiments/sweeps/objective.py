"""The number that a sweep makes small or large: held-out bits a byte, or what a function of the user's says."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.experiments.callables import import_callable

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.experiments.pretraining import PretrainResult

BITS = "bits_per_byte"


def score_of(objective: str, result: PretrainResult) -> float:
    """The score of a training.

    Args:
        objective: ``bits_per_byte``, ``bits_per_byte.CORPUS``, or ``MODULE:FUNCTION`` or ``FILE.py:FUNCTION`` of a
            function that takes the result and gives a number.
        result: of the training.

    Raises:
        UsageError: nothing was held out, or the function does not exist or gives no number.
    """
    if ":" in objective:
        score = import_callable(objective, what="objective", takes="(result)")(result)
        if isinstance(score, bool) or not isinstance(score, (int, float)):
            raise UsageError(f"the objective {objective} gave {score!r}; it must give a number")
        return float(score)
    scores = result.bits_per_byte
    if objective != BITS:
        scores = {name: value for name, value in scores.items() if f"{BITS}.{name}" == objective}
    if not scores:
        raise UsageError(f"no held-out document was scored for {objective}; raise held_out of the corpus")
    return fmean(scores.values())


def located(objective: str, folder: Path) -> str:
    """The objective with the path of its file made absolute, from where the sweep file lies."""
    place, colon, function = objective.rpartition(":")
    return f"{(folder / place).resolve()}:{function}" if colon and place.endswith(".py") else objective
