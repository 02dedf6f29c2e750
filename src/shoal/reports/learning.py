"""Learning curves: the loss of each arm and seed over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.figures import CurveLine, curve_chart, to_svg

if TYPE_CHECKING:
    from shoal.experiments import Run


def curves(run: Run) -> list[str]:
    """An SVG for each arm, all with one loss axis; empty where nothing was trained."""
    lines = {arm: _lines(run, arm) for arm in run.arms}
    values = [value for arm in lines.values() for line in arm for value in line.values]
    if not values:
        return []
    domain = (min(values), max(values))
    return [
        to_svg(
            curve_chart(arm, title=name, axis="loss (nats a token)", series=place, domain=domain),
            title=f"Learning curves of {name}: {len(arm)} seeds, loss over steps",
        )
        for place, (name, arm) in enumerate(lines.items())
        if arm
    ]


def _lines(run: Run, arm: str) -> list[CurveLine]:
    """The curves of an arm; steps whose loss is not a number are left out."""
    lines = []
    for seed in run.seeds_of(arm):
        points = [(point.step, point.loss) for point in seed.curve if point.loss is not None]
        if points:
            steps, losses = zip(*points, strict=True)
            lines.append(CurveLine(name=f"seed {seed.seed}", steps=steps, values=losses))
    return lines
