"""The events of a training: a table, and the marks on its curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.figures import Section, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN = 200


def events_section(rows: Sequence[Mapping[str, Any]]) -> Section:
    """What the watch has seen, and what the schedule has done.

    Args:
        rows: of ``events.jsonl``, each with ``step``, ``kind`` and ``text``.
    """
    shown = [[f"{row['step']:,}", row["kind"], row["text"]] for row in rows[:_SHOWN]]
    caption = f"The first {_SHOWN} of {len(rows):,} events." if len(rows) > _SHOWN else "In the order of the steps."
    return Section("events", "Events", table(["step", "kind", "what happened"], shown, caption=caption, numeric=[0]))


def event_marks(rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """The marks of events on a curve.

    Args:
        rows: as in `events_section`.
    """
    return [(row["step"], row["text"].partition("\n")[0]) for row in rows[:_SHOWN]]
