"""The public names of every room: those of the stubs, with the first sentence of their docstrings.

    python tests/names.py

writes docs/names.md again.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import shoal

ROOT = Path(shoal.__file__).parent
PAGE = Path(__file__).resolve().parents[1] / "docs" / "names.md"
HEAD = """# Public names

This page lists what each room offers, as in `from shoal.evaluation import evaluate`. Each name is imported when it is
first used. A name that does not stand here may change without notice. The [reference](reference.md) has arguments
and errors.
"""


def doors() -> list[str]:
    """The packages that offer names, by their dotted names."""
    stubs = sorted(ROOT.rglob("*/__init__.pyi"))
    return [".".join(("shoal", *stub.parent.relative_to(ROOT).parts)) for stub in stubs]


def names_of(door: str) -> dict[str, Path]:
    """The names that a door offers, with the file that each is defined in."""
    folder = ROOT.joinpath(*door.split(".")[1:])
    stub = folder / "__init__.pyi"
    found = {}
    for node in ast.parse((stub if stub.exists() else folder / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            module = folder if node.level else ROOT.parent
            module = module.joinpath(*(node.module or "").split("."))
            found |= {alias.name: _defining(module, alias.name) for alias in node.names}
    return found


def _defining(module: Path, name: str) -> Path:
    """The file that defines a name; a package takes it from a file of its own or from a package below."""
    file = module.with_suffix(".py")
    if file.is_file() or not module.is_dir():
        return file
    below = names_of(".".join(("shoal", *module.relative_to(ROOT).parts)))
    return below.get(name, module / "__init__.py")


@cache
def _summaries(path: Path) -> dict[str, str]:
    """The first sentence of every docstring at the top of a file; of a value, the text below it."""
    if not path.is_file():
        return {}
    body = ast.parse(path.read_text(encoding="utf-8")).body
    found = {}
    for node, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = ast.get_docstring(node) or ""
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            if isinstance(target, ast.Name):
                found[target.id] = str(text)
    return found


def summary(name: str, path: Path) -> str:
    """What a name is, in one line."""
    first = _summaries(path).get(name, "").strip().split("\n\n")[0]
    return re.sub(r"\s+", " ", first).replace("|", "\\|")


def tables() -> Iterator[str]:
    """A section for each door."""
    for door in doors():
        module = ast.parse((ROOT.joinpath(*door.split(".")[1:]) / "__init__.py").read_text(encoding="utf-8"))
        yield f"\n## `{door}`\n{(ast.get_docstring(module) or '').split(chr(10) * 2)[0]}\n\n| name | |\n|---|---|\n"
        for name, path in sorted(names_of(door).items(), key=lambda item: item[0].lower()):
            yield f"| `{name}` | {summary(name, path)} |\n"


def page() -> str:
    """The page as it must be."""
    return HEAD + "".join(tables())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
