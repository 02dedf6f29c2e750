"""A run folder as `shoal run` writes it, made in a moment: a counting model and one that has a table of stops."""

from __future__ import annotations

import json
import math
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<script>alert('x')</script>\u2028 Größe \u9b5a \U0001f41f & \"quotes\""
"""Text that tries to break out of a page."""

EXPERIMENT = """\
name = "counting"
preset = "quick"
hypothesis = "Pretrained beats random weights on held-out numbers."
treatment = "pretrained"
baseline = "random"
seeds = [{seeds}]

[task]
name = "counting"

[task.options]
largest = {largest}

[split]
name = "last-digit"

[arms]
pretrained = "bundled:searches"
random = "random:bundled:searches"

[measure]
primary = "exact_match"
smallest_effect = 0.1
"""


def write_run(folder: Path, *, seeds: int = 6, largest: int = 30, verdict: str | None = "supported") -> Path:
    """Write a run folder; without a verdict it is one that was interrupted."""
    folder.mkdir(parents=True)
    named = ", ".join(str(seed) for seed in range(seeds))
    (folder / "experiment.toml").write_text(EXPERIMENT.format(seeds=named, largest=largest))
    for place, arm in enumerate(("pretrained", "random")):
        for seed in range(seeds):
            chance = random.Random(1000 * place + seed)
            write_seed(folder / "arms" / arm / f"seed-{seed}", largest, chance, knows_rule=arm == "pretrained")
    for name, value in records().items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    if verdict is not None:
        (folder / "verdict.json").write_text(json.dumps(verdict_record(folder, verdict)))
    return folder


def write_seed(folder: Path, largest: int, chance: random.Random, *, knows_rule: bool) -> None:
    """One seed of one arm."""
    folder.mkdir(parents=True)
    floor = 0.02 if knows_rule else 0.08
    curve = [
        {
            "step": step,
            "loss": 5 * math.exp(-step / 60) + floor * (1 + chance.random()),
            "learning_rate": 1e-3,
            "gradient_norm": 1.0,
            "tokens": 300 * step,
        }
        for step in range(1, 301)
    ]
    write_lines(folder / "curve.jsonl", curve)
    for stage in ("before", "after"):
        skill = 0.0 if stage == "before" else 0.8 if knows_rule else 0.1
        write_lines(
            folder / f"{stage}.jsonl",
            [
                counting_item(
                    i,
                    chance,
                    right=chance.random() < (skill if is_held_out(i) else 1.15 * skill + 0.8 * (stage == "after")),
                )
                for i in range(1, largest + 1)
            ],
        )
    done = {
        "arm": folder.parent.name,
        "spec": "bundled:searches",
        "seed": int(folder.name[5:]),
        "origin": "shipped with the package",
        "parameters": 1_900_000,
        "learning_rate": 2e-3,
        "precision": "float32",
        "steps": 300,
        "final_loss": 0.021,
        "digest_before": "0" * 64,
        "digest_after": "a1b2" * 16,
    }
    (folder / "done.json").write_text(json.dumps(done))


def is_held_out(i: int) -> bool:
    return i % 10 in (1, 3, 7)


