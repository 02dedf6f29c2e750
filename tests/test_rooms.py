"""Rooms import each other through their `__init__` alone, so that what lies behind it can be moved."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import shoal

ROOT = Path(shoal.__file__).parent
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")}


def imports_of(path: Path) -> Iterator[str]:
    """The modules of shoal that a file imports names from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("shoal."):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("shoal."))


def is_package(module: str) -> bool:
    return (ROOT.joinpath(*module.split(".")[1:]) / "__init__.py").exists()


def test_rooms_import_from_packages_of_other_rooms_and_never_from_a_module_behind_them() -> None:
    deep = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sorted(ROOT.rglob("*.py"))
        for module in imports_of(path)
        if (room := module.split(".")[1]) in ROOMS
        and room != path.relative_to(ROOT).parts[0]
        and not is_package(module)
        # The interpreter's way in, `python -m shoal`, is the command line itself.
        if path.name != "__main__.py"
    ]
    assert deep == []
