"""The parts of rows: their column ``part`` marks which may be trained on and which are held out.

``shoal task --out`` writes both into one file. Whatever trains on rows must leave the held-out ones alone.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.tasks.task import Example

Part = Literal["seen", "held_out"]
PART_TAG = "part"

# The names that data sets of the Hugging Face Hub use for their splits.
_PARTS: Mapping[str, Part] = {
    **dict.fromkeys(("seen", "train", "training"), "seen"),
    **dict.fromkeys(("held_out", "test", "testing", "validation", "valid", "val", "dev", "eval"), "held_out"),
}


def rows_by_part(rows: Sequence[Example]) -> dict[Part, list[Example]]:
    """The rows of each part, in order; empty where the rows have no column ``part``.

    ``train`` and ``training`` mean ``seen``; ``test``, ``validation``, ``valid``, ``val``, ``dev`` and ``eval`` mean
    ``held_out``. A column that holds none of these names (a part of speech, for example) is a tag like others.

    Raises:
        DataError: some rows are of a known part, and others of none or of an unknown one.
    """
    known = [part_of(row) for row in rows]
    if not any(known):
        return {}
    parts: dict[Part, list[Example]] = {"seen": [], "held_out": []}
    for place, (row, part) in enumerate(zip(rows, known, strict=True), start=1):
        if part is None:
            raise DataError(
                f"row {place} is of the part {row.tags.get(PART_TAG)!r}, while others are of {_named(known)}; give "
                "each row seen (or train) or held_out (or test), or take the column 'part' away"
            )
        parts[part].append(row)
    return parts


def rows_of_part(rows: Sequence[Example], part: Part) -> list[Example]:
    """The rows of one part, in order.

    Args:
        rows: the rows of a file, with the column ``part``.
        part: ``seen`` or ``held_out``.

    Raises:
        UsageError: the rows have no column ``part``.
        DataError: none is of that part, or a row is of an unknown one.
    """
    parts = rows_by_part(rows)
    if not parts:
        raise UsageError("the rows have no column 'part' with the values seen and held_out; add one, or use all rows")
    if not parts[part]:
        raise DataError(f"none of the {len(rows)} rows is of the part {part}")
    return parts[part]


def part_of(row: Example) -> Part | None:
    """The part of a row; None where it names none."""
    name = str(row.tags.get(PART_TAG, "")).strip().lower().replace("-", "_").replace(" ", "_")
    return _PARTS.get(name)


def _named(known: Sequence[Part | None]) -> str:
    return " and ".join(f"{part} ({count})" for part, count in Counter(filter(None, known)).items())
