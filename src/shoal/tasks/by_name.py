"""Objects by name with their parameters, as a person writes them: ``length(share=0.3)``, or a table of a file."""

from __future__ import annotations

import ast
import re
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar

from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance

    D = TypeVar("D", bound=DataclassInstance)


def make_by_name(what: str, known: Mapping[str, type[D]], text: str, parameters: Mapping[str, Any], *, form: str) -> D:
    """The object of a name: a dataclass of a registry, whose fields are its parameters.

    Args:
        what: the kind of thing, in error messages: ``split``.
        known: from names to dataclasses.
        text: the name; parameters may stand behind it in brackets: ``last-digit(1,3,7)``, ``block(first=41,last=60)``.
        parameters: further ones by name.
        form: an example with one parameter, for the message: ``length(share=0.3)``.

    Raises:
        UnknownNameError: nothing, or no parameter of it, has that name; the nearest one is named.
        UsageError: the brackets cannot be read, a parameter is missing, or a value cannot be used.
    """
    bare, positional, named = _read_call(what, text, form)
    if bare not in known:
        raise UnknownNameError(what, bare, known)
    kind = known[bare]
    names = [field.name for field in fields(kind)]
    given = {**named, **parameters}
    if positional and not names:
        raise UsageError(f"the {what} {bare!r} takes no parameters; write {bare} alone")
    if positional:
        # Values without a name all go to the first field, as in last-digit(1,3,7).
        given[names[0]] = positional[0] if len(positional) == 1 else tuple(positional)
    for parameter in given:
        if parameter not in names:
            raise UnknownNameError(f"parameter of the {what} {bare!r}", parameter, names)
    missing = [field.name for field in fields(kind) if field.default is MISSING and field.name not in given]
    if missing:
        raise UsageError(f"the {what} {bare!r} needs {' and '.join(missing)}")
    return kind(**given)


def _read_call(what: str, text: str, form: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Name, positional and named values of ``name(1, 2, key=3)``."""
    match = re.fullmatch(r"\s*([^()]+?)\s*(?:\((.*)\))?\s*", text)
    if match is None:
        raise UsageError(f"the {what} {text!r} cannot be read; write it as {form}")
    name, inside = match.groups()
    broken = UsageError(f"the parameters of the {what} {text!r} cannot be read; write it as {form}")
    # Python's own parser reads the values, and literal_eval runs no code: the text may come from anybody's file.
    try:
        call = ast.parse(f"f({inside or ''})", mode="eval").body
        # "length(1)+(2)" parses, too, but as a sum.
        if not isinstance(call, ast.Call):
            raise broken
        positional = [ast.literal_eval(value) for value in call.args]
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise broken from error
    return name, positional, named
