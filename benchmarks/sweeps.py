"""Sweeps whose workers are killed with SIGKILL beside one that is left alone: is a trial lost, done twice, or changed?

Each engine runs the same small sweep with two workers. While it runs, a worker that is training is killed now and then,
at random moments; the command itself is given once. At the end every trial must have one record and one timing, and
``trials.jsonl`` must be that of the undisturbed sweep, byte for byte. Needs ``pip install 'shoal[scale]'`` for Ray.

    python -m benchmarks.sweeps [--kills 3] [--engine local ray] [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.processes import ONE_THREAD, SHOAL_PYTHON, append_part, write_result

RECIPE = """
[[corpus]]
name = "tales"
grammar = 120
held_out = 0.1
[tokenizer]
vocabulary = 320
[model]
width = 16
layers = 1
heads = 2
context = 64
[training]
tokens = 60000
batch_tokens = 512
checkpoint_seconds = 0.2
[evaluation]
documents = 5
memorised = 0
prompts = []
"""

SWEEP = """recipe = "r.toml"
sampler = "tpe"
trials = 8
[keys]
"model.width" = [8, 16, 24]
"training.learning_rate" = { low = 1e-3, high = 3e-2, log = true }
"""


def main() -> int:
    """Run the undisturbed sweep and the others, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--engine", nargs="+", default=["local", "ray"])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "r.toml").write_text(RECIPE)
        (base / "s.toml").write_text(SWEEP)
        _started(base, "alone", "--workers", "1").wait()
        wanted = (base / "alone" / "trials.jsonl").read_bytes()
        for engine in given.engine:
            kills = _disturbed(base, engine, given.kills, chance)
            rows[engine] = {"kills": kills} | _compared(base / engine, wanted)
            append_part("sweeps", {"engine": engine} | rows[engine])
            print(f"{engine:6} {json.dumps(rows[engine])}", flush=True)
    write_result("sweeps", rows)
    return int(not all(row["kills"] and row["same"] and not row["lost"] and not row["twice"] for row in rows.values()))


def _started(base: Path, name: str, *words: str) -> subprocess.Popen[bytes]:
    command = [str(SHOAL_PYTHON), "-m", "shoal", "sweep", str(base / "s.toml"), "--out", str(base / name), *words]
    return subprocess.Popen(command, env=os.environ | ONE_THREAD, stdout=subprocess.DEVNULL)


def _disturbed(base: Path, engine: str, kills: int, chance: random.Random) -> int:
    """Run the sweep and kill workers that train; how many were."""
    sweep = _started(base, engine, "--engine", engine, "--workers", "2")
    done = 0
    while sweep.poll() is None:
        time.sleep(chance.uniform(0.02, 0.2))
        training = [one for one in (base / engine).glob("trials/*/*") if _is_training(one)]
        if done < kills and training:
            unit = chance.choice(training)
            starts = (unit / "starts.jsonl").read_text().splitlines()
            # A unit whose workers die three times counts as failed, as it should.
            if len(starts) < 3:
                with suppress(ProcessLookupError):  # killed already, and not yet begun anew
                    os.kill(json.loads(starts[-1])["process"], signal.SIGKILL)
                    done += 1
                time.sleep(chance.uniform(1, 5))
    if sweep.returncode:
        raise RuntimeError(f"the sweep on {engine} ended with {sweep.returncode}")
    return done


def _is_training(unit: Path) -> bool:
    metrics = unit / "run" / "metrics.jsonl"
    return metrics.is_file() and metrics.stat().st_size > 0 and not (unit / "done.json").is_file()


def _compared(folder: Path, wanted: bytes) -> dict[str, Any]:
    trials = [json.loads(line)["number"] for line in (folder / "trials.jsonl").read_text().splitlines()]
    timed = [json.loads(line)["trial"] for line in (folder / "timings.jsonl").read_text().splitlines()]
    starts = sum(len(file.read_text().splitlines()) for file in folder.glob("trials/*/*/starts.jsonl"))
    return {
        "trials": len(trials),
        "lost": len(wanted.splitlines()) - len(set(trials)),
        "twice": len(trials) - len(set(trials)) + len(timed) - len(set(timed)),
        "starts": starts,
        "same": (folder / "trials.jsonl").read_bytes() == wanted,
    }


if __name__ == "__main__":
    sys.exit(main())
