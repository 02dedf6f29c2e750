"""`ChangesLR` beside other schedules: small trainings of the same steps, the same peak rate, and no tuning of anybody.

Each task is trained with each schedule from the same seeds. The target of a task and seed is the median, over the five
hand-chosen schedules, of the lowest held-out loss of the last tenth of the training; it was fixed before any of them
ran. What counts is the first evaluation at or below it. The five are constant, cosine, linear, warmup-stable-decay, and
steps (a tenth at 50% and at 75%), all with the same linear warmup. ReduceLROnPlateau and GreedyLR (of transformers)
have their defaults, except that GreedyLR's bounds of the rate, made for SGD, are put at 1/1000 of the peak and ten
times the peak; each is run twice, given the held-out loss of each evaluation as their pages show it, and the training
loss of each step. schedulefree is a peer (``pip install schedulefree``), and left out where it is not there.

    python -m benchmarks.watch_schedules [--seeds 5] [--tasks characters digits teacher] [--only changes]

The tasks ``names`` and ``ridge`` are those that the constants of the schedule were chosen on.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.processes import DATA, write_result
from shoal.training.watch import ChangesLR

HAND_CHOSEN = ("constant", "cosine", "linear", "wsd", "steps")
OTHERS = ("changes", "plateau, evaluations", "plateau, steps", "greedy, evaluations", "greedy, steps", "schedule-free")
WARMUP = 0.05
EVALUATIONS = 100
Tensor = torch.Tensor


@dataclass(frozen=True)
class Task:
    """A training."""

    model: nn.Module
    batches: Iterator[tuple[Tensor, Tensor]]
    loss: Callable[[Tensor, Tensor], Tensor]
    held_out: tuple[Tensor, Tensor]
    peak: float
    optimizer: str
    steps: int


class Characters(nn.Module):
    """A transformer of one block over characters."""

    def __init__(self, vocabulary: int, context: int, width: int) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.block = nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, batch_first=True, norm_first=True)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(context))

    def forward(self, ids: Tensor) -> Tensor:
        """Logits of the next characters, (batch, vocabulary, places)."""
        x = self.tokens(ids) + self.places.weight[: ids.shape[1]]
        x = self.block(x, src_mask=self.mask, is_causal=True)
        return self.head(self.norm(x)).transpose(1, 2)


def windows(text: str, context: int, width: int, *, steps: int, batch: int, seed: int) -> Task:
    """Next characters of a text; the last tenth is held out."""
    letters = sorted(set(text))
    ids = torch.tensor([letters.index(one) for one in text])
    cut = len(ids) * 9 // 10

    def draw(generator: torch.Generator, low: int, high: int, count: int) -> tuple[Tensor, Tensor]:
        starts = torch.randint(low, high - context - 1, (count,), generator=generator)
        rows = torch.stack([ids[start : start + context + 1] for start in starts])
        return rows[:, :-1], rows[:, 1:]

    generator = torch.Generator().manual_seed(seed)
    return Task(
        model=Characters(len(letters), context, width),
        batches=iter(lambda: draw(generator, 0, cut, batch), None),
        loss=functional.cross_entropy,
        held_out=draw(torch.Generator().manual_seed(99), cut, len(ids), 128),
        peak=3e-3,
        optimizer="adamw",
        steps=steps,
    )


def characters(seed: int) -> Task:
    """Shakespeare, by a transformer and AdamW."""
    text = (DATA / "shakespeare-char" / "input.txt").read_text(encoding="utf-8")[:300_000]
    return windows(text, 32, 32, steps=600, batch=16, seed=seed)


def names(seed: int) -> Task:
    """Names, by a smaller transformer: for development."""
    text = (DATA / "shakespeare-char" / "names.txt").read_text(encoding="utf-8")
    return windows(text, 16, 24, steps=1000, batch=16, seed=seed)


def digits(seed: int) -> Task:
    """Handwritten digits, by a network of one hidden layer and SGD with momentum."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    inputs = torch.tensor(x[order] / 16.0, dtype=torch.float32)
    classes = torch.tensor(y[order])
    generator = torch.Generator().manual_seed(seed)

    def draw() -> tuple[Tensor, Tensor]:
        rows = torch.randint(0, 1300, (32,), generator=generator)
        return inputs[rows], classes[rows]

    return Task(
        model=nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)),
        batches=iter(draw, None),
        loss=lambda a, b: functional.cross_entropy(a, b, label_smoothing=0.1),
        held_out=(inputs[1300:], classes[1300:]),
        peak=0.1,
        optimizer="sgd",
        steps=2000,
    )


