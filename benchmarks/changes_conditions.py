"""Change points under many conditions, beside ruptures: ``python -m benchmarks.changes_conditions``.

Other lengths, places, laws and numbers of processes than the other benchmarks have. Of each condition the share of
streams with the right number of changes and F1 with a margin of two hundredths of the stream, for shoal with the number
of processes (r), with no number given, and for five searches of ruptures that all know the true *number of changes*,
of which the best is named; where there is no change, the share of streams with one by shoal, with no number given. Both
sides look at the same streams; ruptures gets them standardised. Where levels change under noise of variance one, PELT
is run as well, given that variance and not the number, with the penalty (d + 1) log n.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.processes import OUT, PEERS_PYTHON, ROOT, append_part, write_result
from shoal.changes import change_points, f1_with_margin
from shoal.changes.generators import Sample, autoregressive, bernoulli, hidden_rotation, markov

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SIDE = ROOT / "benchmarks" / "sides" / "searches_side.py"
FIRST_SEED = 90_000
PELT = "PELT"
"""The search that is given the noise in place of the number of changes."""
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One kind of stream."""

    draw: Callable[[int], Sample]
    processes: int
    min_distance: float = 0.05
    unit_noise: bool = False


def pieces(lengths: Sequence[int], laws: Sequence[Callable[[np.random.Generator, int], Array]], seed: int) -> Sample:
    """Independent values, one law a piece; equal laws are the same object."""
    generator = np.random.default_rng(seed)
    known = list(dict.fromkeys(laws))
    values = np.concatenate([law(generator, length) for law, length in zip(laws, lengths, strict=True)])
    places = tuple(int(place) for place in np.cumsum(lengths)[:-1])
    return Sample(values=values, places=places, processes=tuple(known.index(law) for law in laws))


def normal(mean: float = 0.0, sd: float = 1.0) -> Callable[[np.random.Generator, int], Array]:
    """Independent normal values."""
    return lambda generator, length: generator.normal(mean, sd, length)


def correlated(share: float) -> Callable[[np.random.Generator, int], Array]:
    """Pairs of normal values whose correlation is the only thing that a law sets."""
    return lambda generator, length: generator.multivariate_normal([0, 0], [[1, share], [share, 1]], length)


def heavy(shift: float) -> Callable[[np.random.Generator, int], Array]:
    """Student's t with 1.5 degrees of freedom: no variance."""
    return lambda generator, length: generator.standard_t(1.5, length) + shift


def poisson(mean: float) -> Callable[[np.random.Generator, int], Array]:
    """Counts with many ties."""
    return lambda generator, length: generator.poisson(mean, length).astype(float)


def shape(two_peaks: bool) -> Callable[[np.random.Generator, int], Array]:
    """Mean 0 and variance 1 with one peak, or with two."""
    if not two_peaks:
        return normal()
    return lambda generator, length: generator.choice([-0.9, 0.9], length) + generator.normal(0, 0.19**0.5, length)


def levels(count: int, length: int, seed: int, width: int = 1) -> Sample:
    """Levels that move by 1 to 4 up or down at random places at least 20 steps apart, under noise of variance one."""
    generator = np.random.default_rng([seed, count, length, width])
    free = np.sort(generator.choice(length - 20 * (count + 1), count, replace=False))
    places = free + 20 * np.arange(1, count + 1)
    moves = generator.choice([-1.0, 1.0], (count, width)) * generator.uniform(1.0, 4.0, (count, width))
    steps = np.concatenate([np.zeros((1, width)), np.cumsum(moves, axis=0)])
    values = np.repeat(steps, np.diff([0, *places, length]), axis=0) + generator.normal(size=(length, width))
    return Sample(
        values=values if width > 1 else values[:, 0], places=tuple(places.tolist()), processes=tuple(range(count + 1))
    )


