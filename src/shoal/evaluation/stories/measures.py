"""A number with its interval over clusters: prompts, stories, documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from shoal.statistics import percentile_ends, resampled_ratios, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

Better = Literal["more", "less", "neither"]

_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMeasure:
    """One figure of a model."""

    name: str
    value: float
    low: float | None
    high: float | None
    """Ends of the interval at 95 %; None where there are too few clusters for one."""

    count: int
    """How many values it is the mean of."""

    clusters: int
    """How many prompts, stories, documents or paradigms they come from; the interval is over these."""

    better: Better = "neither"
    note: str = ""
    """An explanation for a reader."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Ends of the interval; None where there is none."""
        return None if self.low is None or self.high is None else (self.low, self.high)


def clustered_mean(
    name: str,
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    weights: Sequence[float] | None = None,
    share: bool = False,
    better: Better = "neither",
    note: str = "",
    seed: int = 0,
) -> StoryMeasure:
    """The mean of values, or the ratio of two sums, with a percentile interval of the bootstrap over clusters.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 13.3, with clusters drawn. There is
    no interval where the clusters are too few or too alike (`shoal.statistics.percentile_ends`).

    Args:
        name: of the measure.
        values: at least one.
        clusters: which cluster each comes from.
        weights: what the sum of values is divided by; by default the number of values.
        share: whether it is a share of hits. Where all or none are hits the bootstrap has no width, and the interval
            is Wilson's over the clusters.
        better: whether more of it is better.
        note: an explanation for a reader.
        seed: random seed of the bootstrap.
    """
    labels = {label: place for place, label in enumerate(dict.fromkeys(clusters))}
    places = np.array([labels[label] for label in clusters])
    sums_C = np.bincount(places, weights=np.asarray(values, dtype=np.float64))
    sizes_C = np.bincount(places, weights=np.ones(len(places)) if weights is None else np.asarray(weights))
    value = float(sums_C.sum() / sizes_C.sum())
    drawn_D = resampled_ratios(sums_C, sizes_C, seed=seed)
    low, high = percentile_ends(drawn_D, units=len(labels), confidence=_CONFIDENCE)
    if share and value in (0.0, 1.0):
        interval = wilson_interval(round(value) * len(labels), len(labels))
        low, high = interval.low, interval.high
    return StoryMeasure(
        name=name,
        value=value,
        low=low,
        high=high,
        count=len(values),
        clusters=len(labels),
        better=better,
        note=note,
    )
