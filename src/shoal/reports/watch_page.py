"""The events of trainings that are over, on their curves, as one HTML file."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures import CurveLine, Section, curve_chart, document, figure, responsive
from shoal.reports.events_section import event_marks, events_table
from shoal.wording import format_duration, joined, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.training.watch import LogEvents

_WIDTH = 900
MAX_DRAWN = 24
"""Logs whose curves are drawn; those of a large experiment come to hundreds."""


def watch_page(name: str, logs: Sequence[LogEvents]) -> str:
    """The page of some logs: for each its curve, with its events as upright lines, and a table of them.

    Args:
        name: what was read.
        logs: at least one.
    """
    # The logs with events first, where not all can be drawn.
    shown = sorted(logs, key=lambda log: not log.events)[:MAX_DRAWN]
    sections = [Section(f"log-{place}", _heading(log, name), _log(log)) for place, log in enumerate(shown)]
    left = len(logs) - len(shown)
    return document(
        f"Events of {name}",
        _result(logs),
        sections,
        details=f"{plural(left, 'log')} without a drawing." if left else "",
    )


def _result(logs: Sequence[LogEvents]) -> str:
    """How many events of which kinds there are, in how many steps; of one log also where the first is."""
    kinds = Counter(log[place].kind for log in logs for place in range(len(log)))
    steps = plural(sum(len(log.steps) for log in logs), "step")
    where = steps if len(logs) == 1 else f"{plural(len(logs), 'log')} of {steps} together"
    if not kinds:
        return f"No event in {where}: no spike, plateau or divergence."
    if kinds.total() == 1:
        step = next(log[0].step for log in logs if len(log))
        return f"One event in {where}: a {next(iter(kinds))} at step {step:,}."
    listed = joined([plural(count, kind) for kind, count in kinds.items()])
    return f"{plural(kinds.total(), 'event')} in {where}: {listed}."


def _heading(log: LogEvents, name: str) -> str:
    """The log's name below what was read."""
    return log.name.removeprefix(f"{name.rstrip('/')}/")


def _log(log: LogEvents) -> Markup:
    rows = [_row(log, place) for place in range(len(log))]
    parts = []
    drawn = [(step, loss) for step, loss in zip(log.steps, log.losses, strict=True) if math.isfinite(loss)]
    if drawn:
        line = CurveLine(name="loss", steps=tuple(step for step, _ in drawn), values=tuple(loss for _, loss in drawn))
        svg = responsive(
            lambda width: curve_chart(
                [line], title="loss", axis="loss", width=width, points=400, marks=event_marks(rows)
            ),
            title=f"Loss by step of {log.name}, with {plural(len(rows), 'event')}",
            wide=_WIDTH,
        )
        parts.append(figure([svg], caption="The loss of the log, averaged over windows; an upright line is an event."))
    parts.append(events_table(rows) if rows else Markup("<p>No event was seen.</p>"))
    return Markup("\n").join(parts)


def _row(log: LogEvents, place: int) -> dict[str, Any]:
    event = log[place]
    seconds = log.seconds_of(event)
    after = "" if seconds is None else f", after {format_duration(seconds)}"
    return event.to_dict() | {"text": f"{event.line()}{after}"}
