"""The names that shoal offers are the documented ones, and asking for them costs what it must."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import names
import shoal
from shoal.cli.main import VERBS

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference.md"
ROOMS = ["shoal", *(f"shoal.{path.parent.name}" for path in sorted(Path(shoal.__file__).parent.glob("*/__init__.pyi")))]


def documented() -> list[list[set[str]]]:
    """The names in each cell of the table of verbs and functions."""
    rows = re.findall(r"^\| `.*\|$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    return [[set(re.findall(r"`(\w+)`", cell)) for cell in row.strip("|").split("|")] for row in rows]


def test_exported_names_are_the_documented_ones_and_can_be_had() -> None:
    named = set().union(*(cell for _, *cells in documented() for cell in cells))
    assert set(shoal.__all__) == named
    assert [name for name in shoal.__all__ if not hasattr(shoal, name)] == []


def test_the_page_of_names_has_every_name_that_a_room_offers() -> None:
    """Where a change is meant: ``python tests/names.py`` writes the page."""
    assert names.PAGE.read_text(encoding="utf-8") == names.page()


def test_every_verb_of_the_command_line_has_its_function() -> None:
    verbs = {verb: function for (verb,), (function,), *_ in documented()}
    assert set(verbs) == set(VERBS)
    assert all(callable(getattr(shoal, function)) for function in verbs.values())


@pytest.mark.parametrize("room", ROOMS)
def test_dir_shows_the_public_names_of_each_room(room: str) -> None:
    module = importlib.import_module(room)
    assert set(module.__all__) <= set(dir(module))
    assert not [name for name in module.__all__ if isinstance(getattr(module, name), ModuleType)]


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(shoal, "no_such_name")


def test_importing_shoal_imports_no_heavy_library() -> None:
    heavy = "{'torch', 'transformers', 'numpy', 'scipy', 'altair', 'pyarrow', 'pydantic'}"
    code = f"import sys, shoal; print(sorted({heavy} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


def test_a_search_for_changes_imports_little_beside_numpy() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules); from shoal.changes import change_points; "
        "change_points([0.0, 1.0] * 300 + [5.0] * 400, 0.15, 2); "
        "print(sorted(name for name in set(sys.modules) - before if not name.startswith('shoal')))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    known = {"__future__", "copy", "dataclasses", "lazy_loader", "org", "zlib"}
    assert set(ast.literal_eval(finished.stdout)) <= known
