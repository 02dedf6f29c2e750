"""Short streams with a long memory: changes of level under autoregressive noise, by description length.

The permutation test needs blocks longer than the memory of the stream and no longer than the least piece. Yearly prices
and monthly rates have none: a hundred steps that remember a hundred. For those a model is asked before the test
(Chakar, Lebarbier, Levy-Leduc and Robin, Bernoulli 23, 2017, "A robust approach for estimating change-points in the
mean of an AR(1) process"): with x_t the mid-rank, standardised,

    x_t - phi x_{t-1} = m_k + e_t    in piece k,

one phi and one variance for the whole stream, so that phi = 0 is a step function in noise and phi = 1 a random walk
with drifts. For each phi of a grid and each number K of changes the places of least squares are exact (dynamic
programming, O(K n^2)). Of all, the one is taken with the least

    n d log(RSS / n d) + (d (K + 1) + 2 K + [phi > 0]) log n,

the modified Bayesian information criterion, 3 log n for each change of one coordinate (Zhang and Siegmund, Biometrics
63, 2007), K being at most 15. Changes that noise alone may well gain as much from are dropped, the weakest first.
Mid-ranks take the place of values here too, so that the places are the same under every increasing transformation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.input import Stream

Array = np.ndarray[Any, Any]

LONGEST = 500
"""A longer stream is left to the tests; this method is quadratic."""
LASTING = 8
"""A memory of fewer steps is never long."""
MOST = 15
"""Changes at most."""
MEMORIES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
"""The grid of phi."""
NO_NOISE = 1e-4
"""The variance that is left of a standardised stream is taken to be at least this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One change of level."""

    place: int
    """The first step of the new level."""
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
    if stream.values is None or not 4 <= stream.length <= LONGEST or memory < max(LASTING, margin + 1):
        return False
    return bool((~np.isnan(stream.values)).any(axis=0).all())


def levels(stream: Stream, *, margin: int, level: float) -> list[Level]:
    """The changes of level, in order.

    Args:
        stream: A stream that `is_short`.
        margin: The least number of steps between two changes.
        level: One minus the confidence of the sets.
    """
    assert stream.values is not None
    table = _standardised(stream.values)
    size, count = table.size, len(table)
    least = max(2, margin)
    model = _Model(costs=[_costs(table, phi) for phi in MEMORIES], size=size, width=table.shape[1], least=least)
    best = math.inf
    chosen: list[int] = []
    for phi, costs in zip(MEMORIES, model.costs, strict=True):
        for places, cost in _best_places(costs, least):
            parameters = model.parameters(places) + (phi > 0.0)
            length = size * math.log(max(cost / size, NO_NOISE)) + parameters * math.log(count)
            if length < best:
                best, chosen = length, places
    return _significant(model, chosen, level)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """The squared errors of every piece under every memory."""

    costs: list[Array]
    """For each phi the error of the piece [i, j), at row i and column j."""
    size: int
    """Values in all, n d."""
    width: int
    """Coordinates d."""
    least: int
    """The least number of steps of a piece."""

    def parameters(self, places: list[int]) -> int:
        """What describes the places and the means."""
        return self.width * (len(places) + 1) + 2 * len(places)

    def error(self, places: list[int]) -> tuple[float, Array]:
        """The least squared error with changes at these places, over memories, and the table of that memory."""
        edges = [0, *places, len(self.costs[0]) - 1]
        errors = [float(costs[edges[:-1], edges[1:]].sum()) for costs in self.costs]
        best = min(range(len(errors)), key=errors.__getitem__)
        return max(errors[best], NO_NOISE * self.size), self.costs[best]


def _significant(model: _Model, places: list[int], level: float) -> list[Level]:
    """The changes with a p-value of at most the level, the weakest dropped first, since its neighbours gain by that."""
    while True:
        found = [_described(model, places, number, level) for number in range(len(places))]
        weakest = max(range(len(found)), key=lambda k: found[k].p_value, default=None)
        if weakest is None or found[weakest].p_value <= level:
            return found
        places = [*places[:weakest], *places[weakest + 1 :]]


def _standardised(values: Array) -> Array:
    """Mid-ranks, the missing on the line between their neighbours, with mean 0 and variance 1 in each coordinate."""
    steps = np.arange(len(values))
    columns = []
    for column in values.T:
        known = ~np.isnan(column)
        ordered = np.sort(column[known])
        below, upto = (np.searchsorted(ordered, column[known], side=side) for side in ("left", "right"))
        filled = np.interp(steps, steps[known], (below + upto) / (2.0 * len(ordered)))
        centred = filled - filled.mean()
        spread = float(centred.std())
        columns.append(centred / spread if spread > 1e-12 else np.zeros(len(values)))
    return np.column_stack(columns)


def _costs(table: Array, phi: float) -> Array:
    """The squared error of every piece [i, j) about its mean, at row i and column j; infinite where j <= i."""
    whitened = table.copy()
    whitened[1:] -= phi * table[:-1]
    if phi > 0.0:
        whitened[0] = whitened[1:].mean(axis=0)
    sums = np.concatenate([np.zeros((1, table.shape[1])), np.cumsum(whitened, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum((whitened**2).sum(axis=1))])
    places = np.arange(len(sums))
    lengths = places[None, :] - places[:, None]
    spans = np.maximum(lengths, 1)
    costs = squares[None, :] - squares[:, None]
    for column in sums.T:
        costs -= (column[None, :] - column[:, None]) ** 2 / spans
    return np.where(lengths > 0, np.maximum(costs, 0.0), np.inf)


def _best_places(costs: Array, least: int) -> list[tuple[list[int], float]]:
    """For 0, 1, ... changes the places of least squares, pieces being at least ``least`` long."""
    count = len(costs) - 1
    places = np.arange(count + 1)
    allowed = np.where(places[None, :] - places[:, None] >= least, costs, np.inf)
    reached, steps = allowed[0], []
    found: list[tuple[list[int], float]] = [([], float(costs[0, count]))]
    for _ in range(min(MOST, count // least - 1)):
        joined = reached[:, None] + allowed
        steps.append(joined.argmin(axis=0))
        reached = joined[steps[-1], places]
        back, end = [], count
        for step in reversed(steps):
            end = int(step[end])
            back.append(end)
        found.append((back[::-1], float(reached[count])))
    return found


def _described(model: _Model, places: list[int], number: int, level: float) -> Level:
    """A change with its confidence set and the bound on its p-value.

    The set holds the places with the most weight, exp(-RSS / 2 s^2) of each, until it has 1 - level of all. Without the
    change the memory is estimated anew, so what a random walk does is not taken for a change.
    """
    place, (error, costs) = places[number], model.error(places)
    start, end = [0, *places][number], [*places, len(costs) - 1][number + 1]
    tried = np.arange(start + model.least, end - model.least + 1)
    errors = costs[start, tried] + costs[tried, end]
    weights = np.exp(-(errors - errors.min()) * model.size / (2.0 * error))
    order = np.argsort(-weights, kind="stable")
    held = order[: int(np.searchsorted(np.cumsum(weights[order]), (1.0 - level) * weights.sum())) + 1]
    without = model.error([*places[:number], *places[number + 1 :]])[0]
    gain = max(model.size - model.parameters(places) - 1, 1) * math.log(max(without / error, 1.0))
    return Level(
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
