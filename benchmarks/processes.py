"""Both sides of a comparison as processes of their own, one thread each, measured by the operating system."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "bench-out"
DATA = Path(os.environ.get("SHOAL_DATA", ROOT.parent / "shared" / "data"))
SHOAL_PYTHON = ROOT / ".venv" / "bin" / "python"
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One finished process."""

    output: str
    cpu_seconds: float
    peak_bytes: int


def run_side(command: list[str | Path]) -> Finished:
    """Run one side to its end, with one thread, and account for all of its children.

    Raises:
        RuntimeError: The side failed; its last lines of standard error are in the message.
    """
    words = [str(word) for word in command]
    errors = OUT / "stderr.log"
    errors.parent.mkdir(exist_ok=True)
    with errors.open("w+") as stderr:
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=stderr, text=True, env=os.environ | ONE_THREAD, cwd=ROOT
        )
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{words[:4]} ended with {process.returncode}: {errors.read_text()[-1500:]}")
    return Finished(output=output, cpu_seconds=usage.ru_utime + usage.ru_stime, peak_bytes=usage.ru_maxrss * 1024)


def ask_peer(side: str, given: object) -> Any:
    """What a side of a peer's own environment answers: JSON on its standard input, and JSON on its output.

    Args:
        side: name of its file in ``benchmarks/sides``, without the ending.
        given: what it reads.
    """
    answer = subprocess.run(
        [PEERS_PYTHON, ROOT / "benchmarks" / "sides" / f"{side}.py"],
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | ONE_THREAD,
    )
    return json.loads(answer.stdout)


def machine() -> dict[str, str | int | None]:
    """What the figures were taken on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    told = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    model = told[0] if told else platform.processor()
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version(), "threads": 1}


def spread(values: list[float]) -> dict[str, float]:
    """Least, median and greatest."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def append_part(name: str, part: dict[str, Any]) -> None:
    """Add a finished part to bench-out/NAME.jsonl, so that a run that is killed loses only the part it was in."""
    OUT.mkdir(exist_ok=True)
    with (OUT / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"cpu": machine()["cpu"]} | part) + "\n")


def read_parts(name: str) -> list[dict[str, Any]]:
    """The parts that were finished, by this run or by earlier ones; a last line that was cut short is left out."""
    path = OUT / f"{name}.jsonl"
    parts = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        with suppress(json.JSONDecodeError):
            parts.append(json.loads(line))
    return parts


def write_result(name: str, result: dict[str, object]) -> Path:
    """Write a benchmark's figures as JSON, with the machine beside them."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.json"
    path.write_text(json.dumps({"machine": machine()} | result, indent=2) + "\n")
    return path
