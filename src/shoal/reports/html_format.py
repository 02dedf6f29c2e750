"""Any JSON value as HTML, for records whose keys are free: scalars in a table of two columns, rows in a table."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from shoal.figures import table

Record = dict[str, Any]
"""A record of a run folder: plain values by name."""

# A free record may hold a row for each item; beyond this a page becomes slow, and the file is the place to look.
MAX_ROWS = 200
MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


def facts(value: Any, *, caption: str) -> Markup:
    """HTML of a JSON value; a long list is cut, and says so.

    Args:
        value: what `json.loads` gives.
        caption: what it is.
    """
    if isinstance(value, dict):
        return _mapping(value, caption)
    if isinstance(value, list):
        return _sequence(value, caption)
    return Markup("<p>{}: {}</p>").format(caption, value_text(value))


def value_text(value: Any) -> str:
    """A scalar for a person."""
    if value is None:
        return NOTHING
    # Before numbers, since True is an int in Python.
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {value_text(part)}" for key, part in value.items()) or NOTHING
    if isinstance(value, list):
        return ", ".join(value_text(part) for part in value) or NOTHING
    return str(value)


def number(value: float, digits: int = 3) -> str:
    """A number with a true minus sign, short and without noise.

    Args:
        value: the number.
        digits: decimals of a number of usual size, significant digits of a very small or large one.
    """
    # Not a number is the one value that differs from itself.
    if value != value:
        return "not a number"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else f"{MINUS}∞"
    # With fixed digits a smaller number would be shown as 0, which it is not.
    text = f"{value:.{digits}f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.{digits}g}"
    return text.replace("-", MINUS)


def badge(*, passed: bool) -> Markup:
    """Passed or failed, by sign, word and colour."""
    kind, text = ("right", "✓ passed") if passed else ("wrong", "✗ failed")
    return Markup('<span class="badge {}">{}</span>').format(kind, text)


def plan_text(text: Markup, plan: str) -> Markup:
    """The file of a run as its folder keeps it; empty where there is none.

    Args:
        text: what it is and how it repeats the run, before it.
        plan: the text of the file.
    """
    return Markup("<p>{}</p><pre>{}</pre>").format(text, plan) if plan else Markup("")


def words(key: str) -> str:
    """A key as words."""
    return key.replace("_", " ")


def _mapping(value: dict[str, Any], caption: str) -> Markup:
    """Scalars together in one table, everything nested under a heading of its own."""
    flat = {key: part for key, part in value.items() if not _is_nested(part)}
    parts = (
        [table(["what", "value"], [[words(k), value_text(v)] for k, v in flat.items()], caption=caption)]
        if flat
        else []
    )
    for key, part in value.items():
        if _is_nested(part):
            parts += [Markup("<h3>{}</h3>").format(words(key)), facts(part, caption=words(key))]
    return Markup("").join(parts)


def _sequence(value: list[Any], caption: str) -> Markup:
    """Rows with common keys as a table, anything else as a list."""
    shown, left = value[:MAX_ROWS], len(value) - MAX_ROWS
    if shown and all(isinstance(row, dict) for row in shown):
        keys = list(dict.fromkeys(key for row in shown for key in row))
        # A cell that a row lacks is no text, hence the 0.
        numeric = [k for k, key in enumerate(keys) if all(isinstance(row.get(key, 0), int | float) for row in shown)]
        rows = [[value_text(row.get(key)) for key in keys] for row in shown]
        html = table([words(key) for key in keys], rows, caption=caption, numeric=numeric)
    else:
        html = Markup("<ul>{}</ul>").format(
            Markup("").join(Markup("<li>{}</li>").format(value_text(row)) for row in shown)
        )
    return html + Markup("<p class=muted>… and {} more.</p>").format(left) if left > 0 else html


def _is_nested(value: Any) -> bool:
    """Whether a value needs a table of its own."""
    if isinstance(value, dict):
        # Up to four plain values are readable in one cell.
        return bool(value) and (len(value) > 4 or any(isinstance(part, dict | list) for part in value.values()))
    return isinstance(value, list) and (len(value) > 8 or any(isinstance(part, dict | list) for part in value))
