"""Results become pages in a notebook, without a notebook being installed."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import types
from html import unescape
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from run_folder import write_run
from shoal.changes import Stream, change_points
from shoal.errors import UsageError
from shoal.experiments import open_run
from shoal.reports import enable_notebook, notebook, show, to_html
from shoal.segmentation import segment

if TYPE_CHECKING:
    from pathlib import Path


class FakeFormatter:
    """What IPython keeps of each class's way to HTML."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}

    def for_type_by_name(self, module: str, name: str, draw: Any) -> None:
        self.known[f"{module}.{name}"] = draw


@pytest.fixture
def formatter(monkeypatch: pytest.MonkeyPatch) -> FakeFormatter:
    found = FakeFormatter()
    shell = types.SimpleNamespace(display_formatter=types.SimpleNamespace(formatters={"text/html": found}))
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]
    display = types.ModuleType("IPython.display")
    display.HTML = str  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return found


VALUES = np.repeat([0.0, 5.0], 300) + np.random.default_rng(0).normal(size=600)


def test_every_registered_name_is_a_class() -> None:
    for name in notebook.RESULT_PAGES:
        module, _, kind = name.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), kind), type), name


def test_changes_have_a_page_with_and_without_their_stream() -> None:
    found = change_points(VALUES)
    assert "changes once, at step 300" in to_html(found)
    assert "<svg" not in to_html(found)
    assert "<svg" in to_html(found, stream=Stream(values=VALUES[:, None]))


def test_a_segmentation_has_a_page() -> None:
    text = "The cat sat. The cat ran. " * 6 + "Bond yields rose. The bank raised rates. " * 6
    assert "The text changes once, before sentence 13" in to_html(segment(text, count=2), text=text)


def test_a_verdict_has_a_page_without_its_run(tmp_path: Path) -> None:
    verdict = open_run(write_run(tmp_path / "run", seeds=2, largest=10)).verdict
    assert verdict is not None
    html = to_html(verdict)
    assert "Supported</p>" in html
    assert "Training ceiling" in html


def test_what_has_no_page_names_what_has_one() -> None:
    with pytest.raises(UsageError, match="no page for a int; there is one for Changes, CorpusComparison, Cro"):
        to_html(3)


def test_a_cell_shows_the_page_in_a_frame_of_its_own(formatter: FakeFormatter) -> None:
    framed = str(show(change_points(VALUES), height=300))
    assert framed.startswith("<iframe srcdoc=")
    assert "height:300px" in framed
    assert "changes once, at step 300" in unescape(framed)
    assert "<h1>" not in framed


def test_a_notebook_draws_results_by_themselves(formatter: FakeFormatter) -> None:
    enable_notebook()
    assert formatter.known.keys() == notebook.RESULT_PAGES.keys()
    assert "changes once" in formatter.known["shoal.changes.result.Changes"](change_points(VALUES))


IN_IPYTHON = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import shoal").raise_error()
assert "torch" not in sys.modules and "numpy" not in sys.modules
cell = shell.run_cell("from shoal.changes import change_points; found = change_points([0.0] * 50 + [9.0] * 50); found")
cell.raise_error()
data, _ = shell.display_formatter.format(cell.result, include={"text/html", "text/plain"})
print(data["text/html"])
assert "text/html" not in shell.display_formatter.format(3, include={"text/html"})[0]
"""


def test_import_in_real_ipython_shows_results_as_pages_and_imports_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    done = subprocess.run(
        [sys.executable, "-c", IN_IPYTHON],
        capture_output=True,
        text=True,
        env=os.environ | {"IPYTHONDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "<iframe srcdoc=" in done.stdout
    assert "changes once" in unescape(done.stdout)


def test_import_outside_a_notebook_registers_nothing(formatter: FakeFormatter) -> None:
    code = "import sys, shoal; assert 'IPython' not in sys.modules and 'shoal.reports' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert formatter.known == {}


def test_without_a_notebook_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(UsageError, match="no notebook; write to_html"):
        enable_notebook()
    with pytest.raises(UsageError, match="pip install ipython"):
        show(change_points(VALUES))
