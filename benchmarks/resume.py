"""A run killed with SIGKILL at ten random moments beside one that is left alone: do both end with the same records?

Each start is the command that a person gives, with its workers; only the parent process is killed, so that it is also
seen whether the workers leave with it. A killed run is started again on the same folder until it has been killed often
enough, and then to its end; one that ends before that makes room for a fresh one. Each kill, and each run that came to
its end, is printed and appended to bench-out/resume.jsonl at once.

    python -m benchmarks.resume [--kills 10] [--model SPEC] [--epochs 8] [--workers 2] [--seed 0]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from benchmarks.processes import SHOAL_PYTHON, append_part, write_result
from shoal.experiments import load_experiment
from shoal.experiments.experiment import Experiment
from shoal.experiments.tables import as_table

APART = ("environment.json", "timings.jsonl", "report.html", ".lock")
"""What says when, where or how fast."""


@dataclass
class Killing:
    """What was done to the runs that were killed."""

    moments: list[float] = field(default_factory=list)
    """Seconds after the start of the command."""

    stages: list[str] = field(default_factory=list)
    """What stood in the folder at that moment."""

    runs: int = 0
    different: list[str] = field(default_factory=list)
    """Records that differ from those of the run that was left alone."""


@dataclass(frozen=True)
class Command:
    """The command that is killed."""

    plan: Path
    workers: int

    def started(self, folder: Path) -> subprocess.Popen[bytes]:
        """The command, begun."""
        words = [SHOAL_PYTHON, "-m", "shoal", "run", self.plan, "--out", folder, "--workers", self.workers]
        return subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def run(self, folder: Path) -> None:
        """The command, to its end."""
        code = self.started(folder).wait()
        if code:
            raise RuntimeError(f"the run in {folder} ended with exit code {code}")


def main() -> None:
    """Kill runs, compare their records, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--model", default="bundled:searches")
    parser.add_argument("--epochs", type=float, default=8.0)
    parser.add_argument("--largest", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        plan = base / "plan.toml"
        plan.write_text(
            tomli_w.dumps(as_table(small_experiment(given.model, given.epochs, given.largest))), encoding="utf-8"
        )
        start = time.monotonic()
        command = Command(plan, given.workers)
        command.run(base / "whole")
        seconds = time.monotonic() - start
        wanted = records(base / "whole")
        killing = kill_often(command, base, wanted, seconds, given.kills, random.Random(given.seed))
    write_result("resume", {"records": len(wanted), "seconds_undisturbed": seconds, **vars(killing)})
    print(
        f"{len(killing.moments)} kills in {killing.runs} runs; {len(wanted)} records each, "
        f"{len(killing.different)} different from the undisturbed run: {', '.join(killing.different) or 'identical'}"
    )


def small_experiment(model: str, epochs: float, largest: int) -> Experiment:
    """The shipped experiment, cut so that it takes a minute, with a checkpoint every half second."""
    table = as_table(load_experiment("counting", "quick"))
    table["arms"] = {"pretrained": model, "random": f"random:{model}"}
    table["task"]["options"] = table["task"].get("options", {}) | {"largest": largest}
    table["training"] |= {"epochs": epochs, "precision": "float32", "checkpoint_seconds": 0.5}
    table["tuning"].pop("epochs", None)
    return Experiment.model_validate(table)


def kill_often(
    command: Command, base: Path, wanted: dict[str, str], seconds: float, kills: int, moments: random.Random
) -> Killing:
    """Start and kill runs until they have been killed often enough; each is compared when it has come to its end."""
    done = Killing()
    while len(done.moments) < kills:
        done.runs += 1
        folder = base / f"killed-{done.runs}"
        while len(done.moments) < kills:
            process = command.started(folder)
            moment = moments.uniform(0.0, seconds)
            try:
                process.wait(moment)
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            done.moments.append(round(moment, 2))
            done.stages.append(stage(folder))
            report({"run": done.runs, "killed_after": done.moments[-1], "stage": done.stages[-1]})
        command.run(folder)
        found = records(folder)
        different = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
        report({"run": done.runs, "records": len(wanted), "different": different})
        done.different += different
    return done


def report(part: dict[str, Any]) -> None:
    """Print and keep what has just been seen."""
    append_part("resume", part)
    print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in part.items()), flush=True)


def stage(folder: Path) -> str:
    """How far a run is, by what stands in its folder."""
    finished = len(list(folder.glob("arms/*/*/done.json")))
    trials = len(list(folder.glob("tuning/*/*/*/done.json")))
    checkpoints = len(list(folder.rglob("checkpoint.safetensors")))
    return f"{trials} trials and {finished} arms finished, {checkpoints} checkpoints"


def records(folder: Path) -> dict[str, str]:
    """A digest of every record, those set apart left out; a date in a name is cut."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not path.is_file() or path.name in APART:
            continue
        if name.startswith(("samples_", "results_")):
            name = name.rpartition("_")[0]
        content = path.read_bytes()
        if name == "results":
            # The commit of the checkout may move between two runs; the results may not.
            content = json.dumps(json.loads(content) | {"git_hash": None}).encode()
        found[name] = hashlib.sha256(content).hexdigest()
    return found


if __name__ == "__main__":
    main()
