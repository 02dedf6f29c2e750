"""Slow series with known changes: shoal beside binary segmentation and PELT, with default parameters.

Yearly figures, prices, rates and counts as people bring them, drawn by chance: kinks in a trend, drifts of a random
walk, growth that changes its level, slow levels, seasons, jumps beside a trend, and series in which nothing changes but
noise that remembers. Some kinds are of the form that the models of levels and slopes have. F1 with margin 5 and
covering, as in `changes_tcpd`.

    python -m benchmarks.changes_slow
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.changes_tcpd import peers, score
from benchmarks.processes import write_result
from shoal.changes import change_points

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, Any]
Random = np.random.Generator

RUNS = 20


def main() -> None:
    """Score every method on every kind and print the table."""
    drawn = {(kind, run): draw(kind, run) for kind in KINDS for run in range(RUNS)}
    named = {f"{kind} {run}": series[:, None] for (kind, run), (series, _) in drawn.items()}
    answers = peers(named) | {
        "no change": {name: [] for name in named},
        "shoal": {name: list(change_points(series)) for name, series in named.items()},
    }
    scores: dict[str, dict[str, list[float]]] = {method: {} for method in answers}
    print(f"{'kind, F1, covering, series with a change':42}" + "".join(f"{method:>24}" for method in answers))
    for kind in KINDS:
        cells = []
        for method, places in answers.items():
            rows = [
                (*score([drawn[kind, run][1]], found, len(drawn[kind, run][0])), float(bool(found)))
                for run in range(RUNS)
                for found in [places[f"{kind} {run}"]]
            ]
            scores[method][kind] = [statistics.mean(column) for column in zip(*rows, strict=True)]
            cells.append("".join(f"{value:8.3f}" for value in scores[method][kind]))
        print(f"{kind:42}" + "".join(cells))
    means = {m: [statistics.mean(column) for column in zip(*s.values(), strict=True)] for m, s in scores.items()}
    print(f"{'mean':42}" + "".join("".join(f"{value:8.3f}" for value in row) for row in means.values()))
    print(f"written to {write_result('changes_slow', {'scores': scores, 'means': means})}")


def draw(kind: str, run: int) -> tuple[Array, list[int]]:
    """A series and its changes; the same ones every time."""
    return KINDS[kind](np.random.default_rng([list(KINDS).index(kind), run]))


def kinks(random: Random) -> tuple[Array, list[int]]:
    """A yearly trend whose slope changes once or twice."""
    length, places = sizes(random, 30, 131, 1, 3, share=6)
    trend = broken(random, length, places)
    size = np.diff(trend).std() * random.uniform(0.5, 2.0)
    return trend + size * autoregression(random, length, random.choice([0.0, 0.4, 0.7])), places


def drifts(random: Random) -> tuple[Array, list[int]]:
    """A random walk whose drift changes."""
    length, places = sizes(random, 60, 301, 1, 3, share=5)
    walk = np.cumsum(random.normal(size=length)) * random.uniform(0.3, 1.0)
    return broken(random, length, places) + walk, places


def growth(random: Random) -> tuple[Array, list[int]]:
    """A smooth series: its growth remembers, and changes its level."""
    length, places = sizes(random, 200, 501, 1, 4, share=8)
    rate = jumps(random, length, places, 4.0) + 2.0 * random.normal() + autoregression(random, length, 0.8, 0.6)
    return np.cumsum(rate) + 0.5 * random.normal(size=length), places


def slow_levels(random: Random) -> tuple[Array, list[int]]:
    """Levels under an autoregression of .7 to .93."""
    length, places = sizes(random, 100, 601, 1, 4, share=8)
    phi = random.choice([0.7, 0.85, 0.93])
    size = 4.0 / np.sqrt(1.0 - phi**2)
    return jumps(random, length, places, size) + autoregression(random, length, phi), places


def monthly_counts(random: Random) -> tuple[Array, list[int]]:
    """Seasonal counts with a trend, whose level changes at most twice."""
    length, places = sizes(random, 120, 301, 0, 3, share=6)
    steps = np.arange(length)
    season = 0.3 * np.sin(2.0 * np.pi * (steps + random.integers(12)) / 12.0)
    level = jumps(random, length, places, 0.35) + 0.003 * random.normal() * steps + season
    level += autoregression(random, length, 0.5, 0.05)
    return random.poisson(np.exp(6.0 + level - level.mean())).astype(float), places


def many_levels(random: Random) -> tuple[Array, list[int]]:
    """Three to seven changes of level in noise that hardly remembers."""
    length, places = sizes(random, 200, 601, 3, 8, share=18)
    return jumps(random, length, places, 3.0) + autoregression(random, length, random.choice([0.0, 0.3])), places


def walk_jumps(random: Random) -> tuple[Array, list[int]]:
    """A random walk that jumps."""
    length, places = sizes(random, 150, 801, 1, 3, share=6)
    noise = 0.5 * np.cumsum(random.normal(size=length)) + 0.3 * random.normal(size=length)
    return noise + jumps(random, length, places, 8.0), places


def trend_jumps(random: Random) -> tuple[Array, list[int]]:
    """A straight trend with changes of level."""
    length, places = sizes(random, 40, 151, 1, 3, share=6)
    noise = autoregression(random, length, random.choice([0.0, 0.4, 0.7]))
    return 0.1 * random.normal() * np.arange(length) + jumps(random, length, places, 4.0) + noise, places


def growth_rate(random: Random) -> tuple[Array, list[int]]:
    """Exponential growth that slows once."""
    length, places = sizes(random, 60, 301, 1, 2, share=4)
    rate = np.where(np.arange(length) < places[0], 2.0 / length, 0.0) + 0.005
    return 10.0 * np.exp(np.cumsum(rate) + autoregression(random, length, 0.7, 0.02)), places


def volatility(random: Random) -> tuple[Array, list[int]]:
    """Returns whose spread changes."""
    length, places = sizes(random, 300, 801, 1, 3, share=6)
    return np.exp(jumps(random, length, places, 1.1)) * autoregression(random, length, 0.1), places


def smooth_curve(random: Random) -> tuple[Array, list[int]]:
    """Exponential growth at one rate: no change."""
    length = int(random.integers(60, 301))
    curve = 10.0 * np.exp(random.uniform(1.0, 3.0) * np.arange(length) / length)
    return curve + autoregression(random, length, 0.6, 0.2), []


def walk(random: Random) -> tuple[Array, list[int]]:
    """A random walk: no change."""
    return np.cumsum(random.normal(size=int(random.integers(60, 601)))), []


def memory(random: Random) -> tuple[Array, list[int]]:
    """An autoregression of .9: no change."""
    return autoregression(random, int(random.integers(60, 601)), 0.9), []


def trend(random: Random) -> tuple[Array, list[int]]:
    """A straight trend: no change."""
    length = int(random.integers(40, 401))
    return 0.05 * np.arange(length) + autoregression(random, length, random.choice([0.0, 0.5, 0.8])), []


KINDS: dict[str, Callable[[Random], tuple[Array, list[int]]]] = {
    "kinks of a yearly trend": kinks,
    "drifts of a random walk": drifts,
    "levels of growth": growth,
    "slow levels": slow_levels,
    "monthly counts": monthly_counts,
    "many levels": many_levels,
    "jumps of a random walk": walk_jumps,
    "jumps beside a trend": trend_jumps,
    "rates of growth": growth_rate,
    "volatility": volatility,
    "no change: growth": smooth_curve,
    "no change: random walk": walk,
    "no change: autoregression of .9": memory,
    "no change: trend": trend,
}


def sizes(random: Random, shortest: int, longest: int, fewest: int, most: int, *, share: int) -> tuple[int, list[int]]:
    """A length, and so many places that no piece is shorter than the length divided by ``share``."""
    length, count = int(random.integers(shortest, longest)), int(random.integers(fewest, most))
    while True:
        edges = np.sort(np.concatenate(([0, length], random.integers(1, length, size=count))))
        if np.diff(edges).min() >= length // share:
            return length, [int(place) for place in edges[1:-1]]


def autoregression(random: Random, length: int, phi: float, size: float = 1.0) -> Array:
    """A stationary AR(1) with innovations of a standard deviation."""
    noise = size * random.normal(size=length)
    noise[0] /= np.sqrt(1.0 - phi**2)
    for step in range(1, length):
        noise[step] += phi * noise[step - 1]
    return noise


def broken(random: Random, length: int, places: list[int]) -> Array:
    """A line whose slope changes at places."""
    return np.cumsum(random.normal() + jumps(random, length, places, 1.6))


def jumps(random: Random, length: int, places: list[int], size: float) -> Array:
    """Levels that change at places by about a size."""
    levels = np.zeros(length)
    for place in places:
        levels[place:] += random.choice([-1.0, 1.0]) * size * random.uniform(0.7, 1.5)
    return levels


if __name__ == "__main__":
    main()
