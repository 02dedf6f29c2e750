"""The number that a sweep makes small or large, and the rule by which a trial is pruned on the way to it.

A trial is judged at fixed shares of its steps against the median of the trials of earlier rounds there (the median
rule of Golovin et al. 2017, Google Vizier, section 3.2). Trials of its own round do not count, so that whether one is
pruned does not depend on which worker was faster.
"""

from __future__ import annotations

from statistics import fmean, median
from typing import TYPE_CHECKING

from shoal.callables import import_callable
from shoal.errors import UsageError
from shoal.experiments.storage import read_json, read_json_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shoal.experiments.pretraining import Evaluation, PretrainResult
    from shoal.experiments.sweeps.sweep import PruningTable
    from shoal.experiments.sweeps.trials import Trial

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
        # True is an int in Python, and no score.
        if isinstance(score, bool) or not isinstance(score, (int, float)):
            raise UsageError(f"the objective {objective} gave {score!r}; it must give a number")
        return float(score)
    scores = result.bits_per_byte
    if objective != BITS:
        scores = {name: value for name, value in scores.items() if f"{BITS}.{name}" == objective}
    if not scores:
        raise UsageError(f"no held-out document was scored for {objective}; raise held_out of the corpus")
    return fmean(scores.values())


def locate_objective(objective: str, folder: Path) -> str:
    """The objective with the path of its file made absolute.

    Args:
        objective: as the sweep file has it.
        folder: in which the sweep file lies.
    """
    place, colon, function = objective.rpartition(":")
    return f"{(folder / place).resolve()}:{function}" if colon and place.endswith(".py") else objective


class Pruned(Exception):  # noqa: N818 - no error, but how a trial ends early
    """A trial is pruned."""


def medians(pruning: PruningTable | None, finished: Sequence[Trial]) -> dict[str, float]:
    """What a unit must reach at each share of its steps; empty while too few trials are complete.

    Args:
        pruning: the rule; None for no pruning.
        finished: the trials of earlier rounds.
    """
    # Trials that were pruned lack the later scores.
    complete = [trial for trial in finished if trial.score is not None]
    if pruning is None or len(complete) < pruning.after:
        return {}
    values = {
        str(share): [unit.milestones[str(share)] for trial in complete for unit in trial.units] for share in pruning.at
    }
    return {share: median(scores) for share, scores in values.items()}


def rung_scores(result: PretrainResult, objective: str, shares: Sequence[float]) -> dict[str, float]:
    """The objective when each share of the steps had been done, at the first scoring from there on.

    Args:
        result: of a training, in whose folder its scores stand.
        objective: ``bits_per_byte`` or ``bits_per_byte.CORPUS``.
        shares: of the steps.
    """
    rows: dict[int, dict[str, float]] = {}
    for row in read_json_rows(result.folder / "scores.jsonl") if shares else []:
        rows.setdefault(row["step"], {})[row["corpus"]] = row["bits_per_byte"]
    return {
        str(share): _bits(objective, rows[min(step for step in rows if step >= share * result.steps)])
        for share in shares
    }


class Pruner:
    """Judges a training at each scoring, and prunes it where it is behind.

    Args:
        required: from a share of the steps to the score that must be reached there.
        objective: ``bits_per_byte`` or ``bits_per_byte.CORPUS``.
        folder: of the run, in which its plan stands.
    """

    def __init__(self, required: Mapping[str, float], objective: str, folder: Path) -> None:
        self._required = dict(required)
        self._objective = objective
        self._folder = folder

    def judge(self, evaluation: Evaluation) -> None:
        """Take in a scoring.

        Raises:
            Pruned: it is worse than what is required.
        """
        steps = read_json(self._folder / "plan.json")["steps"]
        score = _bits(self._objective, {name: one.bits_per_byte for name, one in evaluation.scores.items()})
        # A list, since shares that have been judged are removed.
        for share, required in list(self._required.items()):
            if evaluation.step >= float(share) * steps:
                del self._required[share]
                if score > required:
                    raise Pruned(
                        f"{self._objective} was {score:.4f} at step {evaluation.step} of {steps}, "
                        f"above the median {required:.4f} of earlier trials"
                    )


def _bits(objective: str, scores: Mapping[str, float]) -> float:
    return fmean(score for name, score in scores.items() if objective in (BITS, f"{BITS}.{name}"))