def counting_item(i: int, chance: random.Random, *, right: bool) -> dict[str, Any]:
    """The record of one item: with a wrong answer that ends early, goes on, or errs in between."""
    tokens = [" " + "1" * n for n in range(1, i + 1)]
    prompt = "Please count up in unary, starting at 1 and stopping at " + "1" * i + ":"
    kind = None if right else chance.choice(["ended-early", "went-on", "other"])
    at = {None: None, "ended-early": max(0, i - 2), "went-on": i, "other": i // 2}[kind]
    said = {None: i, "ended-early": at, "went-on": i + 3, "other": at}[kind] or 0
    text = "".join(" " + "1" * n for n in range(1, said + 1)) + (" 1 once upon a time" if kind == "other" else "")
    margins = [round(chance.choice([0.3, 1.4, 6.0, 9.0]) + chance.random() / 10, 4) for _ in range(i + 1)]
    if at is not None:
        margins[at] = -1.25
    return item(prompt, "".join(tokens), [*tokens, "<|endoftext|>"], i - 1, {"index": i}) | {
        "split": "held_out" if is_held_out(i) else "seen",
        "exact_match": right,
        "string_match": right,
        "first_divergence": at,
        "divergence": kind,
        "margin": min(margins),
        "token_margins": margins,
        "log_likelihood": -0.1 * i,
        "bits_per_byte": round((0.1 if right else 0.9) + chance.random() / 10, 4),
        "greedy_text": text,
    }


def item(prompt: str, completion: str, tokens_text: list[str], index: int, tags: dict[str, Any]) -> dict[str, Any]:
    """The record of an item that is right."""
    return {
        "split": "seen",
        "prompt": prompt,
        "completion": completion,
        "ends": True,
        "tags": tags,
        "tokens_text": tokens_text,
        "index": index,
        "exact_match": True,
        "string_match": True,
        "first_divergence": None,
        "divergence": None,
        "margin": 2.5,
        "token_margins": [2.5] * len(tokens_text),
        "tokens": len(tokens_text),
        "token_accuracy": 1.0,
        "log_likelihood": -1.0,
        "bits_per_byte": 0.25,
        "greedy_text": completion,
        "greedy_ends": True,
        "status": "clear",
    }


def verdict_record(folder: Path, word: str) -> dict[str, Any]:
    """What the experiments room would record of these items."""
    from shoal.experiments import open_run, summarize

    run = open_run(folder)
    arms = {arm: run.items_of(arm) for arm in run.arms}
    measures = summarize(open_run(folder).experiment.task.measures, arms, confidence=0.95)
    after = {arm: measures["exact_match"]["arms"][arm]["after"]["held_out"] for arm in arms}
    differences = [
        a - b for a, b in zip(*(after[arm]["by_seed"].values() for arm in ("pretrained", "random")), strict=True)
    ]
    bounded = len(differences) > 5
    first = next(iter(arms["pretrained"].values()))
    return {
        "verdict": word,
        "sentence": f"Pretrained beats random by {sum(differences) / len(differences):.3f} in exact match.",
        "hypothesis": "Pretrained beats random weights on held-out numbers.",
        "experiment": "counting",
        "preset": "quick",
        "task": "counting",
        "split": "last-digit(1,3,7)",
        "treatment": "pretrained",
        "baseline": "random",
        "seeds": len(differences),
        "items": len(first["after", "held_out"]),
        "seen_items": len(first["after", "seen"]),
        "effect": {
            "measure": "exact match",
            "estimate": sum(differences) / len(differences),
            "low": min(differences) if bounded else None,
            "high": max(differences) if bounded else None,
            "confidence": 0.95,
            "smallest": 0.1,
            "p_value": 0.03125,
            "smallest_p_value": 0.03125,
            "method": "exact",
            "differences": differences,
            "seeds": list(range(len(differences))),
            "difference_sd": 0.1,
        },
        "controls": [
            {
                "name": "training ceiling",
                "passed": word != "confounded",
                "says": "both arms fit the seen examples",
                "numbers": {"threshold": 0.9, "pretrained": 0.97, "random": 0.93},
            },
            {
                "name": "leakage",
                "passed": True,
                "says": "none of the 9 held-out prompts stands among the seen ones",
                "numbers": {"leaked": 0, "held_out": 9},
            },
        ],
        "smallest_detectable_effect": 0.14,
        "seeds_needed": 12 if word == "underpowered" else None,
        "needed": "12 seeds per arm" if word == "underpowered" else None,
        "items_view": {
            "measure": "exact match",
            "mcnemar": {
                str(seed): {"only_treatment": 5, "only_baseline": 0, "p_value": 0.0625}
                for seed in range(len(differences))
            },
            "bootstrap": {"low": 0.4, "high": 0.8, "confidence": 0.95, "groups": 9},
        },
        "measures": measures,
    }


def records() -> dict[str, dict[str, Any]]:
    """The files beside the verdict, as short as they may be."""
    check = {
        "name": "oracle",
        "proves": "right answers count",
        "expected": {"exact_matches": 9, "items": 9},
        "got": {"exact_matches": 9, "items": 9},
        "passed": True,
        "seconds": 0.1,
    }
    trial = {
        "arm": "random",
        "learning_rate": 0.002,
        "run_seed": 0,
        "seed": 10000,
        "measure": "bits_per_byte",
        "score": 0.21,
        "validation_examples": 4,
        "steps": 240,
        "final_loss": 0.05,
    }
    worse = trial | {"learning_rate": 0.01, "score": None, "diverged": "the loss is not a number"}
    return {
        "environment": {
            "shoal": "0.1.0",
            "commit": None,
            "python": "3.11.2",
            "packages": {"torch": "2.13.0", "numpy": "2.4.0"},
            "processor": "a processor",
            "cores": 2,
            "command": ["shoal", "run", "counting"],
        },
        "certificate": {
            "evaluator": "shoal.evaluation.evaluate",
            "passed": True,
            "checks": [check, check | {"name": "pads"}],
            "fast": True,
            "seed": 0,
        },
        "narrowness": {
            "seen": 21,
            "held_out": 9,
            "tokens": "bundled",
            "repeated_prompts": 0,
            "prefixes": {"items": 9, "known": 0, "prefixes": 9, "determined": 0.93},
            "cycles": {"order": "index", "token_period": 4, "split_period": 10, "new_phases": []},
            "rule": {"name": "rule", "right": 9, "items": 9},
            "shortcuts": [{"name": "copy-longest", "right": 0, "items": 9}],
            "kind": "where to stop",
            "conclusion": ["all 9 held-out completions are prefixes of seen ones: this split tests only where to stop"],
        },
        "choices": {
            "threads": 1,
            "precision": "float32",
            "learning_rates": {
                "random": {
                    "chosen": {"0": 0.002},
                    "measure": "bits_per_byte",
                    "scores": {"0": {"0.002": 0.21}},
                    "trials": [trial, worse],
                }
            },
        },
    }


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
