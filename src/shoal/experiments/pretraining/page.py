"""The curve of a pretraining as one HTML file and as a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.experiments.pretraining.records import read_rows
from shoal.experiments.writing import write_text
from shoal.files import atomic_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shoal.experiments.pretraining.result import HeldOutScore, PretrainResult


_RELOAD = "setTimeout(() => location.reload(), 10000);"


def write_curve(folder: Path, result: PretrainResult) -> None:
    """Write ``curve.html`` and ``curve.png`` of a finished run into its folder.

    Raises:
        StoreError: the disk is full.
    """
    from shoal.experiments.writing import disk_faults
    from shoal.figures import page, to_png

    charts = _charts(folder)
    with disk_faults(folder), atomic_file(folder / "curve.png") as picture:
        picture.write_bytes(to_png(charts[0]))
    body = _body(folder, _facts(result), charts, result.held_out)
    write_text(folder / "curve.html", page(title=f"shoal pretrain: {folder.name}", body=body))


def write_curve_so_far(folder: Path, scores: Mapping[str, HeldOutScore], *, step: int, steps: int) -> None:
    """Write ``curve.html`` of a training under way; a browser that shows it reads it again every ten seconds.

    Raises:
        StoreError: the disk is full.
    """
    from shoal.figures import page

    body = _body(folder, f"Under way: step {step:,} of {steps:,}.", _charts(folder), scores)
    write_text(folder / "curve.html", page(title=f"shoal pretrain: {folder.name}", body=body, script=_RELOAD))


def _charts(folder: Path) -> list[Any]:
    """The loss of every step, and the held-out score of each corpus."""
    from shoal.figures import CurveLine, curve_chart

    rows = read_rows(folder / "metrics.jsonl")
    loss = CurveLine(
        name="training",
        steps=tuple(row["step"] for row in rows),
        values=tuple(row["loss"] / math.log(2) for row in rows),
    )
    charts = [curve_chart([loss], title="training loss", axis="bits a token", width=420, height=230)]
    for place, (name, points) in enumerate(_scores(folder).items(), start=1):
        line = CurveLine(name=name, steps=tuple(step for step, _ in points), values=tuple(bits for _, bits in points))
        charts.append(
            curve_chart([line], title=f"held out: {name}", axis="bits a byte", series=place, width=420, height=230)
        )
    return charts


def _body(folder: Path, facts: str, charts: list[Any], held_out: Mapping[str, HeldOutScore]) -> Markup:
    from shoal.figures import figure, table, to_svg

    scores = table(
        ["corpus", "bits a byte", "95% interval", "documents"],
        [
            [name, f"{one.bits_per_byte:.4f}", f"{one.low:.4f} to {one.high:.4f}", one.documents]
            for name, one in held_out.items()
        ],
        caption="Held-out documents of each corpus, end tokens included.",
        numeric=[1, 3],
    )
    samples = table(
        ["step", "prompt", "what the model says"],
        [[row["step"], row["prompt"], row["text"]] for row in reversed(read_rows(folder / "samples.jsonl"))],
        caption="Samples as it learned, the last ones first.",
    )
    return Markup("\n").join(
        [
            Markup("<h1>{}</h1>").format(folder.name),
            Markup("<p>{}</p>").format(facts),
            figure([to_svg(chart) for chart in charts], caption="The loss of training, and held-out documents."),
            scores,
            samples,
        ]
    )


def _scores(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Bits a byte at each scored step, by corpus."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in read_rows(folder / "scores.jsonl"):
        found.setdefault(row["corpus"], []).append((row["step"], row["bits_per_byte"]))
    return found


def _facts(result: PretrainResult) -> str:
    told = (
        f"{result.parameters:,} parameters, {result.tokens:,} tokens in {result.steps:,} steps, "
        f"{result.seconds:,.0f} s ({result.cpu_seconds:,.0f} CPU-seconds), {result.precision}."
    )
    if result.memorised is None:
        return told
    held = result.memorised
    return (
        f"{told} Of {held.training_prefixes} training prefixes of {held.prefix_tokens} tokens, {held.training} are "
        f"continued with the text's own next {held.tokens} tokens; of {held.held_out_prefixes} held-out prefixes, "
        f"{held.held_out}."
    )
