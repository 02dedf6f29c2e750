"""The online detector: speed, mean time between false alarms, and delay, on streams of known law.

Delays are counted from the first changed step, for detectors that had read that many steps before; a detector that had
raised an alarm before the change is counted as false and starts again. CPU-seconds of one thread, without compiling.

    python -m benchmarks.changes_online [--runs 200]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.processes import write_result
from shoal.changes import OnlineDetector
from shoal.changes.generators import autoregressive, moving_average

MEAN_RUN_LENGTH = 10_000
Array = np.ndarray[Any, Any]


def iid(draw: str) -> Callable[[int, int], Array]:
    """Independent values of a law."""
    return lambda length, seed: np.asarray(getattr(np.random.default_rng(seed), draw)(size=length))


def ar(coefficient: float) -> Callable[[int, int], Array]:
    """An autoregression."""
    return lambda length, seed: autoregressive((length,), (coefficient,), seed=seed).values


def moving(length: int, seed: int) -> Array:
    """A moving average."""
    return moving_average((length,), ((1.0, 0.8),), seed=seed).values


NULLS: dict[str, tuple[Callable[[int, int], Array], int]] = {
    "normal": (iid("standard_normal"), 256),
    "uniform": (iid("random"), 256),
    "Cauchy": (iid("standard_cauchy"), 256),
    "MA(.8)": (moving, 256),
    "AR(.5)": (ar(0.5), 256),
    "AR(-.5)": (ar(-0.5), 256),
    "AR(.9)": (ar(0.9), 256),
    "AR(.9), history 1000": (ar(0.9), 1000),
}

CHANGES: dict[str, Callable[[Array, int], Array]] = {
    "mean + 1 sd": lambda x, _: x + 1.0,
    "mean + 2 sd": lambda x, _: x + 2.0,
    "mean + 0.5 sd": lambda x, _: x + 0.5,
    "sd x 2": lambda x, _: x * 2.0,
    "sd / 2": lambda x, _: x / 2.0,
    "AR(0) to AR(.7)": lambda x, seed: ar(0.7)(len(x), seed),
    "AR(0) to AR(-.7)": lambda x, seed: ar(-0.7)(len(x), seed),
}


def main() -> None:
    """Run the three parts, writing each as it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    result: dict[str, Any] = {"speed": speed()}
    result["run lengths"] = {name: run_length(name, draw, history, runs) for name, (draw, history) in NULLS.items()}
    write_result("changes_online", result)
    result["delays"] = {
        f"{name}, after {before}": delay(name, change, before, runs)
        for before in (500, 1000)
        for name, change in CHANGES.items()
    }
    print(f"written to {write_result('changes_online', result)}")


def speed(length: int = 500_000) -> dict[str, float]:
    """Observations a CPU-second, many at once and one by one."""
    values = np.random.default_rng(0).normal(size=length)
    OnlineDetector().update_many(values[:1000])
    started = time.process_time()
    OnlineDetector(1e15).update_many(values)
    many = length / (time.process_time() - started)
    detector, started = OnlineDetector(1e15), time.process_time()
    for value in values[:20_000].tolist():
        detector.update(value)
    one = 20_000 / (time.process_time() - started)
    print(f"observations a CPU-second: {many:,.0f} with update_many, {one:,.0f} with update", flush=True)
    return {"update_many": many, "update": one}


def run_length(
    name: str, draw: Callable[[int, int], Array], history: int, runs: int, horizon: int = 30_000
) -> dict[str, float]:
    """The mean time to the first alarm where nothing changes, the runs being cut at a horizon."""
    steps = alarms = 0
    for seed in range(runs):
        heard = OnlineDetector(MEAN_RUN_LENGTH, history=history).update_many(draw(history + horizon, 50_000 + seed))
        alarms += bool(heard)
        steps += heard[0].time + 1 - history if heard else horizon
    mean = steps / max(alarms, 1)
    print(f"mean run length {mean:9,.0f}  ({alarms} alarms in {runs} runs)  {name}", flush=True)
    return {"mean": mean, "alarms": alarms, "runs": runs}


def delay(
    name: str, change: Callable[[Array, int], Array], before: int, runs: int, horizon: int = 4000
) -> dict[str, float]:
    """The delay of the first alarm from the change on."""
    delays, false = [], 0
    for seed in range(runs):
        values = np.random.default_rng(90_000 + seed).normal(size=before + horizon)
        values[before:] = change(values[before:], seed)
        heard = OnlineDetector(MEAN_RUN_LENGTH).update_many(values)
        false += any(alarm.time < before for alarm in heard)
        delays.append(next((alarm.time - before + 1 for alarm in heard if alarm.time >= before), horizon))
    middle, late = statistics.median(delays), float(np.percentile(delays, 90))
    print(
        f"delay median {middle:6.0f}, 90% {late:6.0f}, false before {false:3} of {runs}  {name}, after {before}",
        flush=True,
    )
    return {"median": middle, "90%": late, "false": false, "runs": runs}


if __name__ == "__main__":
    main()
