"""Public names use the field's words, and no two public classes share a name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import shoal

ROOT = Path(shoal.__file__).parent
BANNED = {
    "anew": "again",
    "asked": "requested, or llm",
    "asking": "client, or llm",
    "beside": "relative, or next to",
    "crew": "process group",
    "damage": "perturbation",
    "damaged": "perturbed",
    "dose": "severity",
    "doses": "levels",
    "foretell": "forecast",
    "foretelling": "forecast",
    "kept": "cached, or selected",
    "least": "min",
    "most": "max",
    "parted": "split",
    "parting": "difference",
    "said": "text, or generated",
    "say": "print, or emit",
    "tell": "callback, or print",
    "telling": "render",
    "told": "given",
    "watched": "observed",
    "whom": "callbacks",
}

MEANT = {"tell_story", "tell_stories", "damage", "at_least"}
"""Stories are told in English, things are damaged in the plots of the grammar, a split has `at_least` as a key."""


def public_names() -> Iterator[tuple[str, str]]:
    """Every public name with its place: modules, classes, functions, their parameters, and fields."""
    for path in sorted(ROOT.rglob("*.py")):
        place = str(path.relative_to(ROOT))
        yield place, path.stem
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            yield from names_in(node, place)


def names_in(node: ast.stmt, place: str) -> Iterator[tuple[str, str]]:
    """The public names that a statement at the top of a module, or of a class, brings."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        if node.name.startswith("_"):
            return
        yield place, node.name
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                yield from names_in(part, f"{place} {node.name}")
        else:
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield from ((f"{place} {node.name}", argument.arg) for argument in every)
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield place, node.target.id


def words_of(name: str) -> set[str]:
    """The words of a name in either case: `split_at`, `SplitAt`."""
    return set(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_"))


def test_public_names_have_no_banned_word() -> None:
    found = [
        f"{place}: {name} ({word}: write {BANNED[word]})"
        for place, name in public_names()
        if not name.startswith("_") and name not in MEANT
        for word in sorted(words_of(name) & set(BANNED))
    ]
    assert found == []


def test_no_two_public_classes_share_a_name() -> None:
    places = defaultdict(list)
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
