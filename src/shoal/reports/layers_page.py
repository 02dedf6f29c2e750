"""One HTML page of what was measured of layers, attention and number formats."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import ScalingLine, Section, document, figure, responsive, scaling_chart, table
from shoal.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shoal.insight.layers import AttentionReport, LayerRow, LayerSweep, NumberFormat, PrecisionDrift

_UNITS = {
    "operations": ("Operations", "floating-point operations"),
    "seconds": ("Time", "CPU time, ms"),
    "bytes": ("Memory", "bytes held at once"),
}
_NAMES = {"n": "n, positions", "d": "d, width", "k": "k, kernel size", "r": "r, window"}
_WIDTH = 300


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
        attention: naive against fused attention.
        formats: what the number formats hold.
        changes: how the greedy texts of a model differ in them.
        model: which model that was.
    """
    sections = []
    if rows:
        sections += [
            Section("growth", "How costs grow", _all_growth(rows)),
            Section("types", "Layer types", _types(rows)),
            Section("remarks", "Where theory and measurement differ", _remarks(rows)),
        ]
    if attention is not None:
        sections.append(Section("attention", "Naive and fused attention", _attention(attention)))
    if formats or changes:
        sections.append(Section("formats", "Number formats", _formats(formats, changes, model)))
    return document("Layers, measured on one thread of the CPU", _result(rows, attention, formats, changes), sections)


def _result(
    rows: Sequence[LayerRow],
    attention: AttentionReport | None,
    formats: Sequence[NumberFormat],
    changes: Sequence[PrecisionDrift],
) -> str:
    """The first of what was measured, in a sentence."""
    by_length = {row.kind: sweep for row in rows for sweep in row.sweeps if sweep.variable == "n"}
    if by_length:
        # By the exponent and not the time: which kind is slowest depends on the length, how it grows does not.
        order = sorted(by_length, key=lambda kind: -by_length[kind].exponents["seconds"].value)
        most, least = order[0], order[-1]
        first = f"Time grows with the length n as n^{_exponent(by_length[most])} ({most})"
        rest = f" to n^{_exponent(by_length[least])} ({least})" if least != most else ""
        return f"{first}{rest}."
    if attention is not None:
        # Of one use: with dropout the two need not do the same work.
        ways = {cost.way: cost for cost in attention.costs if cost.use == "inference"}
        if {"naive", "fused"} <= ways.keys():
            # At the longest length, where the two differ by growth and not by overhead.
            naive, fused = (median(ways[way].seconds[-1]) for way in ("naive", "fused"))
            length = ways["naive"].lengths[-1]
            times = f"fused attention takes {fused / naive:.0%} of the time of naive attention"
            return f"In a forward pass over {length:,} positions {times}."
    if changes:
        worst = max(changes, key=lambda each: each.changed)
        return f"In {worst.format} {worst.changed} of {worst.prompts} greedy texts differ from those in float32."
    if formats:
        coarse = max(formats, key=lambda each: each.gap)
        return f"{coarse.name} is the coarsest of {len(formats)} formats: the gap above 1 is {coarse.gap:.3g}."
    return "Nothing was measured."


def _exponent(sweep: LayerSweep) -> str:
    """The exponent of the time with its interval."""
    time = sweep.exponents["seconds"]
    return f"{time.value:.2f} [{time.low:.2f}, {time.high:.2f}]"


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
    caption = "Theory above, measured below: exponents with intervals, and values at small lengths"
    return table(head, body, caption=caption)


def _remarks(rows: Sequence[LayerRow]) -> Markup:
    """What differs from theory by more than a tenth, folded by kind."""
    parts = []
    for row in rows:
        if row.remarks:
            listed = Markup("").join(Markup("<li>{}</li>").format(remark) for remark in row.remarks)
            summary = f"{row.kind}: {plural(len(row.remarks), 'remark')}"
            parts.append(Markup("<details><summary>{}</summary><ul>{}</ul></details>").format(summary, listed))
    return Markup("").join(parts) or Markup("<p>Nowhere by more than 0.1.</p>")


