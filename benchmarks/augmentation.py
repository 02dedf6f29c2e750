"""What augmentation does for held-out accuracy, on counting and on two other tasks, at equal training steps.

Each task is a crossed experiment with the factor `augment`: twenty trainings of each level, no two with one seed, and
a verdict for each method against none. A small pretrained model is fine-tuned on few examples, since augmentation has
most to give there. A run that was killed is resumed by the same command.

    nice -n 15 python -m benchmarks.augmentation --out bench-out/augmentation
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from shoal.experiments.crossed import CrossedResult, crossed_from, run_crossed

SEEDS = 20
SMALLEST_EFFECT = 0.05
"""Five held-out items of a hundred."""

METHODS = {
    "typos": ["spelling-noise"],
    "order": ["reordering(unit='words')"],
    "counterfactuals": ["counterfactuals"],
}

# Each training draws its examples among the seen ones; epochs are such that it has about a hundred steps.
TASKS: dict[str, dict[str, Any]] = {
    "counting": {
        "task": {"name": "counting", "options": {"largest": 30}},
        "split": {"name": "last-digit"},
        "examples": 14,
        "epochs": 25.0,
        "methods": ["typos", "order", "counterfactuals"],
    },
    "majority": {
        "task": {"name": "majority", "options": {"examples": 140}},
        "split": {"name": "random", "parameters": {"share": 0.6}},
        "examples": 16,
        "epochs": 100.0,
        "methods": ["order", "counterfactuals"],
    },
    "article": {
        "task": {"name": "article", "options": {"examples": 140}},
        "split": {"name": "random", "parameters": {"share": 0.6}},
        "examples": 16,
        "epochs": 100.0,
        "methods": ["typos", "counterfactuals"],
    },
}


def experiment_table(name: str) -> dict[str, Any]:
    """The crossed experiment of a task.

    Args:
        name: one of `TASKS`.
    """
    settings = TASKS[name]
    methods = settings["methods"]
    return {
        "name": name,
        "question": f"Does augmentation help on held-out items of {name}?",
        "seeds": SEEDS,
        "device": "cpu",
        "model": "bundled:searches",
        "task": settings["task"],
        "split": settings["split"],
        "data": {"examples": settings["examples"]},
        "training": {
            "epochs": settings["epochs"],
            "batch_tokens": 300,
            "learning_rate": 1e-3,
            "precision": "float32",
        },
        "factors": {"augment": {"none": [], **{method: METHODS[method] for method in methods}}},
        "hypotheses": [
            {
                "name": method,
                "claim": f"Training examples with {method} beside them teach more about held-out {name}.",
                "factor": "augment",
                "treatment": method,
                "baseline": "none",
                "smallest_effect": SMALLEST_EFFECT,
                "direction": "different",
            }
            for method in methods
        ],
        "measure": {"primary": "exact_match"},
    }


def table_rows(name: str, result: CrossedResult) -> list[dict[str, Any]]:
    """A row per method.

    Args:
        name: of the task.
        result: of its experiment.
    """
    means = {cell.levels["augment"]: cell.mean for cell in result.cells}
    return [
        {
            "task": name,
            "method": found.name,
            "none": means["none"],
            "augmented": means[found.name],
            "effect": found.estimate,
            "low": found.low,
            "high": found.high,
            "corrected_p": found.corrected_p,
            "verdict": found.verdict,
        }
        for found in result.hypotheses
    ]


def main() -> None:
    """Run, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("bench-out/augmentation"))
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in options.tasks:
        result = run_crossed(crossed_from(experiment_table(name), name), options.out / name, workers=0)
        rows += table_rows(name, result)
        for row in rows[-len(result.hypotheses) :]:
            print(
                f"{row['task']:9} {row['method']:15} none {row['none']:.3f} augmented {row['augmented']:.3f} "
                f"effect {row['effect']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}] "
                f"p {row['corrected_p']:.3f} {row['verdict']}",
                flush=True,
            )
    (options.out / "augmentation.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
