"""The measures of a run, as its verdict recorded them or, before there is one, as its records give them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.experiments import summarize

if TYPE_CHECKING:
    from shoal.experiments import MeasureName, Run
    from shoal.reports.folder import Record

SHOWN: tuple[MeasureName, ...] = ("exact_match", "counting", "stopping", "bits_per_byte")
"""What every report draws, beside the measure that the verdict rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A measure of one arm at one stage on one split."""

    mean: float | None
    """Over seeds; None where the measure applies to no item."""

    low: float | None
    high: float | None
    """Its interval over seeds; None where so few seeds bound nothing."""

    seeds: tuple[float, ...]
    """The mean over items of each seed that has one."""

    items: int
    """Of one seed; every seed has the same."""


def drawn_measures(run: Run) -> tuple[MeasureName, ...]:
    """The measures that are drawn, the primary one first."""
    return tuple(dict.fromkeys((run.experiment.measure.primary, *SHOWN)))


def measures_of(run: Run) -> Record:
    """From measure to its label, meaning and numbers by arm, stage and split."""
    if run.verdict is not None:
        return run.verdict.measures
    scored = {arm: [seed for seed in run.seeds_of(arm) if seed.before or seed.after] for arm in run.arms}
    arms = {arm: {seed.seed: seed.by_split() for seed in seeds} for arm, seeds in scored.items() if seeds}
    return summarize(arms, confidence=run.experiment.measure.confidence)


def estimate(record: Record) -> Estimate:
    """One number of `measures_of` with its interval."""
    known: tuple[Any, ...] = tuple(value for value in record["by_seed"].values() if value is not None)
    low, high = _bound(record["low"]), _bound(record["high"])
    return Estimate(mean=record["mean"], low=low, high=high, seeds=known, items=record["items"])


def _bound(value: float | None) -> float | None:
    """An end of an interval; None where it bounds nothing."""
    return None if value is None or value in (float("inf"), float("-inf")) else value
