"""Which data sets of reasoning-gym are tasks: ``python -m benchmarks.gym_tasks [NAME ...]``.

For every data set, or those named: a task of four examples and a drawn one, with the seconds it took and what its own
scorer gives to the listed answers. Those that list no answers are refused. Writes ``bench-out/gym_tasks.json`` too.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from shoal.errors import ShoalError
from shoal.tasks import make_task

OUT = Path("bench-out")
EXAMPLES = 4


def outcome_of(name: str) -> dict[str, object]:
    """Whether the data set makes a task, and in which time."""
    start = time.perf_counter()
    try:
        task = make_task(f"reasoning-gym:{name}", examples=EXAMPLES, split="random(share=0.5)")
        assert task.draw is not None
        examples = [*task.examples, task.draw(random.Random(0))]
        scores = [task.measures["gym_score"](example, example.completion) for example in examples]
    except ShoalError as error:
        return {"name": name, "task": False, "why": str(error), "seconds": time.perf_counter() - start}
    return {"name": name, "task": True, "scores": scores, "seconds": time.perf_counter() - start}


def main() -> None:
    """Print an outcome per data set and how many are tasks."""
    from reasoning_gym.factory import DATASETS

    results = []
    # "composite" is a mixture of the others, to be configured first.
    for name in sys.argv[1:] or sorted(DATASETS.keys() - {"composite"}):
        results.append(outcome_of(name))
        print(f"{name:32s} {results[-1]['seconds']:6.1f} s  {results[-1].get('why', 'a task')}", flush=True)
    print(f"{sum(bool(result['task']) for result in results)} of {len(results)} data sets are tasks")
    OUT.mkdir(exist_ok=True)
    (OUT / "gym_tasks.json").write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
