"""One HTML page of what was measured of layers, attention and number formats."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import ScalingLine, figure, page, scaling_chart, table, to_svg

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shoal.insight.layers import AttentionReport, LayerRow, LayerSweep, NumberFormat, PrecisionDrift

_UNITS = {
    "operations": ("Operations", "floating-point operations"),
    "seconds": ("Time", "CPU-seconds"),
    "bytes": ("Memory", "bytes held at once"),
}
_NAMES = {"n": "n, positions", "d": "d, width", "k": "k, kernel size", "r": "r, window"}


def layers_page(
    rows: Sequence[LayerRow] = (),
    attention: AttentionReport | None = None,
    formats: Sequence[NumberFormat] = (),
    changes: Sequence[PrecisionDrift] = (),
    *,
    model: str = "",
) -> str:
    """A whole document that opens offline; what was not measured is left out.

    Args:
        rows: the table of layer types.
        attention: naive beside fused attention.
        formats: what the number formats hold.
        changes: what a model says in them.
        model: which model that was.
    """
    sections = []
    if rows:
        sections.append(("types", "Layer types", _types(rows)))
    if attention is not None:
        sections.append(("attention", "Naive and fused attention", _attention(attention)))
    if formats or changes:
        sections.append(("formats", "Number formats", _formats(formats, changes, model)))
    body = Markup("").join(
        Markup("<section id='{}'><h2>{}</h2>{}</section>").format(anchor, name, content)
        for anchor, name, content in sections
    )
    contents = [(anchor, name) for anchor, name, _ in sections]
    return page(title="Layers", body=Markup("<h1>Layers</h1>{}").format(body), contents=contents)


def _types(rows: Sequence[LayerRow]) -> Markup:
    """The table of the paper with what was measured, its remarks, and the plots."""
    head = (
        "Layer",
        "Complexity, theory",
        "Operations, counted",
        "Time, measured",
        "Sequential operations",
        "Longest path",
    )
    body = [
        (
            row.kind,
            row.theory.complexity,
            _lines(f"{sweep.variable}^{sweep.exponents['operations'].value:.2f}" for sweep in row.sweeps),
            Markup("").join(_time(sweep) for sweep in row.sweeps),
            Markup("{}<small>{}</small>").format(
                row.theory.sequential, "; ".join(f"{depth} at n = {n}" for n, depth in row.depths)
            ),
            Markup("{}<small>{}</small>").format(
                row.theory.path, "; ".join(f"{path.measured} at n = {path.n}" for path in row.paths)
            ),
        )
        for row in rows
    ]
    remarks = Markup("").join(
        Markup("<li><b>{}</b>: {}</li>").format(row.kind, remark) for row in rows for remark in row.remarks
    )
    sweeps = [sweep for row in rows for sweep in row.sweeps]
    figures = Markup("").join(_growth(sweeps, variable) for variable in dict.fromkeys(each.variable for each in sweeps))
    return Markup("{}<h3>Where theory and measurement part</h3><ul>{}</ul>{}").format(
        table(
            head, body, caption="Theory above, measured below: exponents with intervals, and values at small lengths"
        ),
        remarks or Markup("<li>nowhere by more than 0.1</li>"),
        figures,
    )


def _growth(sweeps: Sequence[LayerSweep], variable: str) -> Markup:
    """The three costs over one size."""
    chosen = [sweep for sweep in sweeps if sweep.variable == variable]
    drawings = []
    for cost, (title, axis) in _UNITS.items():
        lines = [_line(sweep, cost) for sweep in chosen]
        drawn = scaling_chart(lines, title=title, size=_NAMES[variable], axis=axis)
        drawings.append(to_svg(drawn, title=f"{title} over {_NAMES[variable]}"))
    caption = (
        f"One forward pass in float32 as {variable} grows, the other sizes standing still. Marks: medians; bars: least "
        "to most; dashed: attention with its projections."
    )
    return figure(drawings, caption=caption)


def _line(sweep: LayerSweep, cost: str) -> ScalingLine:
    """One kind's line."""
    values = getattr(sweep, cost)
    samples = values if cost == "seconds" else tuple((float(value),) for value in values)
    return ScalingLine(
        name=sweep.kind,
        series=sweep.colour,
        sizes=sweep.sizes,
        costs=samples,
        exponent=sweep.exponents[cost].value,
        dashed=sweep.projections,
    )


