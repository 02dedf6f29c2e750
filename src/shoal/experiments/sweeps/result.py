"""What a sweep found, read from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.experiments.storage import read_json
from shoal.experiments.sweeps.sampling import trial_count
from shoal.experiments.sweeps.scaling import Scaling, scalings
from shoal.experiments.sweeps.sweep import SweepPlan
from shoal.experiments.sweeps.trials import trials_of
from shoal.experiments.sweeps.units import read_record

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import pandas as pd

    from shoal.experiments.sweeps.trials import Trial

IMPORTANCE = "importance.json"
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """The trials of a sweep that have come to an end."""

    folder: Path
    plan: SweepPlan
    trials: tuple[Trial, ...]
    wanted: int
    """How many trials the sweep has."""

    @property
    def ranked(self) -> tuple[Trial, ...]:
        """The complete trials, the best first; equal scores in the order of their numbers."""
        sign = 1 if self.plan.sweep.direction == "minimize" else -1
        complete = [(trial, trial.score) for trial in self.trials]
        return tuple(trial for trial, score in sorted(_scored(complete), key=lambda pair: sign * pair[1]))

    @property
    def best(self) -> Trial | None:
        """The best trial; None where none is complete."""
        return self.ranked[0] if self.ranked else None

    @property
    def failed(self) -> tuple[Trial, ...]:
        """The trials that failed."""
        return tuple(trial for trial in self.trials if trial.state == "failed")

    @property
    def scalings(self) -> tuple[Scaling, ...]:
        """How the score scales; empty for a score of which more is better."""
        return scalings(self.trials) if self.plan.sweep.direction == "minimize" else ()

    def to_dict(self, importance: Mapping[str, float] | None = None) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.plan.sweep.name,
            "objective": self.plan.sweep.objective,
            "direction": self.plan.sweep.direction,
            "wanted": self.wanted,
            "trials": [trial.to_dict() for trial in self.trials],
            "best": self.best and self.best.number,
            "importance": dict(importance or {}),
            "scaling": [each.to_dict() for each in self.scalings],
        }

    def to_frame(self) -> pd.DataFrame:
        """A row per trial: its settings, score, parameters, tokens and compute."""
        import pandas as pd

        rows = [trial.to_dict() for trial in self.trials]
        measured = ("score", "parameters", "tokens", "compute", "state", "reason")
        return pd.DataFrame(
            [{"trial": row["number"], **row["settings"]} | {name: row[name] for name in measured} for row in rows]
        )

    def __str__(self) -> str:
        return "\n".join([*self._table(), *self._failures(), *(law_line(each) for each in self.scalings)])

    def _table(self) -> list[str]:
        names = list(self.trials[0].settings) if self.trials else []
        head = ["trial", *names, self.plan.sweep.objective, "parameters", "tokens"]
        rows = [
            [
                str(trial.number),
                *(str(trial.settings[name]) for name in names),
                f"{trial.score:.4f}",
                *(f"{size:,}" if size else "" for size in (trial.parameters, trial.tokens)),
            ]
            for trial in self.ranked[:_SHOWN]
        ]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
        more = len(self.ranked) - _SHOWN
        return [*lines, *([f"and {more} more"] if more > 0 else [])]

    def _failures(self) -> list[str]:
        return [
            f"trial {trial.number} {'was pruned' if trial.state == 'pruned' else 'failed'}: {trial.reason}"
            for trial in self.trials
            if trial.score is None
        ]


def law_line(scaling: Scaling) -> str:
    """A scaling in one line for a person."""
    if scaling.law is None:
        return f"over {scaling.axis}: no power law is fitted, since {scaling.refusal}"
    law = scaling.law
    line = (
        f"over {scaling.axis}: exponent {law.exponent:.3f} [{law.low:.3f}, {law.high:.3f}] over {law.points} sizes, "
        f"off by {law.error:.1%}"
    )
    above = scaling.law_above_floor
    if above is None:
        return line
    return (
        f"{line}; above a floor of {above.floor:.3f} [{above.floor_low:.3f}, {above.floor_high:.3f}]: "
        f"{above.exponent:.3f} [{above.low:.3f}, {above.high:.3f}], off by {above.error:.1%}"
    )


def read_sweep(folder: str | os.PathLike[str]) -> SweepResult:
    """What a sweep's folder holds, however far the sweep is.

    Raises:
        StoreError: it is no folder of a sweep, or a file of it is damaged.
    """
    folder = Path(folder)
    return gather(folder, SweepPlan.read(folder))


def read_importance(folder: str | os.PathLike[str]) -> dict[str, float]:
    """The share of the variance that each key explains, as the sweep found it; empty where it did not look.

    Raises:
        StoreError: the file is damaged.
    """
    file = Path(folder) / IMPORTANCE
    return dict(read_json(file)) if file.is_file() else {}


def gather(folder: str | os.PathLike[str], plan: SweepPlan) -> SweepResult:
    """The trials of a plan that have come to an end.

    Args:
        folder: of the sweep.
        plan: what it does.
    """
    folder = Path(folder)
    wanted = trial_count(plan.sweep)
    records = [
        record
        for number in range(wanted)
        for seed in plan.sweep.seeds
        if (record := read_record(folder, number, seed)) is not None
    ]
    trials = trials_of(records, plan.sweep.seeds)
    return SweepResult(folder=folder, plan=plan, trials=trials, wanted=wanted)


def _scored(pairs: list[tuple[Trial, float | None]]) -> list[tuple[Trial, float]]:
    return [(trial, score) for trial, score in pairs if score is not None]
