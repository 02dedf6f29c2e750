"""The watch on streams of known law: false alarms, delays, planted skills, plateaus, time per step.

    python -m benchmarks.watch_alarms [--runs 10] [--parts alarms delays plateaus skills speed spike]

**alarms**: streams of 100,000 steps on which nothing happens, all kinds of alarms counted per 100,000 steps, as `Watch`
raises them on a loss. **delays**: a shift of one standard deviation; the bound is log(A) over the information per step,
which no detector with a mean time A between false alarms undercuts by much (Lorden 1971; Lai 1998). **plateaus**: when
the end of progress is claimed, and how often while there still is some. **skills**: 20 streams of log-probabilities of
held-out answers, evaluated 200 times in 2,000 steps, that rise at a random moment between a quarter and three quarters.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.processes import write_result
from shoal.changes import ProgressDetector, ShiftDetector
from shoal.training.watch import Watch

Array = np.ndarray[Any, Any]
Draw = Callable[[np.random.Generator, int], Array]
LENGTH = 100_000
RUN_LENGTH = 100_000


def autoregression(*coefficients: float, law: str = "normal") -> Draw:
    """Noise of an autoregression with innovations of standard deviation 1."""

    def draw(random: np.random.Generator, length: int) -> Array:
        from scipy.signal import lfilter

        count = length + 500
        if law == "normal":
            innovations = random.normal(size=count)
        else:
            innovations = random.standard_t(5, size=count) / math.sqrt(5 / 3)
        return np.ascontiguousarray(lfilter([1.0], [1.0, *(-one for one in coefficients)], innovations)[500:])

    return draw


def skewed(random: np.random.Generator, length: int) -> Array:
    """Log-normal values."""
    return np.exp(0.5 * random.normal(size=length))


def moving_average(random: np.random.Generator, length: int) -> Array:
    """A moving average of .8."""
    noise = random.normal(size=length + 1)
    return noise[1:] + 0.8 * noise[:-1]


def hidden_wave(random: np.random.Generator, length: int) -> Array:
    """Independent noise, and a slow wave of a third of its size that no short autoregression shows."""
    return random.normal(size=length) + 0.3 * autoregression(0.98)(random, length) * math.sqrt(1 - 0.98**2)


def falling(law: Callable[[Array], Array], noise: float, draw: Draw) -> Draw:
    """A loss that falls."""
    return lambda random, length: law(np.arange(length) + 20.0) + noise * draw(random, length)


WHITE = autoregression()
NULLS: dict[str, Draw] = {
    "flat, independent": WHITE,
    "flat, AR(.5)": autoregression(0.5),
    "flat, AR(.9)": autoregression(0.9),
    "flat, AR(-.5)": autoregression(-0.5),
    "flat, AR(.5, .4)": autoregression(0.5, 0.4),
    "flat, moving average of .8": moving_average,
    "flat, Student's t of 5 degrees": autoregression(law="t"),
    "flat, AR(.9) of Student's t": autoregression(0.9, law="t"),
    "flat, log-normal": skewed,
    "flat, independent and a hidden wave": hidden_wave,
    "power law .5, independent": falling(lambda t: 10 * t**-0.5, 0.05, WHITE),
    "power law .1, AR(.9)": falling(lambda t: 10 * t**-0.1, 0.02, autoregression(0.9)),
    "exponential to a floor, independent": falling(lambda t: 3 * np.exp(-t / 20_000), 0.05, WHITE),
}


def alarms(runs: int) -> dict[str, Any]:
    """Events of a loss on which nothing happens, per 100,000 steps."""
    table = {}
    for name, draw in NULLS.items():
        counts: Counter[str] = Counter()
        for seed in range(runs):
            watch = Watch(mean_run_length=RUN_LENGTH)
            for step, value in enumerate(draw(np.random.default_rng(1000 + seed), LENGTH).tolist()):
                counts.update(event.kind for event in watch.observe(step, loss=value))
        table[name] = {kind: counts[kind] / runs for kind in ("spike", "divergence", "plateau")}
        print(f"{name:38} {table[name]}", flush=True)
    return table


def delays(runs: int) -> dict[str, Any]:
    """Steps from a shift up of one standard deviation to the first alarm."""
    table = {}
    cases = {
        "independent": (WHITE, 1.0, 0.0),
        "AR(.5), of the values": (autoregression(0.5), 1 / math.sqrt(0.75), 0.5),
        "AR(.5), of the innovations": (autoregression(0.5), 1.0, 0.5),
        "AR(.9), of the values": (autoregression(0.9), 1 / math.sqrt(0.19), 0.9),
        "AR(.9), of the innovations": (autoregression(0.9), 1.0, 0.9),
    }
    for before in (1000, 10_000):
        for name, (draw, shift, memory) in cases.items():
            found, false = [], 0
            for seed in range(5 * runs):
                values = draw(np.random.default_rng(7000 + seed), before + 6000)
                values[before:] += shift
                seen = [one.time for one in ShiftDetector(RUN_LENGTH, kinds=("jump", "rise")).update_many(values)]
                false += any(time < before for time in seen)
                found.append(next((time - before + 1 for time in seen if time >= before), 6000))
            # The first step shows the whole shift, those behind it what the memory leaves.
            per_step = ((1 - memory) * shift) ** 2 / 2
            bound = max(1.0, (math.log(RUN_LENGTH) - shift**2 / 2) / per_step)
            row = {
                "median": float(np.median(found)),
                "90%": float(np.percentile(found, 90)),
                "bound": bound,
                "false before": false,
                "runs": 5 * runs,
            }
            table[f"{name}, after {before}"] = row
            print(f"{name:28} after {before:6}: {row}", flush=True)
    return table


def plateaus(runs: int) -> dict[str, Any]:
    """Where the end of progress is claimed, in 20,000 steps."""
    table = {}
    streams: dict[str, Draw] = {
        "exponential to a floor in 500 steps": lambda r, n: 1 + 3 * np.exp(-np.arange(n) / 500) + 0.1 * WHITE(r, n),
        "the same, AR(.9)": lambda r, n: 1 + 3 * np.exp(-np.arange(n) / 500) + 0.1 * autoregression(0.9)(r, n),
        "power law .1, AR(.9)": falling(lambda t: 10 * t**-0.1, 0.05, autoregression(0.9)),
        "20% of the fall in each half, AR(.9)": falling(lambda t: -0.5 * t**0.3219, 0.1, autoregression(0.9)),
        "10% of the fall in each half, AR(.9)": falling(lambda t: -1.0 * t**0.152, 0.1, autoregression(0.9)),
    }
    for name, draw in streams.items():
        first, claims = [], 0
        for seed in range(runs):
            detector = ProgressDetector(RUN_LENGTH)
            ends = []
            for value in draw(np.random.default_rng(seed), 20_000).tolist():
                if end := detector.update(value):
                    ends.append(end)
                    detector.restart(keep_fall=False)
            claims += len(ends)
            first += [ends[0].time] if ends else []
        table[name] = {"claims": claims / runs, "first, median": float(np.median(first)) if first else None}
        print(f"{name:45} {table[name]}", flush=True)
    return table


def skills(_: int) -> dict[str, Any]:
    """Planted skills: how many moments are found within 5% of the steps."""
    table = {}
    for share in (0.0, 0.02, 0.05, 0.1):
        for noise in (0.1, 0.3):
            right = extra = 0
            errors = []
            for seed in range(20):
                random = np.random.default_rng(seed)
                moment = int(200 * random.uniform(0.25, 0.75))
                # From a tenth to nine tenths of the rise in this share of the steps.
                width = max(200 * share / 4.394, 1e-3)
                rise = 0.5 * (1 + np.tanh((np.arange(200) - moment) / (2 * width)))
                watch = Watch()
                events = [
                    event
                    for place, value in enumerate(-4 + 3.5 * rise + noise * random.normal(size=200))
                    for event in watch.observe(10 * place, log_probs={"copy": float(value)})
                ]
                near = [abs(event.began - 10 * moment) <= 100 for event in events]
                right += any(near)
                extra += len(near) - any(near)
                errors += [event.began / 10 - moment for event in events[:1]]
            row = {"found": right, "other events": extra, "median error, % of the steps": float(np.median(errors)) / 2}
            table[f"rise in {share:.0%} of the steps, noise {noise}"] = row
            print(f"rise in {share:4.0%} of the steps, noise {noise}: {row}", flush=True)
    return table


def speed(_: int) -> dict[str, Any]:
    """Microseconds of CPU per step, one value at a time."""
    random, table = np.random.default_rng(0), {}
    for name, count in (("loss", 0), ("loss and gradient norm", 0), ("loss, gradient norm and ten classes", 10)):
        watch, steps = Watch(), 20_000
        losses = (3 * (np.arange(steps) + 20.0) ** -0.3 + 0.05 * random.normal(size=steps)).tolist()
        norms = np.exp(0.1 * random.normal(size=steps)).tolist()
        classes = [{f"class {place}": loss + 0.01 * place for place in range(count)} for loss in losses]
        watch.observe(0, loss=losses[0])
        started = time.process_time()
        for step in range(steps):
            watch.observe(
                step,
                loss=losses[step],
                gradient_norm=None if name == "loss" else norms[step],
                class_losses=classes[step] or None,
            )
        table[name] = (time.process_time() - started) / steps * 1e6
        print(f"{name:38} {table[name]:.1f} microseconds per step", flush=True)
    return table


def spike(runs: int) -> dict[str, Any]:
    """A spike that is followed by steady descent, above the best loss for hundreds of steps (PyTorch issue 30873)."""
    import torch

    from shoal.training.watch import ChangesLR

    cuts: Counter[str] = Counter()
    steps = np.arange(1500)
    for seed in range(runs):
        losses = 1 + 2 * np.exp(-steps / 150) + 0.05 * np.random.default_rng(seed).normal(size=len(steps))
        losses[250:] += 2.5 * np.exp(-(steps[250:] - 250) / 600)
        weight = torch.nn.Parameter(torch.zeros(1))
        ours = ChangesLR(torch.optim.SGD([weight], lr=1.0))
        torchs = torch.optim.lr_scheduler.ReduceLROnPlateau(torch.optim.SGD([weight], lr=1.0))
        for loss in losses.tolist():
            ours.optimizer.step()
            ours.step(loss)
            torchs.step(loss)
        cuts["ChangesLR"] += len(ours.decisions)
        cuts["ReduceLROnPlateau"] += round(math.log10(1.0 / torchs.optimizer.param_groups[0]["lr"]))
    table = {name: cuts[name] / runs for name in ("ChangesLR", "ReduceLROnPlateau")}
    print(f"cuts per training: {table}", flush=True)
    return table


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "speed": speed,
    "spike": spike,
    "skills": skills,
    "plateaus": plateaus,
    "delays": delays,
    "alarms": alarms,
}


def main() -> None:
    """Run the parts, writing after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    given = parser.parse_args()
    result = {}
    for part in given.parts:
        print(f"== {part}", flush=True)
        result[part] = PARTS[part](given.runs)
        write_result("watch_alarms", result)


if __name__ == "__main__":
    main()
