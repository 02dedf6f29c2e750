"""The charts of a run's report: the loss of each arm and seed over the steps, and which items are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.figures import CurveLine, GridItem, curve_chart, item_grid_svg, responsive

if TYPE_CHECKING:
    from markupsafe import Markup

    from shoal.experiments import ItemRecord, Run
    from shoal.figures import ItemState


def curves(run: Run) -> list[Markup]:
    """An SVG for each arm, all with one loss axis; empty where nothing was trained."""
    lines = {arm: _lines(run, arm) for arm in run.arms}
    values = [value for arm in lines.values() for line in arm for value in line.values]
    if not values:
        return []
    # One loss axis, since arms are compared by eye across panels.
    domain = (min(values), max(values))
    return [_curve(name, arm, place, domain) for place, (name, arm) in enumerate(lines.items()) if arm]


def _curve(arm: str, lines: list[CurveLine], place: int, domain: tuple[float, float]) -> Markup:
    """The curves of one arm."""
    return responsive(
        lambda width: curve_chart(
            lines, title=arm, axis="loss (nats per token)", series=place, domain=domain, width=width
        ),
        title=f"Learning curves of {arm}: {len(lines)} seeds, loss over steps",
        wide=460,
    )


def _lines(run: Run, arm: str) -> list[CurveLine]:
    """The curves of an arm; steps whose loss is not a number are left out."""
    lines = []
    for seed in run.seeds_of(arm):
        points = [(point.step, point.loss) for point in seed.curve if point.loss is not None]
        if points:
            steps, losses = zip(*points, strict=True)
            lines.append(CurveLine(name=f"seed {seed.seed}", steps=steps, values=losses))
    return lines


def item_grids(run: Run) -> list[Markup]:
    """A drawing of each arm that has items after training; empty where none has."""
    drawn = []
    for arm in run.arms:
        cells = [
            GridItem(
                column=_column(record),
                row=f"seed {seed.seed}",
                state=_state(record),
                held_out=record.split == "held_out",
            )
            for seed in run.seeds_of(arm)
            for record in seed.after
        ]
        if cells:
            drawn.append(_grid(cells, arm, _axis(run)))
    return drawn


def _grid(cells: list[GridItem], arm: str, axis: str) -> Markup:
    """The items of one arm."""
    return responsive(lambda width: item_grid_svg(cells, title=arm, axis=axis, width=width))


def _column(record: ItemRecord) -> int:
    """Where an item stands: its tag ``index`` where that is a whole number, else its place in the list."""
    tag = record.tags.get("index")
    # True is an int in Python, and no place.
    return tag if isinstance(tag, int) and not isinstance(tag, bool) else int(record.index)


def _state(record: ItemRecord) -> ItemState:
    """How an item went."""
    if record.exact_match:
        return "right"
    return record.divergence or "other"


def _axis(run: Run) -> str:
    """What the columns are."""
    tagged = any("index" in record.tags for seed in run.seeds for record in seed.after[:1])
    return "index i of the item" if tagged else "place of the item"
