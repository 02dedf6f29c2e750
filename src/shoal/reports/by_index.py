"""Which items are right, by their index: a strip for each arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.figures import Cell, strip_svg

if TYPE_CHECKING:
    from shoal.experiments import ItemRecord, Run
    from shoal.figures import State


def strips(run: Run) -> list[str]:
    """An SVG for each arm that has items after training; empty where none has."""
    drawn = []
    for arm in run.arms:
        cells = [
            Cell(
                column=_column(record),
                row=f"seed {seed.seed}",
                state=_state(record),
                held_out=record.split == "held_out",
            )
            for seed in run.seeds_of(arm)
            for record in seed.after
        ]
        if cells:
            drawn.append(strip_svg(cells, title=arm, axis=_axis(run)))
    return drawn


def _column(record: ItemRecord) -> int:
    """Where an item stands: its tag ``index`` where that is a whole number, else its place in the list."""
    tag = record.tags.get("index")
    return tag if isinstance(tag, int) and not isinstance(tag, bool) else int(record.index)


def _state(record: ItemRecord) -> State:
    """How an item went."""
    if record.exact_match:
        return "right"
    return record.divergence or "other"


def _axis(run: Run) -> str:
    """What the columns are."""
    tagged = any("index" in record.tags for seed in run.seeds for record in seed.after[:1])
    return "index i of the item" if tagged else "place of the item"
