"""Splits by name, from strings and tables of experiment files."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from shoal.errors import UnknownNameError, UsageError
from shoal.tasks.splits.splitter import Splitter
from shoal.tasks.task import Split

if TYPE_CHECKING:
    from shoal.tasks.example import Example

SplitGiven = str | Mapping[str, Any] | Splitter | Split
"""A split as a person gives it: ``"length(share=0.2)"``, ``{"name": "length", "share": 0.2}``, or one made already."""


def make_split(name: str, **parameters: Any) -> Splitter:
    """The split of this name.

    Args:
        name: ``last-digit``, ``length``, ``token-cycle``, ``block``, ``random`` or ``part``; the parameters
            may stand behind it in brackets: ``last-digit(1,3,7)``, ``block(first=41,last=60)``.
        parameters: the fields of the splitter of that name.

    Raises:
        UnknownNameError: no split or parameter has that name; the nearest one is named.
        UsageError: a parameter is missing or has a value that cannot be used.
    """
    bare, positional, named = _read_call(name)
    known: dict[str, type[Splitter]] = {kind.name: kind for kind in Splitter.__subclasses__()}
    if bare not in known:
        raise UnknownNameError("split", bare, known)
    kind = known[bare]
    names = [field.name for field in fields(kind)]
    given = {**named, **parameters}
    if positional:
        given[names[0]] = positional[0] if len(positional) == 1 else tuple(positional)
    for parameter in given:
        if parameter not in names:
            raise UnknownNameError(f"parameter of the split {bare!r}", parameter, names)
    missing = [field.name for field in fields(kind) if field.default is MISSING and field.name not in given]
    if missing:
        raise UsageError(f"the split {bare!r} needs {' and '.join(missing)}")
    return kind(**given)


def bind_split(given: SplitGiven, examples: Sequence[Example]) -> Split:
    """The split of these examples, however it was given.

    Raises:
        UnknownNameError: no split or parameter has that name.
        UsageError: a parameter cannot be used, or the split holds out none of the examples or all of them.
    """
    if isinstance(given, Split):
        return given
    if isinstance(given, Splitter):
        return given.over(examples)
    if isinstance(given, str):
        return make_split(given).over(examples)
    if isinstance(given, Mapping) and isinstance(given.get("name"), str):
        return make_split(**given).over(examples)
    raise UsageError(f"the split is {given!r}; give its name, or a table with its name and parameters")


def _read_call(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Name, positional and named values of ``name(1, 2, key=3)``."""
    match = re.fullmatch(r"\s*([^()]+?)\s*(?:\((.*)\))?\s*", text)
    if match is None:
        raise UsageError(f"the split {text!r} cannot be read; write it as length(share=0.3)")
    name, inside = match.groups()
    broken = UsageError(f"the parameters of the split {text!r} cannot be read; write them as share=0.3")
    try:
        call = ast.parse(f"f({inside or ''})", mode="eval").body
        if not isinstance(call, ast.Call):
            raise broken
        positional = [ast.literal_eval(value) for value in call.args]
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise broken from error
    return name, positional, named
