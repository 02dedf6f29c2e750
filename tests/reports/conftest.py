"""Run folders that several tests read, each written and drawn once."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from every_page import write_pages
from filelock import FileLock

from run_folder import HOSTILE, item, write_lines, write_run
from shoal.reports import write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that all workers of a test run read: the first that needs it makes it, and others wait for it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six seeds that came to its end, with its report."""

    def make(folder: Path) -> None:
        write_report(write_run(folder / "counting-quick"))

    return made_once(tmp_path_factory, "finished", make) / "counting-quick"


@pytest.fixture(scope="session")
def page_files(tmp_path_factory: pytest.TempPathFactory, finished: Path) -> dict[str, Path]:
    """Every page as a file, by name."""
    folder = made_once(tmp_path_factory, "pages", write_pages)
    return {path.stem: path for path in folder.glob("*.html")} | {"run": finished / "report.html"}


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on data that tries to break out of the page, with an item of 1,300 tokens and thousands of items."""
    folder = write_run(tmp_path_factory.mktemp("hostile") / "hostile", seeds=1, largest=3)
    rows = [item(f"{HOSTILE}{n}", f" {n}", [f" {n}", "<end>"], n, {"group": "a"}) for n in range(2000)]
    rows.append(item("long", " 1" * 1299, [" 1"] * 1299 + ["<end>"], 2000, {}) | long_failure())
    rows[0] |= {"greedy_text": HOSTILE, "exact_match": False, "first_divergence": 0, "divergence": "other"}
    for arm in ("pretrained", "random"):
        write_lines(folder / "arms" / arm / "seed-0" / "after.jsonl", rows)
    verdict = json.loads((folder / "verdict.json").read_text())
    verdict |= {"sentence": HOSTILE}
    verdict["controls"][0] |= {"says": HOSTILE, "name": HOSTILE}
    (folder / "verdict.json").write_text(json.dumps(verdict))
    write_report(folder)
    return folder


def long_failure() -> dict[str, object]:
    """An item that goes wrong at its 700th token, whose answer then goes on for long."""
    return {
        "exact_match": False,
        "first_divergence": 700,
        "divergence": "other",
        "token_margins": [3.0] * 700 + [-1.0] + [None] * 599,
        "greedy_text": " 1" * 700 + " 2" * 600,
        "greedy_ends": False,
        "status": "near-tie",
    }


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    """A small run without what its end brings, for a test to change."""
    return write_run(tmp_path / "unfinished", seeds=2, largest=10, verdict=None)