LOW, HIGH, WIDE = normal(-0.5), normal(0.5), normal(-0.5, 2.5)
NARROW, BROAD, T0, T1, P2, P3 = normal(), normal(0, 1.8), heavy(0.0), heavy(1.2), poisson(2.0), poisson(3.0)
ONE, TWO, APART, TOGETHER = shape(False), shape(True), correlated(0.0), correlated(0.7)
SHIFTED, DOUBLE = normal(1.5), normal(0, 2.0)
FLIP, STAY = ((0.5, 0.5), (0.5, 0.5)), ((0.75, 0.25), (0.25, 0.75))

CONDITIONS = {
    "mean, n = 200, at .35": Condition(draw=lambda s: pieces((70, 130), (LOW, HIGH), s), processes=2),
    "variance x 3.2, n = 800, at .8": Condition(draw=lambda s: pieces((640, 160), (NARROW, BROAD), s), processes=2),
    "AR .2 to .7, n = 2000, at .6": Condition(
        draw=lambda s: scaled(autoregressive((1200, 800), (0.2, 0.7), seed=s)), processes=2
    ),
    "AR .4 to -.4, n = 1000, at .5": Condition(
        draw=lambda s: scaled(autoregressive((500, 500), (0.4, -0.4), seed=s)), processes=2
    ),
    "Markov, same shares, n = 1200, at .25": Condition(
        draw=lambda s: markov((300, 900), (FLIP, STAY), seed=s), processes=2
    ),
    "t of 1.5 degrees, shift 1.2, n = 1000": Condition(draw=lambda s: pieces((450, 550), (T0, T1), s), processes=2),
    "Poisson 2 to 3, n = 600, at .4": Condition(draw=lambda s: pieces((240, 360), (P2, P3), s), processes=2),
    "coins .4 to .6, n = 1000, at .5": Condition(draw=lambda s: bernoulli((500, 500), (0.4, 0.6), seed=s), processes=2),
    "one peak to two, n = 1500, at .3": Condition(draw=lambda s: pieces((450, 1050), (ONE, TWO), s), processes=2),
    "correlation 0 to .7, n = 1000, at .55": Condition(
        draw=lambda s: pieces((550, 450), (APART, TOGETHER), s), processes=2
    ),
    "hidden rotation, n = 1500, at .7": Condition(
        draw=lambda s: hidden_rotation((1050, 450), seed=s), processes=2, min_distance=0.15
    ),
    "nine pieces of 150, two laws": Condition(
        draw=lambda s: pieces((150,) * 9, (LOW, HIGH) * 4 + (LOW,), s), processes=2
    ),
    "five pieces of unequal length, three laws": Condition(
        draw=lambda s: pieces((500, 220, 380, 160, 540), (LOW, HIGH, WIDE, HIGH, LOW), s), processes=3
    ),
    "a piece of .06 n amid n = 2000": Condition(
        draw=lambda s: pieces((900, 120, 980), (LOW, HIGH, LOW), s), processes=2
    ),
    "ten pieces of 100, two laws": Condition(
        draw=lambda s: pieces((100,) * 10, (NARROW, SHIFTED) * 5, s), processes=2, unit_noise=True
    ),
    "eight pieces of 150, one spread or the double": Condition(
        draw=lambda s: pieces((150,) * 8, (NARROW, DOUBLE) * 4, s), processes=2
    ),
    "eight pieces of 300, AR .5 and -.5": Condition(
        draw=lambda s: scaled(autoregressive((300,) * 8, (0.5, -0.5) * 4, seed=s)), processes=2
    ),
    "ten levels, n = 1000": Condition(
        draw=lambda s: levels(10, 1000, s), processes=11, min_distance=0.01, unit_noise=True
    ),
    "twenty levels, n = 2000": Condition(
        draw=lambda s: levels(20, 2000, s), processes=21, min_distance=0.01, unit_noise=True
    ),
    "eight levels of three coordinates, n = 1000": Condition(
        draw=lambda s: levels(8, 1000, s, width=3), processes=9, min_distance=0.01, unit_noise=True
    ),
    "no change, independent, n = 300": Condition(draw=lambda s: pieces((300,), (LOW,), s), processes=1),
    "no change, AR(.7), n = 1500": Condition(draw=lambda s: autoregressive((1500,), (0.7,), seed=s), processes=1),
    "no change, Markov, n = 1000": Condition(draw=lambda s: markov((1000,), (STAY,), seed=s), processes=1),
    "no change, counts, n = 800": Condition(draw=lambda s: pieces((800,), (P2,), s), processes=1),
}


