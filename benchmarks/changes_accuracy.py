"""How exact change points are: right counts, errors of places, coverage of confidence sets, and the size of the test.

    python -m benchmarks.changes_accuracy [PART ...] [--seeds N] [--first-seed S] [--runs R]
        [--lengths N ...] [--kinds WORD ...]

Parts: hidden, rotary, bernoulli, uniform, parity, scale, size, power. Seeds from 0 to 999 were used in development (the
first 20 or so of each generator); the default first seed, 5000, was not. Each row is printed and added to
bench-out/changes_accuracy.jsonl as it ends.

The rotary and Bernoulli streams follow Khaleghi and Zierahn (arXiv 2112.10565, Table 1): 60,000 steps and two changes,
rotations by beta1, beta2, beta1 and coins with .8, .5, .8 ones. Places are drawn for each seed, uniform among those
that leave every piece .15 n, and min_distance is .1. "hidden-rotary" is the same with the rotation rounded under noise.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from benchmarks.changes_quiet import QUIET, with_change
from benchmarks.processes import append_part
from shoal.changes import Changes, change_points
from shoal.changes.generators import BETAS, Sample, bernoulli, hidden_parity, hidden_rotation, rotation, uniform_pieces
from shoal.statistics import clopper_pearson_interval

LENGTHS = (500, 1000, 5000)
"""The steps of the streams of the size and power tables."""
SEEDS_OF_CELL = 500
"""Seeds between the first ones of two cells of these tables, so that fewer streams are the first ones of more."""
TURNS = (BETAS[0], BETAS[1], BETAS[0])
Row = dict[str, Any]


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all of them where none is named")
    parser.add_argument("--seeds", type=int, help="seeds of each setting instead of the part's own number")
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=500, help="streams for each row of the size and power tables")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, help="rows of these tables by their steps")
    parser.add_argument("--kinds", nargs="+", default=[""], help="and by parts of the names of their kinds of stream")
    given = parser.parse_args()
    for name in given.parts or PARTS:
        for row in PARTS[name](given):
            print(" ".join(f"{key}={_shown(value)}" for key, value in row.items()), flush=True)
            append_part("changes_accuracy", row | {"part": name, "first_seed": given.first_seed})


def hidden(given: argparse.Namespace) -> list[Row]:
    """Hidden rotation, 5,000 steps with a change at 1,500."""
    return [_errors("hidden rotation", lambda seed: hidden_rotation(seed=seed), given, seeds=100)]


def uniform(given: argparse.Namespace) -> list[Row]:
    """Uniform numbers that slide by a tenth and back."""
    return [_errors("uniform pieces", lambda seed: uniform_pieces(seed=seed), given, seeds=100)]


def parity(given: argparse.Namespace) -> list[Row]:
    """Hidden parity of lags 2, 3 and 4."""
    return [
        _errors(f"hidden parity {lag}", lambda seed, lag=lag: hidden_parity(lag, seed=seed), given, seeds=60)
        for lag in (2, 3, 4)
    ]


def rotary(given: argparse.Namespace) -> list[Row]:
    """Rotations by beta1, beta2, beta1, bare and hidden."""
    return [
        _errors("rotary", lambda seed: rotation(_lengths(seed), TURNS, seed=seed), given, seeds=200, min_distance=0.1),
        _errors(
            "hidden-rotary",
            lambda seed: hidden_rotation(_lengths(seed), TURNS, seed=seed),
            given,
            seeds=50,
            min_distance=0.1,
        ),
    ]


def coins(given: argparse.Namespace) -> list[Row]:
    """Coins with .8, .5 and .8 ones, beside what nobody can better on average: who is told both laws."""

    def draw(seed: int) -> Sample:
        return bernoulli(_lengths(seed), (0.8, 0.5, 0.8), seed=seed)

    row = _errors("bernoulli", draw, given, seeds=200, min_distance=0.1)
    seeds = range(given.first_seed, given.first_seed + row["of"])
    return [row | {"mean error where laws are known": np.mean([_known_laws(draw(seed)) for seed in seeds])}]


def scale(given: argparse.Namespace) -> list[Row]:
    """The same output for x, 3.7 x - 11 and exp(x), ties and infinities among the values."""
    same = 0
    seeds = range(given.first_seed, given.first_seed + (given.seeds or 10))
    for seed in seeds:
        for values in (
            hidden_rotation((300, 700), seed=seed).values,
            np.round(uniform_pieces((400, 600), (0.0, 0.3), seed=seed).values, 1),
        ):
            outputs = [_bare(change_points(form(values))) for form in (np.array, lambda x: 3.7 * x - 11.0, np.exp)]
            same += outputs[0] == outputs[1] == outputs[2]
    return [{"stream": "increasing transforms", "identical": same, "of": 2 * len(seeds)}]


def size(given: argparse.Namespace) -> Iterator[Row]:
    """How many streams without a change are said to have one, at level .05, with the exact 95% interval."""
    for length, name, seeds in _cells(given):
        started = time.process_time()
        found = sum(bool(change_points(QUIET[name](length, seed)).changes) for seed in seeds)
        exact = clopper_pearson_interval(found, given.runs)
        cpu = (time.process_time() - started) / given.runs
        row = {"stream": name, "n": length, "with a change": found, "of": given.runs}
        yield row | {"size": found / given.runs, "low": exact.low, "high": exact.high, "cpu": cpu}


def power(given: argparse.Namespace) -> Iterator[Row]:
    """How many streams with the standard change of their kind are said to have one, and to have it within .02 n."""
    for length, name, seeds in _cells(given):
        found = near = alone = 0
        for seed in seeds:
            values, place = with_change(name, length, seed)
            places = change_points(values).places
            found += bool(places)
            near += any(abs(one - place) <= length // 50 for one in places)
            alone += len(places) == 1
        row = {"stream": name, "n": length, "with a change": found, "within .02 n": near}
        yield row | {"with one change": alone, "of": given.runs}


def _cells(given: argparse.Namespace) -> Iterator[tuple[int, str, range]]:
    """Lengths, kinds and seeds; no two cells have a seed in common, or what they find would go together."""
    if given.runs > SEEDS_OF_CELL:
        raise SystemExit(f"--runs is at most {SEEDS_OF_CELL}, the seeds of a cell; got {given.runs}")
    cells = [(length, name) for length in LENGTHS for name in QUIET]
    for number, (length, name) in enumerate(cells):
        first = given.first_seed + number * SEEDS_OF_CELL
        if length in given.lengths and any(part in name for part in given.kinds):
            yield length, name, range(first, first + given.runs)


PARTS: dict[str, Callable[[argparse.Namespace], Iterable[Row]]] = {
    "hidden": hidden,
    "uniform": uniform,
    "parity": parity,
    "rotary": rotary,
    "bernoulli": coins,
    "scale": scale,
    "size": size,
    "power": power,
}


def _errors(
    name: str, draw: Callable[[int], Sample], given: argparse.Namespace, *, seeds: int, min_distance: float = 0.05
) -> Row:
    """Right counts, errors and coverage over seeds, with the number of processes known to be two."""
    errors: list[int] = []
    right, inside, cpu = 0, 0, 0.0
    count = given.seeds or seeds
    for seed in range(given.first_seed, given.first_seed + count):
        sample = draw(seed)
        started = time.process_time()
        found = change_points(sample.values, min_distance, 2)
        cpu += time.process_time() - started
        if len(found.places) != len(sample.places):
            continue
        right += 1
        for change, place in zip(found.changes, sample.places, strict=True):
            errors.append(abs(change.place - place))
            inside += change.low <= place <= change.high
    return {
        "stream": name,
        "right counts": right,
        "of": count,
        "mean error": float(np.mean(errors)),
        "median": float(np.median(errors)),
        "p95": float(np.quantile(errors, 0.95)),
        "max": max(errors),
        "coverage at .95": inside / len(errors),
        "cpu": cpu / count,
    }


def _known_laws(sample: Sample, reach: int = 3000) -> float:
    """The mean error of the medians of the posteriors of both places, the shares of ones and the pieces being known."""
    errors = []
    for place, (before, after) in zip(sample.places, ((0.8, 0.5), (0.5, 0.8)), strict=True):
        ones = sample.values[place - reach : place + reach] == 1
        steps = np.where(ones, np.log(before / after), np.log((1.0 - before) / (1.0 - after)))
        sums = np.concatenate([[0.0], np.cumsum(steps)])
        posterior = np.cumsum(np.exp(sums - sums.max()))
        errors.append(abs(int(np.searchsorted(posterior, posterior[-1] / 2.0)) - reach))
    return float(np.mean(errors))


def _lengths(seed: int, length: int = 60_000, least: float = 0.15) -> tuple[int, int, int]:
    """Three pieces with places uniform among those that leave each piece its least share."""
    free = np.sort(np.random.default_rng([seed, length]).random(2)) * (1.0 - 3.0 * least)
    first, second = (int(length * share) for share in (free[0] + least, free[1] + 2.0 * least))
    return first, second - first, length - second


def _bare(found: Changes) -> list[tuple[Any, ...]]:
    """All that is found but the words, which are in the units of the values."""
    return [(c.place, c.low, c.high, c.p_value, c.score) for c in found.changes]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
