"""Benchmarks as one HTML page: the result in a sentence, every figure with its interval, and the items to search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures import DotRow, Section, document, dot_chart, figure, responsive, table, templates, text_of
from shoal.reports.html_format import NOTHING
from shoal.wording import plural

if TYPE_CHECKING:
    from altair import LayerChart

    from shoal.evaluation.benchmarks import BenchmarkResults, TaskResult

_ROOM = "shoal.reports"


def benchmark_page(found: BenchmarkResults) -> str:
    """A whole document that opens offline.

    Args:
        found: with the items that the page shows, see ``keep_items`` of `evaluate_benchmarks`.
    """
    sections = [Section("figures", "Figures", _figures(found))]
    if found.groups:
        sections.append(Section("groups", "Groups of tasks", _groups(found)))
    data: dict[str, object] = {}
    if found.shown:
        sections.append(Section("items", "Items", _items(found)))
        data["benchmark-items"] = [item.to_dict() for item in found.shown]
    return document(
        f"Benchmarks of {found.model}",
        found.headline(),
        sections,
        details=_details(found),
        picture=_picture(found),
        script=text_of(_ROOM, "benchmark.js"),
        data=data,
    )


def _details(found: BenchmarkResults) -> str:
    items = sum(task.items for task in found.tasks)
    reuse = "shared beginnings computed once" if found.reuses_prefixes else "each request read by itself"
    sizes = f"{plural(len(found.tasks), 'task')}, {plural(items, 'item')}"
    return f"{sizes}; digest {found.digest[:12]}, {found.dtype}; {reuse}."


def _picture(found: BenchmarkResults) -> Markup | None:
    """The first figure of every task that is a share, with its interval and the level of chance."""
    rows = []
    for task in found.tasks:
        metric = task.metrics[0]
        if metric.interval is not None and metric.interval.low >= 0 and metric.interval.high <= 1:
            rows.append(
                DotRow(
                    label=task.task,
                    series=0,
                    mean=metric.value,
                    low=metric.interval.low,
                    high=metric.interval.high,
                    chance=None if task.chance is None else task.chance.level,
                )
            )
    if not rows:
        return None

    title = "First metric of each task"

    def draw(width: int) -> LayerChart:
        return dot_chart(rows, title=title, axis="share, more is better", domain=(0, 1), width=width)

    caption = "Dots are shares of items, lines their intervals"
    known = any(row.chance is not None for row in rows)
    return figure([responsive(draw, title=title)], caption=f"{caption}{', dashes chance' if known else ''}.")


def _figures(found: BenchmarkResults) -> Markup:
    rows = [
        (
            task.task,
            metric.name if metric.filter == "none" else f"{metric.name} ({metric.filter})",
            f"{metric.value:.4f}",
            NOTHING if metric.interval is None else f"{metric.interval.low:.4f} to {metric.interval.high:.4f}",
            f"{task.items:,}",
            NOTHING if task.chance is None else f"{task.chance.level:.3f}",
            _verdict(task),
        )
        for task in found.tasks
        for metric in task.metrics
    ]
    head = ("Task", "Metric", "Value", "Interval", "Items", "Chance", "Distinguishable from chance")
    blocks = [table(head, rows, caption="Every figure of every task", numeric=(2, 4, 5))]
    notes = [Markup("<li>{}: {}.</li>").format(task.task, note) for task in found.tasks for note in task.notes()]
    if notes:
        blocks.append(Markup("<ul class='muted'>{}</ul>").format(Markup("").join(notes)))
    return Markup("").join(blocks)


def _verdict(task: TaskResult) -> str:
    if task.chance is None:
        return NOTHING
    return f"{'yes' if task.chance.distinguishable else 'no'}, p = {task.chance.p_value:.3g}"


def _groups(found: BenchmarkResults) -> Markup:
    rows = [
        (
            group.group,
            group.metric,
            f"{group.value:.4f}",
            str(len(group.tasks)),
            "by items" if group.weight_by_size else "equally",
        )
        for group in found.groups
    ]
    return table(("Group", "Metric", "Mean", "Tasks", "Weighted"), rows, caption="Means over tasks", numeric=(2, 3))


def _items(found: BenchmarkResults) -> Markup:
    names: list[Any] = sorted({item.task for item in found.shown})
    total = sum(task.items for task in found.tasks)
    template = templates(_ROOM).get_template("benchmark_items.html.j2")
    return Markup(template.render(tasks=names, total=total, shown=len(found.shown)))