def _all_growth(rows: Sequence[LayerRow]) -> Markup:
    """The plots, a group per size that was varied."""
    sweeps = [sweep for row in rows for sweep in row.sweeps]
    return Markup("").join(
        Markup("<h3>{}</h3>{}").format(f"Over {_NAMES[variable]}", _growth(sweeps, variable))
        for variable in dict.fromkeys(each.variable for each in sweeps)
    )


def _growth(sweeps: Sequence[LayerSweep], variable: str) -> Markup:
    """The three costs over one size."""
    chosen = [sweep for sweep in sweeps if sweep.variable == variable]
    drawings = []
    for cost, (title, axis) in _UNITS.items():
        lines = [_line(sweep, cost) for sweep in chosen]
        drawings.append(_drawn(lines, title, _NAMES[variable], axis))
    caption = (
        f"One forward pass in float32 as {variable} grows, the other sizes standing still. Marks: medians; bars: from "
        "the least to the greatest of the repeats; dashed: attention with its projections."
    )
    return figure(drawings, caption=caption)


def _drawn(lines: Sequence[ScalingLine], title: str, size: str, axis: str) -> Markup:
    """One plot, for a wide and for a narrow page."""
    return responsive(
        lambda width: scaling_chart(lines, title=title, size=size, axis=axis, width=width),
        title=f"{title} over {size}",
        wide=_WIDTH,
    )


def _line(sweep: LayerSweep, cost: str) -> ScalingLine:
    """One kind's line."""
    # Operations and bytes are counted and exact, so that each has one value where time has its repeats.
    values = getattr(sweep, cost)
    samples = _milliseconds(values) if cost == "seconds" else tuple((float(value),) for value in values)
    return ScalingLine(
        name=sweep.kind,
        series=sweep.colour,
        sizes=sweep.sizes,
        costs=samples,
        exponent=sweep.exponents[cost].value,
        dashed=sweep.projections,
    )


def _milliseconds(samples: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """Seconds as milliseconds, which need no powers of ten."""
    return tuple(tuple(1e3 * second for second in repeats) for repeats in samples)


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
                    costs=_milliseconds(cost.seconds)
                    if what == "Time"
                    else tuple((float(size),) for size in cost.bytes),
                    exponent=(cost.time_exponent if what == "Time" else cost.memory_exponent).value,
                )
                for place, cost in enumerate(each for each in report.costs if each.use == use)
            ]
            unit = "CPU time, ms" if what == "Time" else "bytes held at once"
            drawings.append(_drawn(lines, f"{what}, {use}", "n, positions", unit))
    comparison = (
        f"Causal, {report.heads} heads of width {report.width}, float32. Without dropout the outputs differ by at most "
        f"{report.forward_difference:.1e} and the gradients by {report.backward_difference:.1e}; rounding alone moves "
        f"an output by {report.reference_difference:.1e}. With dropout each draws its own mask, so that single outputs "
        f"cannot be equal: the mean over many masks is {report.dropout_bias['naive']:.2f} (naive) and "
        f"{report.dropout_bias['fused']:.2f} (fused) standard errors from the output without, where 1 is chance."
    )
    return Markup("<p>{}</p>{}").format(comparison, figure(drawings, caption="Training: forward and backward."))


def _formats(formats: Sequence[NumberFormat], changes: Sequence[PrecisionDrift], model: str) -> Markup:
    """What the formats hold, and how the texts of a model change in them."""
    return Markup("").join([*([_held(formats)] if formats else []), *([_greedy(changes, model)] if changes else [])])


def _held(formats: Sequence[NumberFormat]) -> Markup:
    """A row per format: range, rounding and speed."""
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


def _greedy(changes: Sequence[PrecisionDrift], model: str) -> Markup:
    """A row per format: how its greedy texts and choices differ from those in float32."""
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
    caption = f"Greedy texts of {model} against those in float32"
    return table(head, rows, caption=caption, numeric=(1, 2, 3, 4, 5, 6))


def _time(sweep: LayerSweep) -> Markup:
    """The exponent of the time with its interval, on a line of its own."""
    time = sweep.exponents["seconds"]
    return Markup("<small>{}^{:.2f} [{:.2f}, {:.2f}]</small>").format(sweep.variable, time.value, time.low, time.high)


def _lines(texts: Iterable[str]) -> Markup:
    """One text per line in one cell."""
    return Markup("").join(Markup("<small>{}</small>").format(text) for text in texts)
