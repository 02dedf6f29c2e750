"""The curve of a pretraining as one HTML file and as a picture, also while the model learns."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.errors import StoreError
from shoal.experiments import disk_faults, read_json_rows, write_text
from shoal.experiments.pretraining import result_of
from shoal.figures import CurveLine, curve_chart, figure, page, table, to_png, to_svg
from shoal.files import atomic_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments.pretraining import Evaluation, HeldOutScore, PretrainResult

PAGE_SECONDS = 10.0
"""The least time between two drawings of the curve of a training under way."""

_RELOAD = "setTimeout(() => location.reload(), 10000);"


def write_pretraining_report(folder: Path | str) -> Path:
    """Write ``curve.html`` and ``curve.png`` of a finished pretraining into its folder.

    Args:
        folder: as `shoal.experiments.pretrain_run` writes it.

    Returns:
        The path of ``curve.html``.

    Raises:
        StoreError: the pretraining has not come to its end, or the disk is full.
    """
    folder = Path(folder)
    done = folder / "done.json"
    if not done.is_file():
        raise StoreError(f"{folder} holds no finished pretraining; give the same `shoal pretrain` command again")
    result = result_of(folder, json.loads(done.read_text(encoding="utf-8")))
    charts = _charts(folder)
    with disk_faults(folder), atomic_file(folder / "curve.png") as picture:
        picture.write_bytes(to_png(charts[0]))
    body = _body(folder, _facts(result), charts, result.held_out)
    write_text(folder / "curve.html", page(title=f"shoal pretrain: {folder.name}", body=body))
    return folder / "curve.html"


class LiveCurve:
    """Draws ``curve.html`` of a training under way; a browser that shows it reads it again every ten seconds.

    Args:
        folder: the run folder.
        seconds: the least time between two drawings; a short training has its page at its end alone.
    """

    def __init__(self, folder: Path | str, *, seconds: float = PAGE_SECONDS) -> None:
        self._folder, self._seconds = Path(folder), seconds
        self._drawn = time.monotonic()

    def draw(self, evaluation: Evaluation, *, steps: int) -> None:
        """Draw the curve so far, where enough time has gone by.

        Args:
            evaluation: what was measured last.
            steps: how many the training will have.

        Raises:
            StoreError: the disk is full.
        """
        if not evaluation.step or time.monotonic() - self._drawn < self._seconds:
            return
        facts = f"Under way: step {evaluation.step:,} of {steps:,}."
        body = _body(self._folder, facts, _charts(self._folder), evaluation.scores)
        write_text(
            self._folder / "curve.html", page(title=f"shoal pretrain: {self._folder.name}", body=body, script=_RELOAD)
        )
        self._drawn = time.monotonic()


def _charts(folder: Path) -> list[Any]:
    """The loss of every step, and the held-out score of each corpus."""
    rows = read_json_rows(folder / "metrics.jsonl")
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
        [[row["step"], row["prompt"], row["text"]] for row in reversed(read_json_rows(folder / "samples.jsonl"))],
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
    """Bits per byte at each scored step, by corpus."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in read_json_rows(folder / "scores.jsonl"):
        found.setdefault(row["corpus"], []).append((row["step"], row["bits_per_byte"]))
    return found


def _facts(result: PretrainResult) -> str:
    size = (
        f"{result.parameters:,} parameters, {result.tokens:,} tokens in {result.steps:,} steps, "
        f"{result.seconds:,.0f} s ({result.cpu_seconds:,.0f} CPU-seconds), {result.precision}."
    )
    if result.memorised is None:
        return size
    held = result.memorised
    return (
        f"{size} Of {held.training_prefixes} training prefixes of {held.prefix_tokens} tokens, {held.training} are "
        f"continued with the text's own next {held.tokens} tokens; of {held.held_out_prefixes} held-out prefixes, "
        f"{held.held_out}."
    )
