"""Changes of level or slope under autoregressive noise, by description length.

The permutation test needs blocks longer than the memory of the stream and no longer than the shortest piece. Yearly
prices, monthly rates and trends have none. Their values are fitted by pieces of one level, by pieces with slopes, and
by a random walk whose drift changes (`noise_models`), one memory and one variance for the whole stream. For each memory
of a grid and each number K of changes the places of least squares are exact, on a grid of steps where the stream is
long. Of all fits the one is taken with the least

    n d log(RSS / n d) + (w d (K + 1) + p K + [phi > 0] + [differences]) log n  n d / (n d - w d (K + 1) - 2),

w being 1, or 2 with slopes, and p what a place costs: 2 for a jump of the level or the drift, as in the modified
Bayesian information criterion (Zhang and Siegmund, Biometrics 63, 2007), 1 where a slope changes, since the likelihood
is smooth in the place of a kink. In one coordinate that is 3 log n for a change of any kind. The last factor is that of
Hurvich and Tsai (Biometrika 76, 1989) for few steps. Then each change must be more than noise (`noise_models`) between
its neighbours; the least believable one goes first.

Values are compared, not ranks: a slope is one of values, and the ranks of a rising curve are a straight line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.noise_models import (
    FAMILIES,
    MEMORIES,
    best_places,
    errors_of_splits,
    grid_of,
    p_value_of_stretch,
    refined_places,
    sums_of,
    whitened,
)
from shoal.changes.preprocessing import standardized

if TYPE_CHECKING:
    from shoal.changes.noise_models import Family
    from shoal.changes.permutation import Shuffler

Array = np.ndarray[Any, Any]

# Without a bound the logarithm of an exact fit is infinite, and every further piece of it looks like a gain.
NO_NOISE = 1e-7
"""The share of the variance that is left of a stream is taken to be at least this."""
FEWEST = 4
"""Steps of a stream that anything is fitted to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChange:
    """One change of level or slope."""

    place: int
    """The first step of the new piece."""
    low: int
    """The first place of the confidence set."""
    high: int
    """The greatest place of the confidence set."""
    p_value: float
    """How often noise alone gains as much at the best place between the neighbours."""
    score: float
    """The root of twice the gain in log-likelihood."""


class Fit(NamedTuple):
    """The shortest description of a stream."""

    family: Family
    """What its pieces are fitted by."""
    places: list[int]
    """Where it changes."""
    length: float
    """The length of the description; only differences mean anything."""


class Fitting:
    """A stream made ready to be fitted.

    Args:
        values: numbers of shape (n, d), NaN where one is missing, at least four steps from the first known one to the
            last.
        margin: the minimum number of steps between two changes.
    """

    def __init__(self, values: Array, margin: int) -> None:
        known = np.flatnonzero(~np.isnan(values).all(axis=1))
        self._start = int(known[0])
        # Cut at both ends: bridged, what is missing there would be a level of its own.
        self._table = standardized(values[self._start : int(known[-1]) + 1])
        self._margin = margin
        self._sums = {
            (family, phi): sums_of(whitened(self._table, family, phi), family)
            for family in FAMILIES
            for phi in MEMORIES
        }

    def shortest(self, families: tuple[Family, ...]) -> Fit:
        """The shortest description with changes in these families, or without a change in any."""
        return min((self._fit(family, most=None if family in families else 0) for family in FAMILIES),
                   key=lambda fit: fit.length)  # fmt: skip

    def changes(self, fit: Fit, shuffler: Shuffler, *, alpha: float, confidence: float) -> list[ModelChange]:
        """The changes of a fit that are more than noise, the least believable dropped first.

        Args:
            fit: from `shortest`.
            shuffler: what orders are drawn from.
            alpha: the level of the tests.
            confidence: the confidence of the sets.
        """
        places, known = list(fit.places), {}
        while places:
            edges = [0, *places, len(self._table)]
            p_values = []
            for number, place in enumerate(places):
                phi = self._memory(fit.family, [other for other in places if other != place])
                # When one place is dropped most windows stay as they were, and so do their p-values.
                key = edges[number], edges[number + 2], phi
                if key not in known:
                    stretch, min_size = self._table[key[0] : key[1]], self._least(fit.family)
                    known[key] = p_value_of_stretch(stretch, fit.family, phi, min_size, shuffler, alpha=alpha)
                p_values.append(known[key])
            weakest = max(range(len(places)), key=p_values.__getitem__)
            if p_values[weakest] <= alpha:
                pairs = zip(range(len(places)), p_values, strict=True)
                return [self._described(fit.family, places, number, p, confidence) for number, p in pairs]
            del places[weakest]
        return []

    def _least(self, family: Family) -> int:
        return max(family.min_size, self._margin)

    def _fit(self, family: Family, *, most: int | None) -> Fit:
        """The shortest description in one family, with at most ``most`` changes."""
        length, min_size = len(self._table), self._least(family)
        best = math.inf, 0.0, list[int]()
        for phi in MEMORIES:
            sums = self._sums[family, phi]
            if most == 0:
                found = [(list[int](), float(sums.errors(np.array([0]), np.array([length]))[0]))]
            else:
                found = best_places(sums, grid_of(length), min_size)
            for places, error in found:
                best = min(best, (self._length(family, phi, len(places), error), phi, places))
        described, phi, places = best
        return Fit(family, refined_places(self._sums[family, phi], places, length, min_size), described)

    def _length(self, family: Family, phi: float, count: int, error: float) -> float:
        """The length of a description with ``count`` changes."""
        (steps, width), size = self._table.shape, self._table.size
        pieces = family.width * width * (count + 1)
        parameters = pieces + family.place * count + (phi > 0.0) + family.differenced
        few = size / max(size - pieces - 2, 1)
        return float(size * math.log(max(error / size, NO_NOISE)) + parameters * math.log(steps) * few)

    def _error(self, family: Family, phi: float, places: list[int]) -> float:
        edges = np.array([0, *places, len(self._table)])
        return float(self._sums[family, phi].errors(edges[:-1], edges[1:]).sum())

    def _memory(self, family: Family, places: list[int]) -> float:
        """The memory that fits best with changes at these places."""
        return min(MEMORIES, key=lambda phi: self._error(family, phi, places))

    def _described(
        self, family: Family, places: list[int], number: int, chance: float, confidence: float
    ) -> ModelChange:
        """A change with its confidence set.

        The set holds the places with the most weight, exp(-RSS / 2 s^2) of each, until it has the share ``confidence``
        of all.
        """
        place, phi, size = places[number], self._memory(family, places), self._table.size
        start, end = [0, *places][number], [*places, len(self._table)][number + 1]
        tried = np.arange(start + self._least(family), end - self._least(family) + 1)
        error = max(self._error(family, phi, places), NO_NOISE * size)
        errors = errors_of_splits(self._sums[family, phi], start, end, tried)
        weights = np.exp(-(errors - errors.min()) * size / (2.0 * error))
        order = np.argsort(-weights, kind="stable")
        held = tried[order[: int(np.searchsorted(np.cumsum(weights[order]), confidence * weights.sum())) + 1]]
        others = [other for other in places if other != place]
        without = self._error(family, self._memory(family, others), others)
        return ModelChange(
            place=place + self._start,
            # The place was fitted together with all others and may lie outside the set of its own window.
            low=min(place, int(held.min())) + self._start,
            high=max(place, int(held.max())) + self._start,
            p_value=chance,
            score=math.sqrt(size * math.log(max(without / error, 1.0))),
        )
