"""Verdicts on simulated experiments whose truth is known: how often they are right, and what their intervals cover.

Each experiment is judged by the code that judges real ones, from records of single items. An item is answered with a
probability that hangs on the arm, the seed and the item; the truth is the difference of the arms over all seeds that
there could be, for the items that were drawn. A cell is a kind of experiment: clear and absent effects, heavy-tailed
seeds, ceilings, items in clusters, few or noisy seeds, and the four ways to be confounded.

A verdict is right where its claim is true: ``supported`` of an effect that matters, ``refuted`` of a smaller one,
``confounded`` where a control was broken on purpose, and ``underpowered`` where the seeds have less than 80% power to
settle it. Coverage is that of the intervals of experiments whose seeds can exclude anything at all.

    python -m benchmarks.verdicts [--runs 110] [--crossed 60] [--seed 0]
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.processes import write_result
from shoal.experiments import ItemRecord, experiment_from, judge
from shoal.experiments.crossed import CellRecords, CrossedExperiment, CrossedRun, crossed_from
from shoal.experiments.crossed.cell_tasks import narrowness_place, one_per_task
from shoal.experiments.crossed.judging import judge_crossed
from shoal.experiments.records import ArmItems, ArmRecord
from shoal.experiments.storage import write_json
from shoal.statistics import smallest_detectable_effect, wilson_interval
from shoal.tasks import Example, Task, task_from_rows

HELD_OUT, SEEN = 100, 20
SMALLEST = 0.2
TRUTH_SEEDS = 1000
"""Seeds over which the truth is averaged; its error is far below an interval's width."""

if TYPE_CHECKING:
    from shoal.experiments.experiment import Experiment

Draw = Callable[[np.random.Generator, int], np.ndarray]


def normal(random: np.random.Generator, count: int) -> np.ndarray:
    return random.standard_normal(count)


def heavy(random: np.random.Generator, count: int) -> np.ndarray:
    """Student's t with three degrees of freedom, of variance 1: a seed in fifty lies beyond three deviations."""
    return random.standard_t(3, count) / math.sqrt(3)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of experiment; logits of an arm's share of right items, and how seeds and items spread them."""

    name: str
    treatment: float
    baseline: float
    seeds: int = 8
    seed_sd: float = 0.25
    item_sd: float = 1.0
    clusters: int = HELD_OUT
    draw: Draw = normal
    broken: str = ""
    """The control that is broken on purpose."""


KINDS = (
    Kind(name="clear effect", treatment=1.2, baseline=-0.6),
    Kind(name="no effect", treatment=0.3, baseline=0.3),
    Kind(name="worse", treatment=-0.5, baseline=0.5),
    Kind(name="clear effect, 6 seeds", treatment=1.4, baseline=-0.8, seeds=6),
    Kind(name="no effect, 6 seeds", treatment=0.3, baseline=0.3, seeds=6, seed_sd=0.15),
    Kind(name="heavy-tailed seeds, effect", treatment=1.4, baseline=-0.6, seeds=10, draw=heavy),
    Kind(name="heavy-tailed seeds, none", treatment=0.3, baseline=0.3, seeds=10, draw=heavy),
    Kind(name="both near the ceiling", treatment=4.5, baseline=4.2),
    Kind(name="one at the ceiling", treatment=5.0, baseline=0.5),
    Kind(name="clustered items, effect", treatment=1.4, baseline=-0.6, clusters=8),
    Kind(name="clustered items, none", treatment=0.3, baseline=0.3, clusters=8),
    Kind(name="3 seeds, effect", treatment=1.2, baseline=-0.6, seeds=3),
    Kind(name="5 seeds, none", treatment=0.3, baseline=0.3, seeds=5),
    Kind(name="noisy seeds, effect", treatment=1.4, baseline=-0.4, seeds=6, seed_sd=1.5),
    Kind(name="noisy heavy-tailed seeds, effect", treatment=1.6, baseline=-0.6, seeds=7, seed_sd=2.0, draw=heavy),
    Kind(name="noisy seeds, none", treatment=0.3, baseline=0.3, seeds=6, seed_sd=1.5),
    Kind(name="leakage", treatment=1.2, baseline=-0.6, broken="leakage"),
    Kind(name="seen examples not fitted", treatment=1.2, baseline=-0.6, broken="training ceiling"),
    Kind(name="both at the floor", treatment=-40.0, baseline=-40.0, broken="floor and ceiling"),
    Kind(name="shuffled weights do as well", treatment=1.2, baseline=-0.6, broken="shuffled weights"),
)


