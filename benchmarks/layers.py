"""The exponents and path lengths of layer types against the theory's, over several seeds.

    python -m benchmarks.layers [--seeds 3] [--repeats 9]

A line a seed is appended to bench-out/layers.jsonl, so that a killed run keeps what it has.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from shoal.insight import AnalysisOptions
from shoal.insight.layers import Ranges, layer_table

OUT = Path("bench-out/layers.jsonl")
KINDS = ("self-attention", "recurrent", "convolution", "dilated convolution", "restricted self-attention")
SLACK = 0.15


def main() -> None:
    """Measure and say which exponents of time in the length are within the slack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    OUT.parent.mkdir(exist_ok=True)
    for seed in range(options.seeds):
        started = time.process_time()
        rows = layer_table(Ranges(repeats=options.repeats), kinds=KINDS, options=AnalysisOptions(seed=seed))
        spent = time.process_time() - started
        with OUT.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seed": seed, "cpu_seconds": spent, "rows": [row.to_dict() for row in rows]}) + "\n")
        print(f"seed {seed}, {spent:.0f} CPU-seconds")
        for row in rows:
            sweep = next(each for each in row.sweeps if each.variable == "n")
            operations, seconds = sweep.exponents["operations"], sweep.exponents["seconds"]
            within = "within" if abs(seconds.value - sweep.theory) <= SLACK else "BEYOND"
            paths = all(path.confirmed and path.measured == path.predicted for path in row.paths)
            print(
                f"  {row.kind:26} theory {sweep.theory}  operations {operations.value:.2f}  time {seconds.value:.2f} "
                f"[{seconds.low:.2f}, {seconds.high:.2f}] {within} {SLACK}  paths {'exact' if paths else 'WRONG'}"
            )


if __name__ == "__main__":
    main()
