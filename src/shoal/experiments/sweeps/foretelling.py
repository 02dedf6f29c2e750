"""What a sweep is going to do and how long it will take, from a few measured steps of some of its trials."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from shoal.experiments.sweeps.quality import dosed
from shoal.experiments.sweeps.sampling import choose, trial_count
from shoal.experiments.sweeps.space import parted, settings_of

if TYPE_CHECKING:
    from shoal.experiments.sweeps.sweep import SweepPlan
    from shoal.progress import Progress

MEASURED = 8
"""The most trials of which steps are measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """One trial whose first steps were measured."""

    number: int
    settings: dict[str, Any]
    parameters: int
    tokens: int
    seconds: float
    """That its training will take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is going to be done."""

    trials: int
    trainings: int
    """Trials times seeds."""

    pilots: tuple[Pilot, ...]
    seconds: float
    """Of all trainings one after the other; scoring and samples come on top."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def forecast(plan: SweepPlan, *, progress: Progress | None = None) -> Forecast:
    """Measure steps of some trials, from the first to the last, and add up what all of them will take.

    Of a grid with few points every trial is measured. What ``tpe`` will choose is not known yet: the trials that it
    would draw without any result stand for all. Nothing is kept.

    Args:
        plan: as `load_sweep` gives it.
        progress: called with (what, done, total).

    Raises:
        ShoalError: a trial that could not be run.
    """
    from shoal.experiments.pretraining import plan_run

    count = trial_count(plan.sweep)
    numbers = sorted(
        {round(place * (count - 1) / max(1, min(MEASURED, count) - 1)) for place in range(min(MEASURED, count))}
    )
    pilots = []
    with tempfile.TemporaryDirectory(prefix="shoal-sweep-") as folder:
        for done, (number, choice) in enumerate(zip(numbers, choose(plan.sweep, numbers, ()), strict=True)):
            if progress is not None:
                progress("trials measured", done, len(numbers))
            settings = settings_of(choice)
            changes, doses = parted(settings)
            recipe = dosed(plan.recipe.with_values(changes), doses, Path(folder))
            planned = plan_run(recipe, Path(folder))
            pilots.append(
                Pilot(
                    number=number,
                    settings=settings,
                    parameters=planned.parameters,
                    tokens=planned.tokens,
                    seconds=planned.seconds,
                )
            )
    trainings = count * len(plan.sweep.seeds)
    seconds = fmean(pilot.seconds for pilot in pilots) * trainings
    return Forecast(trials=count, trainings=trainings, pilots=tuple(pilots), seconds=seconds)
