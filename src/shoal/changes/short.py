"""Short streams with a long memory: changes of level or slope under autoregressive noise, by description length.

The permutation test needs blocks longer than the memory of the stream and no longer than the least piece. Yearly prices
and monthly rates have none: a hundred steps that remember a hundred. For those a model is asked before the test
(Chakar, Lebarbier, Levy-Leduc and Robin, Bernoulli 23, 2017, "A robust approach for estimating change-points in the
mean of an AR(1) process"): with x_t the mid-rank, standardised,

    x_t - phi x_{t-1} = m_k + e_t    in piece k,

one phi and one variance for the whole stream, so that phi = 0 is a step function in noise and phi = 1 a random walk
with drifts. For each phi of a grid and each number K of changes the places of least squares are exact
(`least_squares`). Of all, the one is taken with the least

    n d log(RSS / n d) + (d (K + 1) + 2 K + [phi > 0]) log n,

the modified Bayesian information criterion, 3 log n for each change of one coordinate (Zhang and Siegmund, Biometrics
63, 2007), K being at most 15. Changes that noise alone may well gain as much from are dropped, the weakest first.

Where no change of level is left, pieces with slopes, m_k + b_k t, are asked in the same way, each piece having 2 d
parameters. They must describe the stream better than any levels do, a random walk with drift among them, and the stream
must have `TURNING` steps: of random walks of 60 steps one in four seems to turn, of those of 105 one in twenty.

Mid-ranks take the place of values here too, so that the places are the same under every increasing transformation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.dependence import SHORT
from shoal.changes.least_squares import best_places, errors_of_pieces, standardised

if TYPE_CHECKING:
    from shoal.changes.input import Stream

Array = np.ndarray[Any, Any]

LASTING = 8
"""A memory of fewer steps is never long."""
TURNING = 100
"""A shorter stream is not asked for changes of slope."""
MEMORIES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
"""The grid of phi."""
NO_NOISE = 1e-4
"""The variance that is left of a standardised stream is taken to be at least this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortChange:
    """One change of level or slope."""

    place: int
    """The first step of the new piece."""
    low: int
    """The least place of the confidence set."""
    high: int
    """The greatest place of the confidence set."""
    p_value: float
    """A bound on how often noise alone gains as much at the best place between the neighbours."""
    score: float
    """The root of twice the gain in log-likelihood."""


def is_short(stream: Stream, *, memory: int, margin: int) -> bool:
    """Whether a block of the tests would be longer than the least piece, in a stream of numbers, some of them known.

    Args:
        stream: The stream.
        memory: Steps after which it has forgotten: the length of a block.
        margin: The least number of steps between two changes.
    """
    if stream.values is None or not 4 <= stream.length <= SHORT or memory < max(LASTING, margin + 1):
        return False
    return bool((~np.isnan(stream.values)).any(axis=0).all())


def short_changes(stream: Stream, *, margin: int, alpha: float, confidence: float) -> list[ShortChange]:
    """The changes of level or, where there are none, those of slope, in order.

    Args:
        stream: A stream that `is_short`.
        margin: The least number of steps between two changes.
        alpha: The level of the tests.
        confidence: The confidence of the sets.
    """
    table = standardised(stream.compared)
    levels = _model(table, margin, slopes=False)
    length, places = _shortest(levels)
    found = _significant(levels, places, alpha, confidence)
    if found or len(table) < TURNING:
        return found
    slopes = _model(table, margin, slopes=True)
    other_length, places = _shortest(slopes)
    return _significant(slopes, places, alpha, confidence) if other_length < length else []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """The squared errors of every piece under every memory."""

    errors: list[Array]
    """For each phi the error of the piece [i, j), at row i and column j."""
    size: int
    """Values in all, n d."""
    width: int
    """What describes one piece: the d levels, and the d slopes where there are any."""
    least: int
    """The least number of steps of a piece."""

    def parameters(self, places: list[int]) -> int:
        """What describes the places and the pieces."""
        return self.width * (len(places) + 1) + 2 * len(places)

    def error(self, places: list[int]) -> tuple[float, Array]:
        """The least squared error with changes at these places, over memories, and the table of that memory."""
        edges = [0, *places, len(self.errors[0]) - 1]
        sums = [float(errors[edges[:-1], edges[1:]].sum()) for errors in self.errors]
        best = min(range(len(sums)), key=sums.__getitem__)
        return max(sums[best], NO_NOISE * self.size), self.errors[best]


def _model(table: Array, margin: int, *, slopes: bool) -> _Model:
    pieces = 2 if slopes else 1
    return _Model(
        errors=[errors_of_pieces(table, phi, slopes=slopes) for phi in MEMORIES],
        size=table.size,
        width=table.shape[1] * pieces,
        least=max(1 + pieces, margin),
    )


def _shortest(model: _Model) -> tuple[float, list[int]]:
    """The least description length over memories and numbers of changes, and the places."""
    best, chosen = math.inf, []
    steps = math.log(len(model.errors[0]) - 1)
    for phi, errors in zip(MEMORIES, model.errors, strict=True):
        for places, error in best_places(errors, model.least):
            parameters = model.parameters(places) + (phi > 0.0)
            length = model.size * math.log(max(error / model.size, NO_NOISE)) + parameters * steps
            if length < best:
                best, chosen = length, places
    return best, chosen


def _significant(model: _Model, places: list[int], alpha: float, confidence: float) -> list[ShortChange]:
    """The changes with a p-value of at most alpha, the weakest dropped first, since its neighbours gain by that."""
    while True:
        found = [_described(model, places, number, confidence) for number in range(len(places))]
        weakest = max(range(len(found)), key=lambda k: found[k].p_value, default=None)
        if weakest is None or found[weakest].p_value <= alpha:
            return found
        places = [*places[:weakest], *places[weakest + 1 :]]


def _described(model: _Model, places: list[int], number: int, confidence: float) -> ShortChange:
    """A change with its confidence set and the bound on its p-value.

    The set holds the places with the most weight, exp(-RSS / 2 s^2) of each, until it has the share ``confidence`` of
    all. Without the change the memory is estimated anew, so what a random walk does is not taken for a change.
    """
    place, (error, table) = places[number], model.error(places)
    start, end = [0, *places][number], [*places, len(table) - 1][number + 1]
    tried = np.arange(start + model.least, end - model.least + 1)
    errors = table[start, tried] + table[tried, end]
    weights = np.exp(-(errors - errors.min()) * model.size / (2.0 * error))
    order = np.argsort(-weights, kind="stable")
    held = order[: int(np.searchsorted(np.cumsum(weights[order]), confidence * weights.sum())) + 1]
    without = model.error([*places[:number], *places[number + 1 :]])[0]
    gain = max(model.size - model.parameters(places) - 1, 1) * math.log(max(without / error, 1.0))
    return ShortChange(
        place=place,
        low=min(place, int(tried[held].min())),
        high=max(place, int(tried[held].max())),
        p_value=min(1.0, len(tried) * _chi_square_tail(gain, model.width)),
        score=math.sqrt(gain),
    )


def _chi_square_tail(value: float, freedom: int) -> float:
    """The chance that a chi-square variable is above ``value``: Q(a + 1, x) = Q(a, x) + x^a e^-x / Gamma(a + 1)."""
    half = value / 2.0
    a, tail = (0.5, math.erfc(math.sqrt(half))) if freedom % 2 else (1.0, math.exp(-half))
    while a < freedom / 2.0 and half > 0.0:
        tail += math.exp(a * math.log(half) - half - math.lgamma(a + 1.0))
        a += 1.0
    return min(tail, 1.0)