@dataclass
class Tally:
    """What the experiments of one kind gave."""

    runs: int = 0
    right: int = 0
    words: Counter[str] = field(default_factory=Counter)
    bounded: int = 0
    covered: int = 0
    refuted_wrongly: int = 0
    """Refuted, though an effect that matters is there."""

    underpowered_by_design: int = 0
    refuted_underpowered: int = 0
    """Refuted, whatever the truth, the seeds having less than 80% power to find the smallest effect that matters."""

    def add(self, word: str, *, right: bool, low: float, high: float, truth: float, underpowered: bool) -> None:
        """Count one experiment."""
        self.runs += 1
        self.right += bool(right)
        self.words[word] += 1
        if math.isfinite(low):
            self.bounded += 1
            self.covered += bool(low - 1e-9 <= truth <= high + 1e-9)
        wrongly = bool(word == "refuted" and truth >= SMALLEST)
        self.refuted_wrongly += wrongly
        self.underpowered_by_design += bool(underpowered)
        self.refuted_underpowered += bool(word == "refuted" and underpowered)

    def row(self, name: str) -> dict[str, Any]:
        """Shares and counts, ready for JSON."""
        coverage = wilson_interval(self.covered, self.bounded) if self.bounded else None
        return {
            "kind": name,
            "runs": self.runs,
            "right": self.right / self.runs,
            "words": dict(self.words.most_common()),
            "coverage": self.covered / self.bounded if self.bounded else None,
            "coverage_low": coverage.low if coverage else None,
            "coverage_high": coverage.high if coverage else None,
            "refuted_wrongly": self.refuted_wrongly,
            "underpowered_by_design": self.underpowered_by_design,
            "refuted_underpowered": self.refuted_underpowered,
        }


def record(split: str, number: int, *, right: bool) -> ItemRecord:
    """An item that went right or wrong."""
    return ItemRecord(
        split=split, prompt=f"{split} {number}", completion=" 1", ends=True, tags={}, index=number, exact_match=right,
        string_match=right, first_divergence=None if right else 0, divergence=None if right else "other", margin=1.0,
        token_margins=(1.0,), tokens=2, token_accuracy=1.0 if right else 0.5, log_likelihood=-1.0, bits_per_byte=1.0,
        greedy_text=" 1", greedy_ends=True, status="clear", tokens_text=(" 1",),
    )  # fmt: skip


RECORDS = {(split, right): [record(split, n, right=right) for n in range(HELD_OUT)]
           for split in ("seen", "held_out") for right in (True, False)}  # fmt: skip


def items_of(right: np.ndarray, split: str) -> list[ItemRecord]:
    return [RECORDS[split, bool(each)][number] for number, each in enumerate(right)]


def experiment_of(kind: Kind) -> Experiment:
    return experiment_from(
        {
            "name": "simulated", "hypothesis": "One beats two.", "treatment": "one", "baseline": "two",
            "seeds": kind.seeds, "task": {"name": "rows", "rows": "rows.jsonl"}, "split": {"name": "by-tag"},
            "arms": {"one": "a/b", "two": "random:a/b"},
            "measure": {"primary": "exact_match", "smallest_effect": SMALLEST},
            "controls": {"shuffled_weights": kind.broken == "shuffled weights"},
        },
        "the simulation",
    )  # fmt: skip


def task_of(kind: Kind) -> Task:
    """Rows whose held-out prompts are new, or were all seen."""
    leaked = kind.broken == "leakage"
    seen = [
        Example(prompt=f"{'held_out' if leaked else 'seen'} {n}", completion=" 1", tags={"held": 0})
        for n in range(SEEN)
    ]
    held = [Example(prompt=f"held_out {n}", completion=" 1", tags={"held": 1}) for n in range(HELD_OUT)]
    rows = task_from_rows([*seen, *held], split="random(share=0.3)", name="rows")
    return replace(rows, split=replace(rows.split, holds_out=lambda example: example.tags["held"] == 1))


