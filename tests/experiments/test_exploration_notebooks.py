"""The file of an exploration is opened and run by Jupyter and by marimo, as its first cell says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from shoal.experiments.exploration import write_exploration

pytestmark = pytest.mark.slow

WHY = "pip install marimo jupytext nbclient ipykernel"


@pytest.fixture(scope="module")
def folder(plan: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exploration of an experiment of some seconds in place of one of some minutes."""
    folder = tmp_path_factory.mktemp("exploration")
    (folder / "tiny.toml").write_text(tomli_w.dumps(plan | {"controls": {"shuffled_labels": False}}))
    text = write_exploration(folder).read_text(encoding="utf-8")
    assert text.count('load_experiment("counting", "quick")') == 1
    text = text.replace('load_experiment("counting", "quick")', f"load_experiment({str(folder / 'tiny.toml')!r})")
    (folder / "explore.py").write_text(text.replace('"training.epochs", 20.0', '"training.epochs", 2.0'))
    return folder


def run(*words: str, folder: Path) -> str:
    answer = subprocess.run([sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-4000:]
    return answer.stdout + answer.stderr


def test_marimo_converts_checks_and_runs_it(folder: Path) -> None:
    pytest.importorskip("marimo", reason=WHY)
    pytest.importorskip("jupytext", reason=WHY)
    run("marimo", "convert", "explore.py", "-o", "explore_marimo.py", folder=folder)
    assert "error" not in run("marimo", "check", "explore_marimo.py", folder=folder).lower()
    run("marimo", "export", "html", "explore_marimo.py", "-o", "out.html", folder=folder)
    for name in ("base", "changed"):
        assert (folder / name / "verdict.json").is_file()
    page = (folder / "out.html").read_text()
    assert "after the change" in page
    assert "The prediction: " in page


def test_jupyter_runs_its_cells(folder: Path, tmp_path: Path) -> None:
    jupytext = pytest.importorskip("jupytext", reason=WHY)
    nbclient = pytest.importorskip("nbclient", reason=WHY)
    pytest.importorskip("ipykernel", reason=WHY)
    # Where marimo has run it, its runs are there already, and are not done again.
    shutil.copytree(folder, tmp_path / "copy")
    notebook = jupytext.read(tmp_path / "copy" / "explore.py")
    client = nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(tmp_path / "copy")}})
    client.execute()
    shown = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert any("after the change" in text for text in shown)
    assert (tmp_path / "copy" / "prediction.json").is_file()
