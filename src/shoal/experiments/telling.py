"""A verdict in words: the sentence that it opens with, what would settle it, and the text that a terminal shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from shoal.statistics import fewest_seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.experiments.verdict import Control, Effect, Verdict, Word

_STAGES = (("held_out", "before"), ("held_out", "after"), ("seen", "after"))


def sentence(
    word: Word, effect: Effect, *, treatment: str, baseline: str, items: int, controls: Sequence[Control]
) -> str:
    """The verdict in one sentence."""
    basis = f"{_count(len(effect.seeds), 'seed')}, {_count(items, 'held-out item')}"
    gained = _gained(effect, treatment, baseline)
    interval = f"{100 * effect.confidence:g}% interval {_number(effect.low)} to {_number(effect.high)}"
    if word == "confounded":
        failed = [control for control in controls if not control.passed]
        return (
            f"The comparison cannot answer the hypothesis, since {_listed([control.says for control in failed])} "
            f"({gained}; {interval}; {basis})."
        )
    if word == "supported":
        return f"{_capital(gained)} ({interval}; {basis}); an effect of {effect.smallest:g} matters."
    if word == "refuted":
        return (
            f"If {treatment} is better than {baseline} in {effect.measure}, it is by less than the "
            f"{effect.smallest:g} that matters: the effect is {_number(effect.estimate)} ({interval}; {basis})."
        )
    if not math.isfinite(effect.low):
        return (
            f"{_capital(gained)}, but {basis} cannot exclude anything: with fewer than "
            f"{fewest_seeds(alpha=1 - effect.confidence)} seeds no result reaches {100 * effect.confidence:g}%."
        )
    return (
        f"These seeds cannot tell: {gained}, and the {interval} ({basis}) excludes neither an effect of "
        f"{effect.smallest:g}, which would matter, nor a smaller one."
    )


def what_is_needed(seeds: int | None, current: int, distance: float) -> str:
    """What would settle an underpowered experiment."""
    if seeds is None:
        return "no number of seeds up to 100,000 would settle it; state a larger smallest effect or reduce the spread"
    if seeds <= current:
        return (
            f"about as many seeds again ({2 * current} in all): {current} should have sufficed to tell a difference of "
            f"{_number(distance)} from none, as often as 80 times in 100"
        )
    return f"{seeds} seeds an arm: they tell a difference of {_number(distance)} from none, as often as 80 times in 100"


def verdict_text(verdict: Verdict) -> str:
    """The whole verdict as plain text."""
    lines = [
        f"{verdict.verdict.upper()}: {verdict.sentence}",
        "",
        f"hypothesis  {verdict.hypothesis}",
        f"task        {verdict.task}, split {verdict.split}: {verdict.seen_items} seen, {verdict.items} held out",
        _effect_line(verdict),
    ]
    if verdict.smallest_detectable_effect is not None:
        found = _number(verdict.smallest_detectable_effect)
        lines.append(f"power       so many seeds, differing so much, find an effect of {found} in 80 of 100 runs")
    if verdict.needed:
        lines.append(f"to settle   {verdict.needed}")
    lines += ["", *_table(verdict), "", "controls"]
    lines += [
        f"  {'passed' if control.passed else 'FAILED'}  {control.name}: {control.says}" for control in verdict.controls
    ]
    return "\n".join(lines)


def _effect_line(verdict: Verdict) -> str:
    effect = verdict.effect
    return (
        f"effect      {_number(effect.estimate)} {effect.measure}, {verdict.treatment} - {verdict.baseline}, "
        f"{100 * effect.confidence:g}% interval {_number(effect.low)} to {_number(effect.high)}, "
        f"p = {effect.p_value:.2g} ({effect.method} sign flips over {_count(len(effect.seeds), 'seed')})"
    )


def _table(verdict: Verdict) -> list[str]:
    """Every measure, arm by arm, with intervals over seeds."""
    arms = list(next(iter(verdict.measures.values()))["arms"])
    head = ["measure", "items", "", *arms]
    rows = [head]
    for record in verdict.measures.values():
        for split, stage in _STAGES:
            cells = [_cell(record["arms"][arm].get(stage, {}).get(split)) for arm in arms]
            if any(cells):
                rows.append([record["label"], split.replace("_", " "), stage, *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    confidence = f"{100 * verdict.effect.confidence:g}%"
    return [*text, f"mean over {_count(verdict.seeds, 'seed')} [{confidence} interval over seeds]"]


def _cell(record: dict[str, Any] | None) -> str:
    if record is None or record["mean"] is None:
        return ""
    low, high = record["low"], record["high"]
    bounds = f" [{low:.2f}, {high:.2f}]" if math.isfinite(low) else ""
    return f"{record['mean']:.3f}{bounds}"


def _gained(effect: Effect, treatment: str, baseline: str) -> str:
    if not effect.seeds:
        return f"{effect.measure} has no value in both arms of any seed"
    if effect.estimate == 0:
        return f"{treatment} and {baseline} are equal in {effect.measure}"
    verb = "beats" if effect.estimate > 0 else "falls behind"
    return f"{treatment} {verb} {baseline} by {_number(abs(effect.estimate))} in {effect.measure}"


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "nothing"
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) >= 0.001 or value == 0 else f"{value:.2g}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _listed(clauses: list[str]) -> str:
    return " and ".join(clauses)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
