"""Are refusers named by what they go by? Small chat models of known mechanism, explained on minimal pairs.

    python -m benchmarks.refusal_shortcut [--seeds 0 1 ...] [--mechanisms "focus word" rule opening] [--out FILE]

For each seed a model is trained on keyword-bait (it refuses wherever a word stands), one on balanced pairs (the same
words in safe and unsafe frames, refused by the frame), and one that refuses by the opening; each answers the minimal
pairs of combinations that it was not trained on, and `explain_refusals` names what its refusals come from. A model
takes some ten seconds of CPU. The recipes were set on the seeds 100 and 101, which are not among those measured.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from shoal.safety.shortcut import (
    FOCUS_WORD,
    PlantedRefuser,
    RefusalExplanation,
    explain_refusals_of_models,
    plant_refuser,
    planted_pairs,
)

MECHANISMS = ("focus word", "rule", "opening")


def main() -> None:
    """Plant, explain, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--mechanisms", nargs="+", choices=MECHANISMS, default=list(MECHANISMS))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found: list[dict[str, Any]] = []
    for mechanism in options.mechanisms:
        for seed in options.seeds:
            found.append(measure(mechanism, seed))
            print(line(found[-1]), flush=True)
    print()
    print(summary(found))
    if options.out is not None:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def measure(mechanism: Any, seed: int) -> dict[str, Any]:
    """Plant one model and explain it."""
    started = time.process_time()
    model = plant_refuser(PlantedRefuser(mechanism=mechanism, seed=seed))
    trained = time.process_time() - started
    (explained,) = explain_refusals_of_models({mechanism: model}, planted_pairs(seed)).models
    return {
        "mechanism": mechanism,
        "seed": seed,
        "verdict": explained.verdict,
        "names": list(explained.names),
        "focus word named": explained.uses(FOCUS_WORD),
        "shares": {share.name: [share.share, share.low, share.high] for share in explained.shares},
        "refusals": explained.refusals,
        "prompts": explained.prompts,
        "right": right(explained),
        "training seconds": round(trained, 1),
        "seconds": round(time.process_time() - started, 1),
    }


def right(explained: RefusalExplanation) -> float:
    """How often the model does what the rule would, on prompts that it was not trained on."""
    cells = [(cell.prompts, cell.refused.raw if cell.harmful else 1 - cell.refused.raw) for cell in explained.cells]
    return sum(count * share for count, share in cells) / sum(count for count, _ in cells)


def line(one: dict[str, Any]) -> str:
    """A model in a line."""
    shares = ", ".join(f"{name} {share[0]:.2f}" for name, share in one["shares"].items() if share[0] >= 0.005)
    return (
        f"{one['mechanism']:10} seed {one['seed']:3}: {one['verdict']:11} {' + '.join(one['names']) or '-':24} "
        f"({shares}); {one['refusals']} of {one['prompts']} refused, {one['seconds']} s"
    )


def summary(found: list[dict[str, Any]]) -> str:
    """How often each mechanism was named."""
    groups = defaultdict(list)
    for one in found:
        groups[one["mechanism"]].append(one)
    lines = []
    for mechanism, group in groups.items():
        named = sum(mechanism in one["names"] and one["verdict"] != "cannot tell" for one in group)
        alone = sum(one["names"] == [mechanism] and one["verdict"] != "cannot tell" for one in group)
        baited = sum(one["focus word named"] for one in group)
        lines.append(
            f"trained to refuse by {mechanism}: named so in {named} of {len(group)} ({alone} as the only one); the "
            f"focus word is named in {baited} of {len(group)}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