def regression(seed: int, *, width: int, hidden: int, noise: float, peak: float, optimizer: str) -> Task:
    """A fixed random network with noise, learned from fresh data by one of the same shape or a line."""
    maker = torch.Generator().manual_seed(7)
    first, second = torch.randn(width, 32, generator=maker) / width**0.5, torch.randn(32, generator=maker) / 4
    generator = torch.Generator().manual_seed(seed)

    def draw(source: torch.Generator, count: int, spread: float) -> tuple[Tensor, Tensor]:
        x = torch.randn(count, width, generator=source)
        clean = torch.tanh(x @ first) @ second
        return x, (clean + spread * torch.randn(count, generator=source))[:, None]

    model = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, 1)) if hidden else nn.Linear(width, 1)
    return Task(
        model=model,
        batches=iter(lambda: draw(generator, 32, noise), None),
        loss=functional.mse_loss,
        held_out=draw(torch.Generator().manual_seed(99), 2000, 0.0),
        peak=peak,
        optimizer=optimizer,
        steps=2000,
    )


def teacher(seed: int) -> Task:
    """A network learned by a network, with Adam."""
    return regression(seed, width=16, hidden=64, noise=0.5, peak=1e-2, optimizer="adamw")


def ridge(seed: int) -> Task:
    """A network learned by a line, with SGD: for development."""
    return regression(seed, width=24, hidden=0, noise=1.0, peak=0.05, optimizer="sgd")


TASKS: dict[str, Callable[[int], Task]] = {
    "characters": characters,
    "digits": digits,
    "teacher": teacher,
    "names": names,
    "ridge": ridge,
}