def _attention(report: AttentionReport) -> Markup:
    """Time and memory of both ways, and how equal they are."""
    uses = tuple(dict.fromkeys(cost.use for cost in report.costs))
    drawings = []
    for use in uses:
        for what in ("Time", "Memory"):
            lines = [
                ScalingLine(
                    name=cost.way,
                    series=place,
                    sizes=cost.lengths,
                    costs=cost.seconds if what == "Time" else tuple((float(size),) for size in cost.bytes),
                    exponent=(cost.time_exponent if what == "Time" else cost.memory_exponent).value,
                )
                for place, cost in enumerate(each for each in report.costs if each.use == use)
            ]
            unit = "CPU-seconds" if what == "Time" else "bytes held at once"
            drawn = scaling_chart(lines, title=f"{what}, {use}", size="n, positions", axis=unit)
            drawings.append(to_svg(drawn, title=f"{what} of attention, {use}"))
    said = (
        f"Causal, {report.heads} heads of width {report.width}, float32. Without dropout the outputs differ by at most "
        f"{report.forward_difference:.1e} and the gradients by {report.backward_difference:.1e}; rounding alone moves "
        f"an output by {report.reference_difference:.1e}. With dropout each draws its own mask, so that single outputs "
        f"cannot be equal: the mean over many masks is {report.dropout_bias['naive']:.2f} (naive) and "
        f"{report.dropout_bias['fused']:.2f} (fused) standard errors from the output without, where 1 is chance."
    )
    return Markup("<p>{}</p>{}").format(said, figure(drawings, caption="Training: forward and backward."))


def _formats(formats: Sequence[NumberFormat], changes: Sequence[PrecisionDrift], model: str) -> Markup:
    """What the formats hold, and what a model says in them."""
    return Markup("").join([*([_held(formats)] if formats else []), *([_said(changes, model)] if changes else [])])


def _held(formats: Sequence[NumberFormat]) -> Markup:
    """A row a format: range, rounding and speed."""
    head = ("Format", "Largest", "Smallest above 0", "Gap above 1", "Whole numbers to", "Ties", "Rounding", "Product")
    rows = [
        (
            each.name,
            f"{each.largest:.3g}",
            f"{each.smallest:.3g}",
            f"{each.gap:.3g}",
            f"{each.largest_run:,}",
            f"to {each.ties}",
            f"{each.rounding:.2g}",
            f"{1e3 * median(each.product_seconds):.2f} ms",
            f"{each.product_error:.1e}",
        )
        for each in formats
    ]
    caption = "Measured: range, rounding, and a 512 by 512 matrix product against float64"
    return table((*head, "Error"), rows, caption=caption, numeric=(1, 2, 3, 4, 6, 7, 8))


def _said(changes: Sequence[PrecisionDrift], model: str) -> Markup:
    """A row a format: how its greedy texts and choices differ from those in float32."""
    head = ("Format", "Texts that change", "Interval", "Other choices", "Ties", "Largest difference", "Forward pass")
    rows = [
        (
            each.format,
            f"{each.changed} of {each.prompts}",
            f"{each.interval.low:.2f} to {each.interval.high:.2f}",
            f"{each.other_choices} of {each.decisions}",
            f"{each.tied}",
            f"{each.largest_difference:.2g}",
            f"{1e3 * median(each.seconds):.2f} ms",
        )
        for each in changes
    ]
    caption = f"Greedy texts of {model} beside those in float32"
    return table(head, rows, caption=caption, numeric=(1, 2, 3, 4, 5, 6))


def _time(sweep: LayerSweep) -> Markup:
    """The exponent of the time with its interval, on a line of its own."""
    time = sweep.exponents["seconds"]
    return Markup("<small>{}^{:.2f} [{:.2f}, {:.2f}]</small>").format(sweep.variable, time.value, time.low, time.high)


def _lines(texts: Iterable[str]) -> Markup:
    """A text a line in one cell."""
    return Markup("").join(Markup("<small>{}</small>").format(text) for text in texts)
