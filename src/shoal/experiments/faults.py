"""What pydantic finds wrong with a table of a file, in one line that names the key and the nearest known one."""

from __future__ import annotations

import difflib
import types
import typing
from typing import Any, Union

from pydantic import BaseModel

if typing.TYPE_CHECKING:
    from pydantic import ValidationError


def fault_line(error: ValidationError, root: type[BaseModel]) -> str:
    """The gravest fault, and how many there are besides.

    Args:
        error: what the validation raised.
        root: the model of the whole file.
    """
    # A misspelt key is also a missing one; the misspelling says more.
    faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    return _fault(faults[0], len(faults), root)


def _fault(fault: Any, faults: int, root: type[BaseModel]) -> str:
    place = tuple(str(step) for step in fault["loc"])
    key = ".".join(place)
    more = f" (and {faults - 1} more)" if faults > 1 else ""
    if fault["type"] == "extra_forbidden":
        known = _keys_at(place[:-1], root)
        near = difflib.get_close_matches(place[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"unknown key {key!r}; {hint}{more}"
    if fault["type"] == "missing":
        return f"the key {key!r} is missing; add it{more}"
    if fault["type"] == "value_error":
        return f"{fault['ctx']['error']}{more}"
    return f"{key} = {_short(fault['input'])}: {_lower_first(fault['msg'])}{more}"


def _keys_at(place: tuple[str, ...], root: type[BaseModel]) -> list[str]:
    """The keys that are known in a table of the file."""
    model = root
    for step in place:
        if not step.isdecimal():  # the place in a list of tables
            model = _table_of(model.model_fields[step].annotation)
    return list(model.model_fields)


def _table_of(annotation: Any) -> type[BaseModel]:
    """The table's model among the types of an annotation."""
    kinds = [annotation]
    while kinds:
        kind = kinds.pop(0)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
        if typing.get_origin(kind) in (Union, types.UnionType, tuple, typing.Annotated):
            kinds += typing.get_args(kind)
    raise AssertionError(f"{annotation} holds no table")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
