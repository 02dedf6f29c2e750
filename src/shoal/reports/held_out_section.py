"""The held-out curve of a training, its gap to the training loss, and whether it overfits, as part of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.figures import LossPair, Section, loss_gap_chart, responsive, table
from shoal.wording import capital

if TYPE_CHECKING:
    from markupsafe import Markup

    from shoal.training import HeldOutCurve

_WIDTH = 460


def held_out_drawing(curve: HeldOutCurve) -> Markup:
    """The held-out loss and that of the training sample by step.

    Args:
        curve: of a training.
    """
    pairs = [
        LossPair(step=one.step, held_out=one.loss, low=one.low, high=one.high, training=one.training_loss)
        for one in curve.points
    ]
    onset = None if curve.onset is None else (curve.onset.step, curve.onset.low, curve.onset.high)
    return responsive(
        lambda width: loss_gap_chart(pairs, axis="nats per token", onset=onset, width=width),
        title="held-out loss and training loss by step",
        wide=_WIDTH,
    )


def held_out_section(curve: HeldOutCurve) -> Section:
    """Every evaluation with its intervals, under the sentence on overfitting.

    Args:
        curve: of a training.
    """
    rows = [
        [
            f"{one.step:,}",
            f"{one.loss:.4f}",
            _ends(one.low, one.high),
            "" if one.gap is None else f"{one.gap:.4f}",
            _ends(one.gap_low, one.gap_high),
        ]
        for one in curve.points
    ]
    caption = (
        f"{capital(curve.overfitting)}. Nats per token over {curve.documents:,} held-out documents; the gap is the "
        "held-out loss less that of documents that were trained on, by the same weights. Intervals of "
        f"{100 * curve.confidence:g}% by a bootstrap over documents, none of fewer than six."
    )
    head = ["step", "held-out loss", "interval", "gap", "interval of the gap"]
    return Section("gap", "Held-out loss and gap", table(head, rows, caption=caption, numeric=range(5)))


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4f} to {high:.4f}"
