"""Plain Python values as JSON that keeps their types, so that answers are compared outside of the program's process.

Text, numbers, true, false and null stand for themselves; a list, tuple, set, frozen set, dictionary, bytes or a very
large whole number is an object with its type as the one key. No other value is taken: an object of the program's own
could compare as it likes.
"""

from __future__ import annotations

import json
import math
from typing import Any

_LARGE_BITS = 10_000
"""Whole numbers of more bits are written in hexadecimal: Python writes and reads no decimal of over 4,300 digits."""

_TOLERANCE = 1e-9
"""Relative, and absolute near zero: sums of floats in another order are equal."""


def encode(value: Any) -> Any:
    """The value as JSON can hold it.

    Args:
        value: of the types above, nested as deep as Python's recursion limit lets it.

    Raises:
        TypeError: a value of another type is in it.
    """
    # By type and not `isinstance`: a subclass may answer as it likes.
    kind = type(value)
    if kind is int and value.bit_length() > _LARGE_BITS:
        return {"int": hex(value)}
    if value is None or kind in (bool, int, float, str):
        return value
    if kind in (list, tuple):
        return {kind.__name__: [encode(entry) for entry in value]}
    if kind in (set, frozenset):
        return {kind.__name__: sorted(map(encode, value), key=_order)}
    if kind is dict:
        pairs = ([encode(key), encode(entry)] for key, entry in value.items())
        return {"dict": sorted(pairs, key=lambda pair: _order(pair[0]))}
    if kind is bytes:
        return {"bytes": value.hex()}
    raise TypeError(f"a value of type {kind.__name__} is no plain value")


def decode(encoded: Any) -> Any:
    """The value again.

    Args:
        encoded: as `encode` gives it.
    """
    if not isinstance(encoded, dict):
        return encoded
    ((name, content),) = encoded.items()
    if name == "bytes":
        return bytes.fromhex(content)
    if name == "int":
        return int(content, 16)
    if name == "dict":
        return {decode(key): decode(entry) for key, entry in content}
    kinds: dict[str, type] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
    return kinds[name](map(decode, content))


def same(expected: Any, given: Any) -> bool:
    """Whether two encoded values are equal: of the same types, floats up to rounding.

    Args:
        expected: from a trusted source; it bounds the depth of the comparison.
        given: anything that JSON can hold.
    """
    if type(expected) is not type(given):
        return False
    if isinstance(expected, float):
        both_nan = math.isnan(expected) and math.isnan(given)
        return both_nan or math.isclose(expected, given, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    if isinstance(expected, list):
        return len(expected) == len(given) and all(map(same, expected, given))
    if isinstance(expected, dict):
        return expected.keys() == given.keys() and all(same(expected[key], given[key]) for key in expected)
    return bool(expected == given)


def _order(encoded: Any) -> tuple[bool, float, str]:
    # Numbers by size: as text 9.999999999999998 would stand behind 5.0 and 10.0, which it may stand for, before it.
    if type(encoded) in (int, float) and encoded == encoded:  # NaN has no place among numbers
        return False, encoded, ""
    return True, 0.0, json.dumps(encoded)
