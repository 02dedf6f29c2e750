"""Filters as text: ``gopher``, ``-c4-line-words``, ``perplexity(model=bundled:stories,max_score=200)``."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from shoal.curation.filters import filter_families, known_filters
from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.curation.filters import LineFilter, QualityFilter

_CALL = re.compile(r"(-?)([\w-]+?)\s*(?:\((.*)\))?", re.DOTALL)
# A comma behind which a closing bracket comes before any opening one lies inside of brackets.
_OUTSIDE_BRACKETS = re.compile(r",(?![^()]*\))")
_FORM = "write it as name, or as name(parameter=value,...)"


def split_specs(text: str) -> list[str]:
    """The filters in a list with commas; a comma in brackets belongs to its filter.

    Args:
        text: such as ``"gopher,perplexity(model=bundled:stories,max_score=200)"``.
    """
    return [part.strip() for part in _OUTSIDE_BRACKETS.split(text) if part.strip()]


def find_filters(specs: Sequence[str]) -> list[QualityFilter | LineFilter]:
    """The filters that specs name, in their order.

    Args:
        specs: the name of a filter or of a family, with parameters in brackets where it takes some; behind a minus
            (``"-c4-line-words"``) what is left out of the specs before it.

    Raises:
        UnknownNameError: no filter, family or parameter has a name.
        UsageError: a spec cannot be read, a parameter is missing or wrong, no filter is left, or one comes twice.
    """
    known, families = known_filters(), filter_families()
    chosen: dict[str, dict[str, Any]] = {}
    for spec in specs:
        minus, name, parameters = _read(spec)
        if name not in known and name not in families:
            raise UnknownNameError("filter", name, [*known, *families])
        members = (name,) if name in known else families[name]
        if minus:
            # In the order of the list: "gopher,-gopher-words" leaves one out, and what comes behind may bring it back.
            chosen = {one: given for one, given in chosen.items() if one not in members}
            continue
        if parameters and name not in known:
            raise UsageError(f"{name} is a family and takes no parameters; give them to one of {', '.join(members)}")
        if twice := [one for one in members if one in chosen]:
            raise UsageError(f"the filter {twice[0]} comes twice in {', '.join(specs)}; name it once")
        chosen |= dict.fromkeys(members, parameters)
    if not chosen:
        raise UsageError(f"no filter is left of {', '.join(specs) or 'an empty list'}; known: {', '.join(families)}")
    return [_build(known[name], parameters) for name, parameters in chosen.items()]


def _read(spec: str) -> tuple[bool, str, dict[str, Any]]:
    """Whether there is a minus, the name, and the parameters."""
    match = _CALL.fullmatch(spec.strip())
    if match is None:
        raise UsageError(f"the filter {spec!r} cannot be read; {_FORM}")
    minus, name, inside = match.groups()
    parameters: dict[str, Any] = {}
    for part in filter(None, map(str.strip, (inside or "").split(","))):
        key, equals, value = part.partition("=")
        if not equals or not value.strip():
            raise UsageError(f"the parameter {part!r} of the filter {name} cannot be read; {_FORM}")
        if key.strip() in parameters:
            raise UsageError(f"the filter {name} has two values of {key.strip()}; give it once")
        parameters[key.strip()] = _value(value.strip())
    if minus and parameters:
        raise UsageError(f"the filter {spec!r} is left out and needs no parameters; write -{name}")
    return bool(minus), name, parameters


def _value(text: str) -> str | float:
    """A number where it is one, else the text without quotes around it."""
    try:
        return float(text)
    except ValueError:
        return text.strip("'\"")


def _build(kind: type[QualityFilter | LineFilter], parameters: dict[str, Any]) -> QualityFilter | LineFilter:
    taken = inspect.signature(kind).parameters
    for name, value in parameters.items():
        if name not in taken:
            raise UnknownNameError(f"parameter of the filter {kind.name}", name, taken)
        # The annotations are text, as in every module of shoal.
        wants_number = "float" in str(taken[name].annotation)
        if wants_number != isinstance(value, float):
            what = "a number" if wants_number else "a text"
            raise UsageError(f"{name} of the filter {kind.name} is {value!r}; expected {what}")
    needed = [name for name, one in taken.items() if one.default is one.empty and one.kind is one.KEYWORD_ONLY]
    missing = [name for name in needed if name not in parameters]
    if missing:
        raise UsageError(
            f"the filter {kind.name} needs {' and '.join(missing)}; write it as {kind.name}({missing[0]}=...)"
        )
    return kind(**parameters)
