"""The names that shoal offers are the documented ones, and asking for them costs what it must."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import shoal

README = Path(shoal.__file__).resolve().parents[2] / "README.md"


def test_every_exported_name_can_be_had() -> None:
    missing = [name for name in shoal.__all__ if not hasattr(shoal, name)]
    assert missing == []


def test_exported_names_are_sorted_and_known_to_a_room() -> None:
    assert sorted(shoal.__all__) == shoal.__all__
    assert set(shoal.__all__) == set(shoal._HOMES)


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
    known = {"__future__", "copy", "dataclasses", "org", "zlib"}
    assert set(ast.literal_eval(finished.stdout)) <= known
