"""Scores on the way, and the rule by which a trial is given up.

A trial is judged at fixed shares of its steps against the median of the trials of earlier rounds there (the median
rule of Golovin et al. 2017, Google Vizier, section 3.2). Trials of its own round do not count, so that whether one is
given up does not hang on which worker was faster.
"""

from __future__ import annotations

from statistics import fmean, median
from typing import TYPE_CHECKING

from shoal.experiments.storage import read_json_rows
from shoal.experiments.sweeps.objective import BITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shoal.experiments.pretraining import PretrainResult
    from shoal.experiments.pretraining.watching import Moment
    from shoal.experiments.sweeps.sweep import PruningTable
    from shoal.experiments.sweeps.trials import Trial


class Pruned(Exception):  # noqa: N818 - no fault
    """A trial is given up."""


def medians(pruning: PruningTable | None, finished: Sequence[Trial]) -> dict[str, float]:
    """What a unit must reach at each share of its steps; empty while too few trials are complete."""
    complete = [trial for trial in finished if trial.score is not None]
    if pruning is None or len(complete) < pruning.after:
        return {}
    values = {
        str(share): [unit.milestones[str(share)] for trial in complete for unit in trial.units] for share in pruning.at
    }
    return {share: median(scores) for share, scores in values.items()}


def milestones(result: PretrainResult, objective: str, shares: Sequence[float]) -> dict[str, float]:
    """The objective when each share of the steps had been done, at the first scoring from there on."""
    rows: dict[int, dict[str, float]] = {}
    for row in read_json_rows(result.folder / "scores.jsonl") if shares else []:
        rows.setdefault(row["step"], {})[row["corpus"]] = row["bits_per_byte"]
    return {
        str(share): _bits(objective, rows[min(step for step in rows if step >= share * result.steps)])
        for share in shares
    }


class Pruner:
    """Judges a training at each scoring, and gives it up where it is behind.

    Args:
        wanted: from a share of the steps to the score that must be reached there.
        objective: ``bits_per_byte`` or ``bits_per_byte.CORPUS``.
        folder: of the run, in which its plan stands.
    """

    def __init__(self, wanted: Mapping[str, float], objective: str, folder: Path) -> None:
        self._wanted = dict(wanted)
        self._objective = objective
        self._folder = folder

    def judge(self, moment: Moment) -> None:
        """Take in a scoring.

        Raises:
            Pruned: it is worse than what was wanted.
        """
        from shoal.experiments.storage import read_json

        steps = read_json(self._folder / "plan.json")["steps"]
        score = _bits(self._objective, {name: one.bits_per_byte for name, one in moment.scores.items()})
        for share, wanted in list(self._wanted.items()):
            if moment.step >= float(share) * steps:
                del self._wanted[share]
                if score > wanted:
                    raise Pruned(
                        f"{self._objective} was {score:.4f} at step {moment.step} of {steps}, "
                        f"above the median {wanted:.4f} of earlier trials"
                    )


def _bits(objective: str, scores: Mapping[str, float]) -> float:
    return fmean(score for name, score in scores.items() if objective in (BITS, f"{BITS}.{name}"))