def shares(kind: Kind, logit: float, items: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The probability of each item to be right, by seed."""
    return 1 / (1 + np.exp(-(logit + kind.seed_sd * seeds[:, None] + kind.item_sd * items)))


def simulate(kind: Kind, random: np.random.Generator) -> tuple[dict[str, ArmItems], float, float]:
    """The arms of an experiment, the true effect, and the true spread of a seed's difference."""
    items = np.repeat(random.standard_normal(kind.clusters), math.ceil(HELD_OUT / kind.clusters))[:HELD_OUT]
    arms, truths, spread = {}, [], 0.0
    for name, logit in (("one", kind.treatment), ("two", kind.baseline), ("one-shuffled", kind.treatment)):
        many = shares(kind, logit, items, kind.draw(random, TRUTH_SEEDS))
        if name != "one-shuffled":
            truths.append(many.mean())
            spread += many.mean(axis=1).var() + (many * (1 - many)).mean() / HELD_OUT
        right = random.random((kind.seeds, HELD_OUT)) < shares(kind, logit, items, kind.draw(random, kind.seeds))
        fitted = 0.5 if kind.broken == "training ceiling" else 1.0
        arms[name] = {
            seed: {
                ("before", "seen"): items_of(np.zeros(SEEN), "seen"),
                ("before", "held_out"): items_of(np.zeros(HELD_OUT), "held_out"),
                ("after", "seen"): items_of(np.arange(SEEN) < fitted * SEEN, "seen"),
                ("after", "held_out"): items_of(right[seed], "held_out"),
            }
            for seed in range(kind.seeds)
        }
    if kind.broken != "shuffled weights":
        del arms["one-shuffled"]
    return arms, truths[0] - truths[1], math.sqrt(spread)


def is_right(word: str, *, truth: float, spread: float, seeds: int, broken: bool) -> bool:
    """Whether a verdict is right, by the truth alone."""
    if broken or word == "confounded":
        return broken and word == "confounded"
    if word == "supported":
        return truth >= SMALLEST
    if word == "refuted":
        return truth < SMALLEST
    return lacks_power(truth, spread, seeds)


def lacks_power(truth: float, spread: float, seeds: int) -> bool:
    """Whether the seeds have less than 80% power to settle an experiment of this truth."""
    # To be told from 0 where it matters, else to be told from the smallest effect that does.
    distance = truth if truth >= SMALLEST else SMALLEST - truth
    return smallest_detectable_effect(spread, seeds) > distance


def plain(runs: int, seed: int) -> list[dict[str, Any]]:
    """Experiments with two arms."""
    found = []
    for place, kind in enumerate(KINDS):
        random, tally = np.random.default_rng([seed, place]), Tally()
        experiment, task = experiment_of(kind), task_of(kind)
        for _ in range(runs):
            arms, truth, spread = simulate(kind, random)
            verdict = judge(experiment, task, arms)
            right = is_right(verdict.verdict, truth=truth, spread=spread, seeds=kind.seeds, broken=bool(kind.broken))
            lacking = not kind.broken and smallest_detectable_effect(spread, kind.seeds) > SMALLEST
            effect = verdict.effect
            # Where both arms are at the floor there is nothing that an interval could miss.
            low = -math.inf if kind.broken == "floor and ceiling" else effect.low
            tally.add(verdict.verdict, right=right, low=low, high=effect.high, truth=truth, underpowered=lacking)
        found.append(show(tally.row(kind.name)))
    return found


CROSSED = (("clear effect", 0.9, 0.0), ("no effect", 0.0, 0.0), ("effects that differ by block", 0.9, 0.8))
"""Kinds of crossed experiments: the main effect in logits, and how it differs between the blocks."""


NEW_TEXT = {"kind": "new text", "conclusion": ["these items are new"], "cycles": {"token_period": None}}
"""The narrowness report of items that the training examples do not answer."""


def crossed_plan() -> CrossedExperiment:
    claims = {"claim": "It helps.", "smallest_effect": SMALLEST / 2}
    return crossed_from(
        {
            "name": "simulated", "seeds": 4, "model": "a/b", "task": {"name": "copy"}, "split": {"name": "random"},
            "factors": {"pretraining": ["pretrained", "random"], "examples": [10, 20, 40], "label_noise": [0.0, 0.2]},
            "hypotheses": [
                {"name": "main", "factor": "pretraining", "treatment": "pretrained", "baseline": "random"} | claims,
                {"name": "none", "factor": "label_noise", "treatment": 0.0, "baseline": 0.2} | claims,
            ],
            "measure": {"primary": "exact_match"},
        },
        "the simulation",
    )  # fmt: skip


def crossed(runs: int, seed: int) -> list[dict[str, Any]]:
    """Experiments of two by three by two cells with four seeds each: is the interval right where blocks differ?"""
    plan = crossed_plan()
    with TemporaryDirectory() as folder:
        for cell in one_per_task(plan.cells):
            write_json(Path(folder) / narrowness_place(cell), NEW_TEXT)
        return crossed_in(Path(folder), runs, seed)


def crossed_in(folder: Path, runs: int, seed: int) -> list[dict[str, Any]]:
    """The same, with a folder that holds what a run says of its items beforehand."""
    found, plan = [], crossed_plan()
    done = ArmRecord(
        arm="", spec="", seed=0, origin="", parameters=1, learning_rate=1.0, precision="float32", steps=1,
        final_loss=0.0, digest_before="", digest_after="",
    )  # fmt: skip
    for place, (name, main_effect, differs) in enumerate(CROSSED):
        random, tally = np.random.default_rng([seed, 100 + place]), Tally()
        for _ in range(runs):
            items = random.standard_normal(HELD_OUT)
            trainings, truths = {}, {}
            for number, cell in enumerate(plan.cells):
                size = {"10": -1.0, "20": 0.0, "40": 1.0}[cell.levels["examples"]]
                arm = 0.5 if cell.levels["pretraining"] == "pretrained" else -0.5
                logit = 0.5 * size + arm * (main_effect + differs * size)
                # Cells differ in spread, too: fresh weights spread twice as far.
                kind = Kind(name=name, treatment=0, baseline=0, seed_sd=0.2 if arm > 0 else 0.4)
                truths[cell.name] = shares(kind, logit, items, normal(random, TRUTH_SEEDS)).mean()
                right = random.random((plan.seeds, HELD_OUT)) < shares(kind, logit, items, normal(random, plan.seeds))
                trainings[cell.name] = tuple(
                    CellRecords(
                        cell=cell.name,
                        seed=training,
                        items=(*items_of(np.ones(SEEN), "seen"), *items_of(right[training], "held_out")),
                        done=replace(done, arm=cell.name, seed=number * 100 + training),
                    )
                    for training in range(plan.seeds)
                )
            run = CrossedRun(folder, plan, "")
            # In the place of the files that the property would read.
            run.__dict__["trainings"] = trainings
            for result in judge_crossed(run).hypotheses:
                factor, level = ("pretraining", "pretrained") if result.name == "main" else ("label_noise", "0")
                signs = [1 if cell.levels[factor] == level else -1 for cell in plan.cells]
                truth = float(
                    np.mean([sign * truths[cell.name] * 2 for sign, cell in zip(signs, plan.cells, strict=True)])
                )
                needed = result.smallest_effect
                claims = {"supported": truth >= needed, "refuted": truth < needed}
                tally.add(
                    result.verdict,
                    right=claims.get(result.verdict, False),
                    low=result.low,
                    high=result.high,
                    # Shifted, so that what matters here is what matters in the tally.
                    truth=truth,
                    underpowered=False,
                )
        found.append(show(tally.row(f"crossed, {name}")))
    return found


def show(row: dict[str, Any]) -> dict[str, Any]:
    coverage = (
        ""
        if row["coverage"] is None
        else f"{row['coverage']:.3f} [{row['coverage_low']:.3f}, {row['coverage_high']:.3f}]"
    )
    words = ", ".join(f"{word} {count}" for word, count in row["words"].items())
    print(f"{row['kind']:34} {row['runs']:5}  right {row['right']:.3f}  coverage {coverage:22}  {words}", flush=True)
    return row


def main() -> None:
    """Simulate, judge, and print a row per kind and the whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=110, help="experiments of each kind")
    parser.add_argument("--crossed", type=int, default=60, help="crossed experiments of each kind")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rows = plain(given.runs, given.seed)
    rows += crossed(given.crossed, given.seed)
    runs = sum(row["runs"] for row in rows)
    right = sum(row["right"] * row["runs"] for row in rows) / runs
    bounded = [row for row in rows if row["coverage"] is not None]
    weights = [row["runs"] for row in bounded]
    coverage = float(np.average([row["coverage"] for row in bounded], weights=weights))
    lacking = sum(row["underpowered_by_design"] for row in rows)
    wrong = sum(row["refuted_underpowered"] for row in rows)
    print(f"\n{runs} verdicts: {right:.1%} right; intervals cover {coverage:.1%}; "
          f"{wrong} of {lacking} underpowered ones refuted anything")  # fmt: skip
    path = write_result("verdicts", {"rows": rows, "right": right, "coverage": coverage, "refuted_underpowered": wrong})
    print(path)


if __name__ == "__main__":
    main()
