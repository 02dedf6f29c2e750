"""A forecast of a sweep: how many trainings, and how long they will take by a few measured steps of some trials."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from shoal.experiments.sweeps.data_corruption import corrupt_corpora
from shoal.experiments.sweeps.sampling import choose, trial_count
from shoal.experiments.sweeps.space import flat_settings, split_settings

if TYPE_CHECKING:
    from shoal.experiments.sweeps.sweep import SweepPlan
    from shoal.progress import Progress

MAX_PILOTS = 8
"""The most trials of which steps are measured; they are spread over the grid, its first and last among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """One trial whose first steps were measured."""

    number: int
    settings: dict[str, Any]
    parameters: int
    tokens: int
    seconds: float
    """Of its whole training, as the measured steps forecast it."""


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
    would draw without any result stand for all. No file is left.

    Args:
        plan: as `load_sweep` gives it.
        progress: called with (what, done, total).

    Raises:
        ShoalError: a trial that could not be run.
    """
    from shoal.experiments.pretraining import plan_run

    count = trial_count(plan.sweep)
    numbers = sorted(
        {round(place * (count - 1) / max(1, min(MAX_PILOTS, count) - 1)) for place in range(min(MAX_PILOTS, count))}
    )
    pilots = []
    # One folder for all pilots, which share most documents and tokens.
    with tempfile.TemporaryDirectory(prefix="shoal-sweep-") as folder:
        for done, (number, choice) in enumerate(zip(numbers, choose(plan.sweep, numbers, ()), strict=True)):
            if progress is not None:
                progress("trials measured", done, len(numbers))
            settings = flat_settings(choice)
            changes, corruption = split_settings(settings)
            recipe = corrupt_corpora(plan.recipe.with_values(changes), corruption, Path(folder))
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