def main() -> None:
    """Run all conditions and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of the conditions to run; all where none is given")
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()
    rows: dict[str, Any] = {}
    for name, condition in CONDITIONS.items():
        if given.names and not any(part in name for part in given.names):
            continue
        samples = [condition.draw(FIRST_SEED + seed) for seed in range(given.seeds)]
        rows[name] = quiet(samples) if condition.processes == 1 else measured(condition, samples)
        print(name.ljust(44) + "  ".join(f"{key} {value}" for key, value in rows[name].items()), flush=True)
        append_part("changes_conditions", {"condition": name, "seeds": given.seeds} | rows[name])
    print(f"written to {write_result('changes_conditions', rows)}")


def quiet(samples: Sequence[Sample]) -> dict[str, Any]:
    """How many streams without a change are said to have one, with no number given."""
    return {"with a change": sum(bool(change_points(sample.values).changes) for sample in samples), "of": len(samples)}


def measured(condition: Condition, samples: Sequence[Sample]) -> dict[str, Any]:
    """Right counts and F1 of both ways of asking shoal, and of the best search of ruptures."""
    started = time.process_time()
    given = [change_points(s.values, condition.min_distance, condition.processes).places for s in samples]
    free = [change_points(s.values, condition.min_distance).places for s in samples]
    cpu = (time.process_time() - started) / (2 * len(samples))
    found = {"r given": given, "no number given": free}
    row: dict[str, Any] = {}
    for way, places in found.items():
        row |= {f"right, {way}": right(samples, places), f"F1, {way}": round(f1(samples, places), 3)}
    peers = {search: f1(samples, places) for search, places in searched(samples, condition.unit_noise).items()}
    if PELT in peers:
        row["F1, PELT given the noise"] = round(peers.pop(PELT), 3)
    best = max(peers, key=lambda search: peers[search], default="")
    return row | {"best of ruptures": best, "its F1": round(peers[best], 3) if best else None, "cpu": round(cpu, 3)}


def right(samples: Sequence[Sample], found: Sequence[Sequence[int]]) -> int:
    """Streams with the right number of changes."""
    return sum(len(sample.places) == len(places) for sample, places in zip(samples, found, strict=True))


def f1(samples: Sequence[Sample], found: Sequence[Sequence[int]]) -> float:
    """The mean over streams, with a margin of two hundredths."""
    return statistics.mean(
        f1_with_margin([list(sample.places)], places, margin=max(5, len(sample.values) // 50))
        for sample, places in zip(samples, found, strict=True)
    )


def searched(samples: Sequence[Sample], unit_noise: bool) -> dict[str, list[list[int]]]:
    """The places of every search of ruptures, given the number of changes, or that the noise has a variance of one."""
    if not PEERS_PYTHON.exists():
        return {}
    path = OUT / "conditions.npz"
    OUT.mkdir(exist_ok=True)
    np.savez(path, *[sample.values for sample in samples])
    words: list[str | Path] = [PEERS_PYTHON, SIDE, path, str(len(samples[0].places)), *([PELT] if unit_noise else [])]
    answer: dict[str, list[list[int]]] = json.loads(
        subprocess.run(words, capture_output=True, text=True, check=True).stdout
    )
    return answer


def scaled(sample: Sample) -> Sample:
    """Each piece with mean 0 and variance 1, so that only its memory tells it from the other."""
    parts = np.split(sample.values, sample.places)
    values = np.concatenate([(part - part.mean()) / part.std() for part in parts])
    return Sample(values=values, places=sample.places, processes=sample.processes)


if __name__ == "__main__":
    main()
