"""The page of ``shoal safety direction --plot``: rates before and after, the choice of the block, costs, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import DotRow, Section, document, dot_chart, figure, responsive, table
from shoal.safety.tuning import CONDITIONS

if TYPE_CHECKING:
    from shoal.safety.tuning import DirectionEffects
    from shoal.statistics import CrossedMean


def refusal_direction_page(found: DirectionEffects) -> str:
    """A whole document that opens offline.

    Args:
        found: the direction and its effects.
    """
    before, ablated = (found.rate(name, harmful=True).rate for name in CONDITIONS[:2])
    added = found.rate("added", harmful=False).rate
    result = (
        f"Harmful prompts refused: {before.corrected:.0%}, and {ablated.corrected:.0%} with the direction ablated. "
        f"Harmless ones: {found.rate('as it is', harmful=False).rate.corrected:.0%}, and {added.corrected:.0%} with it "
        "added."
    )
    sections = [
        Section("rates", "Refusals on prompts held out", _rates(found)),
        Section("blocks", "The choice of the block", _blocks(found)),
        Section("costs", "What it costs elsewhere", _costs(found)),
        Section("answers", "Answers", _answers(found)),
    ]
    title = f"The refusal direction of {found.model}"
    notes = " ".join(found.notes())
    return document(title, result, [one for one in sections if one.html], details=notes, picture=_picture(found))


def _picture(found: DirectionEffects) -> Markup:
    rows = []
    for harmful, kind in ((True, "harmful"), (False, "harmless")):
        for condition in CONDITIONS:
            rate = found.rate(condition, harmful=harmful).rate
            label = f"{kind}, {condition}"
            rows.append(DotRow(label=label, series=int(harmful), mean=rate.corrected, low=rate.low, high=rate.high))
    title = "prompts refused"
    chart = responsive(
        lambda width: dot_chart(rows, title=title, axis="corrected share", domain=(0, 1), width=width), title=title
    )
    return figure([chart], caption="Corrected rates with their intervals, on prompts that chose nothing.")


def _rates(found: DirectionEffects) -> Markup:
    rows = []
    for one in found.rates:
        interval = f"{one.rate.low:.1%} to {one.rate.high:.1%}"
        change = "" if one.change is None else _change(one.change)
        kind = "harmful" if one.harmful else "harmless"
        rows.append([kind, one.condition, f"{one.rate.corrected:.1%}", interval, f"{one.rate.raw:.1%}", change])
    head = ["Prompts", "Direction", "Refused", "Interval", "Raw", "Change, prompt by prompt"]
    return table(head, rows, caption="Refused fully or partly, corrected for the scorer's errors", numeric=(2, 4))


def _blocks(found: DirectionEffects) -> Markup:
    direction = found.direction
    rows = [
        [
            f"{one.block}" + (" (chosen)" if one.block == direction.block else ""),
            f"{one.ablated_log_odds:.2f}",
            f"{one.added_log_odds:.2f}",
            f"{one.divergence:.3f}",
            f"{one.norm:.2f}",
        ]
        for one in direction.candidates
    ]
    caption = (
        f"Mean log-odds that an answer opens as a refusal; without a change they are {direction.harmful_log_odds:.2f} "
        f"for harmful and {direction.harmless_log_odds:.2f} for harmless prompts. Divergence: of the first token of "
        "harmless answers by ablation, in nats."
    )
    head = ["Block", "Harmful, ablated", "Harmless, added", "Divergence", "Length"]
    return table(head, rows, caption=caption, numeric=(1, 2, 3, 4))


def _costs(found: DirectionEffects) -> Markup:
    rows = [
        [one.measure, one.condition, f"{one.value.value:.3f}", "" if one.change is None else _change(one.change)]
        for one in found.costs
    ]
    head = ["Measure", "Direction", "Value", "Change, item by item"]
    if not rows:
        return Markup("")
    return table(head, rows, caption="Held-out loss in nats per token, benchmarks as accuracy", numeric=(2,))


def _change(change: CrossedMean) -> str:
    return f"{change.value:+.3f} ({change.low:+.3f} to {change.high:+.3f})"


def _answers(found: DirectionEffects) -> Markup:
    blocks = []
    for place, first in enumerate(found.answers[CONDITIONS[0]]):
        kind = "harmful" if first.harmful else "harmless"
        texts = Markup("").join(
            Markup("<p><b>{}</b> ({})</p><pre>{}</pre>").format(
                name, found.answers[name][place].conduct or "empty", found.answers[name][place].completion
            )
            for name in CONDITIONS
        )
        blocks.append(Markup("<details><summary>{}: {}</summary>{}</details>").format(kind, first.prompt, texts))
    return Markup("").join(blocks)
