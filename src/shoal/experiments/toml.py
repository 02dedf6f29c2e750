"""TOML out: enough for an experiment (the standard library only reads it)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_toml(table: Mapping[str, Any]) -> str:
    """The table as a TOML document: its values first, then one section a table. None is left out."""
    return "\n".join(_section(table, ())).lstrip("\n") + "\n"


def _section(table: Mapping[str, Any], place: tuple[str, ...]) -> list[str]:
    values = {key: value for key, value in table.items() if not isinstance(value, dict) and value is not None}
    tables = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = [f"\n[{'.'.join(map(_key, place))}]"] if place and (values or not tables) else []
    lines += [f"{_key(key)} = {_value(value)}" for key, value in values.items()]
    for key, inner in tables.items():
        lines += _section(inner, (*place, key))
    return lines


def _key(key: str) -> str:
    plain = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if plain else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_value(inner)}' for key, inner in value.items())} }}"
    # A TOML basic string escapes as JSON does, and DEL besides.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
