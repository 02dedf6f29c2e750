"""How fast change points are found: whole processes, the start of Python included, beside three peers, and up to 10^6.

The stream is the hidden rotation. All sides run one thread each and in turn, round by round; CPU-seconds are those that
the system accounts to the process and its children. shoal's modules are compiled first, as pip compiles those that it
installs. The command line is a fifth side: the same stream as a file of text. PyChest needs NumPy below 2, so it has an
environment of its own:

    python3.11 -m venv .venv-pychest
    .venv-pychest/bin/pip install "Cython<3.1" setuptools wheel "numpy<2"
    .venv-pychest/bin/pip install --no-build-isolation PyChest==1.22

    python -m benchmarks.changes_speed [--rounds 5] [--sizes 10000 100000 1000000]
"""

from __future__ import annotations

import argparse
import compileall
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import OUT, PEERS_PYTHON, ROOT, SHOAL_PYTHON, run_side, spread, write_result
from shoal.changes.generators import hidden_rotation

SIDE = ROOT / "benchmarks" / "sides" / "changes_side.py"
PYCHEST_PYTHON = ROOT / ".venv-pychest" / "bin" / "python"
PYTHONS = {"shoal": SHOAL_PYTHON, "rustures": PEERS_PYTHON, "ruptures": PEERS_PYTHON, "PyChest": PYCHEST_PYTHON}
COMMAND = "shoal changes --json"
COMMAND_LINE: list[str | Path] = [
    SHOAL_PYTHON,
    "-m",
    "shoal",
    "changes",
    "--json",
    "--min-distance",
    "0.15",
    "--processes",
    "2",
]
LENGTH = 5000


def main() -> None:
    """Run both parts and print their tables; what is done is written as it goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000, 300_000, 1_000_000])
    arguments = parser.parse_args()
    compileall.compile_dir(ROOT / "src" / "shoal", quiet=1)
    result: dict[str, Any] = {"beside peers": beside_peers(arguments.rounds)}
    write_result("changes_speed", result)
    result["growth"] = growth(arguments.sizes, arguments.rounds)
    print(f"written to {write_result('changes_speed', result)}")


def beside_peers(rounds: int) -> dict[str, Any]:
    """CPU-seconds of every side on the same stream."""
    file = stream(LENGTH)
    text = file.with_suffix(".csv")
    np.savetxt(text, np.load(file), fmt="%.17g")
    tools = [tool for tool, python in PYTHONS.items() if python.exists()] + [COMMAND]
    seconds: dict[str, list[float]] = {tool: [] for tool in tools}
    places: dict[str, list[int]] = {}
    for _ in range(rounds):
        for tool in tools:
            finished = run_side([*COMMAND_LINE, text] if tool == COMMAND else [PYTHONS[tool], SIDE, tool, file])
            seconds[tool].append(finished.cpu_seconds)
            said = json.loads(finished.output if tool == COMMAND else finished.output.splitlines()[-1])
            places[tool] = said["places"] if tool == COMMAND else said
    print(f"hidden rotation, n={LENGTH}, change at {LENGTH * 3 // 10}: whole processes, CPU-seconds")
    figures: dict[str, Any] = {}
    for tool in tools:
        ratio = statistics.median(peer / own for peer, own in zip(seconds[tool], seconds["shoal"], strict=True))
        figures[tool] = {"cpu": spread(seconds[tool]), "ratio": ratio, "places": places[tool]}
        print(
            f"{tool:20} {figures[tool]['cpu']['median']:9.3f} s   ratio {ratio:8.1f}   places {places[tool]}",
            flush=True,
        )
    return figures


def growth(sizes: list[int], rounds: int) -> dict[str, Any]:
    """CPU-seconds and peak memory of whole processes, and the exponent fitted to the CPU-seconds beyond the start."""
    rows = []
    for size in sizes:
        file = stream(size)
        runs = [run_side([SHOAL_PYTHON, SIDE, "shoal", file]) for _ in range(rounds)]
        cpu = statistics.median(run.cpu_seconds for run in runs)
        peak = max(run.peak_bytes for run in runs)
        rows.append({"n": size, "cpu": cpu, "peak_bytes": peak, "places": json.loads(runs[0].output.splitlines()[-1])})
        print(f"n={size:8}   {cpu:7.3f} s   {peak / 1e6:6.0f} MB   places {rows[-1]['places']}", flush=True)
    start = statistics.median(run_side([SHOAL_PYTHON, SIDE, "shoal", stream(100)]).cpu_seconds for _ in range(rounds))
    logs = np.log([[row["n"], row["cpu"], max(row["cpu"] - start, 1e-3)] for row in rows])
    whole = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])
    beyond = float(np.polyfit(logs[:, 0], logs[:, 2], 1)[0])
    print(f"exponent {whole:.3f} of whole processes, {beyond:.3f} beyond the start of {start:.3f} s")
    return {"rows": rows, "start_cpu": start, "exponent": whole, "exponent_beyond_start": beyond}


def stream(length: int) -> Path:
    """The hidden rotation of a length as a file, the change at three tenths."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"hidden-rotation-{length}.npy"
    before = length * 3 // 10
    np.save(path, hidden_rotation((before, length - before), seed=5).values)
    return path


if __name__ == "__main__":
    main()
