"""The curve of a fine-tuning as one HTML file."""

from __future__ import annotations

import math
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.experiments import write_text
from shoal.figures import CurveLine, curve_chart, document, figure, responsive
from shoal.reports.events_section import event_marks, events_section
from shoal.reports.held_out_section import held_out_drawing, held_out_section
from shoal.wording import capital

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.training import TrainResult
    from shoal.training.watch import WatchEvent

_WIDTH = 460


def write_tuning_report(result: TrainResult, folder: Path | str, *, events: Sequence[WatchEvent] = ()) -> Path:
    """Write ``curve.html`` of a training that evaluated held-out documents.

    Args:
        result: of the training.
        folder: that the page is written into.
        events: what a watch has seen.

    Returns:
        Its path.

    Raises:
        StoreError: the disk is full.
        ValueError: nothing was held out.
    """
    held_out = result.held_out
    if held_out is None:
        raise ValueError("a training without held-out documents has no held-out curve to draw")
    # A loss that is not finite is no point of the curve; its update was left out.
    curve = [point for point in result.curve if math.isfinite(point.loss)]
    loss = CurveLine(
        name="training",
        steps=tuple(point.step for point in curve),
        values=tuple(point.loss for point in curve),
    )
    rows = [event.to_dict() for event in events] + [decision.to_dict() for decision in result.decisions]
    rows.sort(key=itemgetter("step"))
    steps = responsive(
        lambda width: curve_chart(
            [loss], title="training loss", axis="nats per token", width=width, marks=event_marks(rows)
        ),
        title="training loss by step",
        wide=_WIDTH,
    )
    html = document(
        f"Tuning, written to {Path(folder).resolve().name}",
        f"{capital(held_out.overfitting)}; the model has the weights of step {held_out.returned_step:,}.",
        [held_out_section(held_out), *([events_section(rows)] if rows else [])],
        details=f"{result.steps:,} steps in {result.precision}.",
        picture=figure(
            [steps, held_out_drawing(held_out)],
            caption="The loss of each step, and of held-out rows with its interval (band).",
        ),
    )
    path = Path(folder) / "curve.html"
    write_text(path, html)
    return path