def fixed_share(name: str, step: int, steps: int) -> float:
    """The share of the peak of a schedule that is known beforehand."""
    rise = round(WARMUP * steps)
    if step < rise:
        return (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    return {
        "constant": 1.0,
        "linear": 1.0 - done,
        "cosine": 0.5 * (1.0 + math.cos(math.pi * done)),
        "wsd": min(1.0, (steps - step) / (0.2 * steps)),
        "steps": 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01,
    }[name]


def make_optimizer(task: Task, name: str) -> torch.optim.Optimizer:
    """The task's own, or its free form."""
    if name == "schedule-free":
        import schedulefree

        if task.optimizer == "sgd":
            return schedulefree.SGDScheduleFree(
                task.model.parameters(), lr=task.peak * 10, momentum=0.9, warmup_steps=round(WARMUP * task.steps)
            )
        return schedulefree.AdamWScheduleFree(
            task.model.parameters(), lr=task.peak, warmup_steps=round(WARMUP * task.steps)
        )
    if task.optimizer == "sgd":
        return torch.optim.SGD(task.model.parameters(), lr=task.peak, momentum=0.9)
    return torch.optim.AdamW(task.model.parameters(), lr=task.peak, weight_decay=0.01)


def train(make: Callable[[int], Task], name: str, seed: int, **options: Any) -> dict[str, Any]:
    """The held-out losses of one training, at equal distances."""
    torch.manual_seed(seed)
    task = make(seed)
    optimizer, model = make_optimizer(task, name), task.model
    scheduler = make_scheduler(optimizer, task, name, options)
    every = task.steps // EVALUATIONS
    losses: list[float] = []
    for step in range(task.steps):
        if name in HAND_CHOSEN or (name.split(",")[0] in ("plateau", "greedy") and step < WARMUP * task.steps):
            share = fixed_share(name if name in HAND_CHOSEN else "constant", step, task.steps)
            for group in optimizer.param_groups:
                group["lr"] = task.peak * share
        if name == "schedule-free":
            optimizer.train()
        x, y = next(task.batches)
        loss = task.loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if name == "changes" or (name.endswith("steps") and "," in name and step >= WARMUP * task.steps):
            scheduler.step(loss.item())
        if (step + 1) % every == 0:
            if name == "schedule-free":
                optimizer.eval()
            with torch.no_grad():
                losses.append(
                    float(functional.mse_loss(model(task.held_out[0]), task.held_out[1]))
                    if task.loss is functional.mse_loss
                    else float(functional.cross_entropy(model(task.held_out[0]), task.held_out[1]))
                )
            if name.endswith("evaluations") and step >= WARMUP * task.steps:
                scheduler.step(losses[-1])
    decisions = [str(one) for one in scheduler.decisions] if name == "changes" else []
    return {"losses": losses, "every": every, "decisions": decisions}


def make_scheduler(optimizer: torch.optim.Optimizer, task: Task, name: str, options: dict[str, Any]) -> Any:
    """What is stepped with losses, where anything is."""
    if name == "changes":
        return ChangesLR(optimizer, task.steps, warmup_steps=round(WARMUP * task.steps), **options)
    if name.startswith("plateau"):
        return torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    if name.startswith("greedy"):
        from transformers import GreedyLR

        return GreedyLR(optimizer, min_lr=task.peak / 1000, max_lr=task.peak * 10)
    return None


def steps_to(result: dict[str, Any], target: float) -> float:
    """The step of the first evaluation at or below the target; infinity where there is none."""
    for place, loss in enumerate(result["losses"], start=1):
        if loss <= target:
            return float(place * result["every"])
    return math.inf


def target_of(runs: dict[str, dict[str, Any]]) -> float:
    """The median over the hand-chosen schedules of the lowest loss of the last tenth."""
    return statistics.median(min(runs[name]["losses"][-EVALUATIONS // 10 :]) for name in HAND_CHOSEN)


def main() -> None:
    """All tasks, schedules and seeds; a row a task and schedule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--tasks", nargs="+", default=["characters", "digits", "teacher"], choices=list(TASKS))
    parser.add_argument("--only", nargs="+", default=[*HAND_CHOSEN, *OTHERS])
    parser.add_argument("--options", type=json.loads, default={}, help="of ChangesLR, as JSON")
    given = parser.parse_args()
    torch.set_num_threads(1)
    result: dict[str, Any] = {}
    for task in given.tasks:
        started = time.process_time()
        runs: dict[int, dict[str, dict[str, Any]]] = {}
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            runs[seed] = {}
            for name in given.only:
                try:
                    options = given.options if name == "changes" else {}
                    runs[seed][name] = train(TASKS[task], name, seed, **options)
                except ImportError as fault:
                    print(f"{name} is left out: {fault}")
        result[task] = summary(task, runs) | {"curves": runs}
        print(f"{task}: {time.process_time() - started:.0f} CPU-seconds", flush=True)
        write_result("watch_schedules", result)


def summary(task: str, runs: dict[int, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """What the table shows of a task."""
    table: dict[str, Any] = {}
    needed = {seed: {name: steps_to(run, target_of(each)) for name, run in each.items()} for seed, each in runs.items()}
    for name in next(iter(runs.values())):
        ratios = [each[name] / min(each[one] for one in HAND_CHOSEN) for each in needed.values()]
        table[name] = {
            "steps": [each[name] for each in needed.values()],
            "ratio": statistics.median(ratios),
            "reached": sum(math.isfinite(each[name]) for each in needed.values()),
            "final": statistics.mean(run[name]["losses"][-1] for run in runs.values()),
            "lowest": statistics.mean(min(run[name]["losses"]) for run in runs.values()),
        }
        row = table[name]
        print(
            f"{task:11} {name:21} reached {row['reached']}/{len(runs)}, steps {row['steps']}, "
            f"ratio {row['ratio']:.3f}, final {row['final']:.4f}, lowest {row['lowest']:.4f}",
            flush=True,
        )
    for seed, each in runs.items():
        for line in each.get("changes", {}).get("decisions", []):
            print(f"  seed {seed}: {line}", flush=True)
    return table


if __name__ == "__main__":
    main()
