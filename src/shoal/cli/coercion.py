"""How words of the command line become values: as cyclopts does it, but nothing is rounded to a whole number."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, get_args

from cyclopts import convert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cyclopts import Token


def exactly(kind: Any, tokens: Sequence[Token]) -> Any:
    """The value of a parameter; 2.5 is refused where a whole number is expected, 2.0 is taken as 2.

    Args:
        kind: the type hint of the parameter.
        tokens: the words that were given for it.

    Raises:
        ValueError: A whole number was expected.
    """
    kinds = set(_leaves(kind))
    # Where a float or a text is allowed too, a fraction is one of those.
    if int in kinds and not kinds & {float, str}:
        broken = [token.value for token in tokens if _is_broken(token.value)]
        if broken:
            raise ValueError(f"{broken[0]} is no whole number")
    return convert(kind, tokens)


def _is_broken(word: str) -> bool:
    """Whether a word is a number with a fraction."""
    with suppress(ValueError):
        return "." in word and not float(word).is_integer()
    return False


def _leaves(kind: Any) -> Iterator[Any]:
    """The types that a hint is made of."""
    inner = get_args(kind)
    if not inner:
        yield kind
    for one in inner:
        yield from _leaves(one)
