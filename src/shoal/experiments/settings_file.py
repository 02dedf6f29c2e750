"""The file of settings in a run folder: written once, compared when the run is resumed."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, TypeGuard

from shoal.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def differing(held: dict[str, Any], wanted: dict[str, Any], place: str = "") -> list[tuple[str, Any, Any]]:
    """The keys whose values differ, each with both values; None where one side lacks the key.

    Args:
        held: one table.
        wanted: the other.
        place: the dotted key of both, with a dot behind it.
    """
    found: list[tuple[str, Any, Any]] = []
    for key in dict.fromkeys([*held, *wanted]):
        before, now = held.get(key), wanted.get(key)
        if isinstance(before, dict) and isinstance(now, dict):
            found += differing(before, now, f"{place}{key}.")
        # Entry by entry, so that the message names the key that differs and does not print two lists.
        elif _are_tables(before) and _are_tables(now) and len(before) == len(now):
            for number, (one, other) in enumerate(zip(before, now, strict=True)):
                found += differing(one, other, f"{place}{key}.{other.get('name', number)}.")
        elif before != now:
            found.append((f"{place}{key}", before, now))
    return found


def _are_tables(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def read_settings(plan: Path) -> dict[str, Any]:
    """The experiment of a run folder as plain values.

    Raises:
        StoreError: the file is damaged.
    """
    try:
        return tomllib.loads(plan.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{plan} is damaged ({error}); give another folder with --out, or delete this one") from error


def flatten(table: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Nested tables as one, by dotted key.

    Args:
        table: of tables and values.
        place: the key of the table itself, with its dot.
    """
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= flatten(value, f"{place}{key}.")
        else:
            found[f"{place}{key}"] = value
    return found
