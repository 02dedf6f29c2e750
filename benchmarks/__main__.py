"""All benchmarks in turn, or those named: ``python -m benchmarks [evaluation training mutants equality resume]``."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.processes import ONE_THREAD, PEERS_PYTHON, ROOT

NEED_PEERS = (
    "evaluation",
    "exports",
    "serving_harness",
    "training",
    "changes_speed",
    "changes_tcpd",
    "changes_slow",
    "harness_tasks",
    "harness_scores",
    "watch_lead",
)
CHANGES = ("changes_accuracy", "changes_online", "segmentation", "registers", "emotions", "sentences")
INSIDE = ("insight", "insight_equality", "insight_roles", "layers", "vectors")
ALONE = (
    "mutants",
    "compiling",
    "resume",
    "equality",
    "rating",
    "refusals",
    "serving",
    "stories",
    "sweeps",
    "verdicts",
    "attribution",
    "words",
    "visits",
    "watch_alarms",
    "watch_schedules",
    *CHANGES,
    *INSIDE,
)


def main() -> int:
    """Run the benchmarks; those beside peers need ``make bench-peers`` first."""
    names = sys.argv[1:] or [*NEED_PEERS, *ALONE]
    unknown = sorted(set(names) - {*NEED_PEERS, *ALONE})
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; there are {', '.join((*NEED_PEERS, *ALONE))}", file=sys.stderr)
        return 2
    if not PEERS_PYTHON.exists() and set(names) & set(NEED_PEERS):
        print("the peers are not installed; give: make bench-peers", file=sys.stderr)
        return 2
    failed = []
    for name in names:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        if subprocess.run(command, cwd=ROOT, env=os.environ | ONE_THREAD, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
