"""The curve of a pretraining as one HTML file and as a picture, also while the model learns."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import StoreError
from shoal.experiments import disk_faults, read_json_rows, write_text
from shoal.experiments.pretraining import result_of
from shoal.figures import CurveLine, PageContent, Section, curve_chart, figure, responsive, table, to_png
from shoal.files import atomic_file
from shoal.reports.events_section import event_marks, events_section
from shoal.reports.held_out_section import held_out_drawing, held_out_section
from shoal.wording import joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    import altair as alt
    from markupsafe import Markup

    from shoal.experiments.pretraining import Evaluation, HeldOutScore, PretrainResult
    from shoal.training import HeldOutCurve

PAGE_SECONDS = 10.0
"""The least time between two drawings of the curve of a training under way."""

_WIDTH = 460
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
    with disk_faults(folder), atomic_file(folder / "curve.png") as picture:
        picture.write_bytes(to_png(_loss_chart(folder, 480)))
    write_text(folder / "curve.html", pretraining_content(folder).to_html())
    return folder / "curve.html"


def pretraining_content(folder: Path | str) -> PageContent:
    """The page of a pretraining, however far it is.

    Args:
        folder: as `shoal.experiments.pretrain_run` writes it.
    """
    folder = Path(folder)
    done = folder / "done.json"
    if done.is_file():
        result = result_of(folder, json.loads(done.read_text(encoding="utf-8")))
        return _content(folder, _result(result), _facts(result), result.held_out, curve=result.held_out_curve)
    rows = read_json_rows(folder / "metrics.jsonl")
    text = f"The model is learning: step {rows[-1]['step']:,} is done." if rows else "No step is done yet."
    return _content(folder, text, "", {})


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
        # At step 0 there is no loss yet, and so no curve.
        if not evaluation.step or time.monotonic() - self._drawn < self._seconds:
            return
        result = f"The model is learning: step {evaluation.step:,} of {steps:,}{_held_out(evaluation.scores)}."
        facts = f"Under way: step {evaluation.step:,} of {steps:,}. This page reloads every ten seconds."
        content = _content(self._folder, result, facts, evaluation.scores, script=_RELOAD)
        write_text(self._folder / "curve.html", content.to_html())
        self._drawn = time.monotonic()


def _content(
    folder: Path,
    result: str,
    facts: str,
    held_out: Mapping[str, HeldOutScore],
    *,
    script: str = "",
    curve: HeldOutCurve | None = None,
) -> PageContent:
    """The page: curves, held-out scores, samples."""
    scores = table(
        ["corpus", "bits per byte", "95% interval", "documents"],
        [
            [name, f"{one.bits_per_byte:.4f}", one.interval(".4f", between=" to "), one.documents]
            for name, one in held_out.items()
        ],
        caption="Held-out documents of each corpus, end tokens included.",
        numeric=[1, 3],
    )
    samples = table(
        ["step", "prompt", "continuation"],
        [
            [f"{row['step']:,}", row["prompt"], row["text"]]
            for row in reversed(read_json_rows(folder / "samples.jsonl"))
        ],
        caption="Samples as it learned, the last ones first.",
    )
    sections = [Section("samples", "Samples", samples)]
    if held_out:
        sections.insert(0, Section("held-out", "Held-out documents", scores))
    events = read_json_rows(folder / "events.jsonl")
    if events:
        sections.insert(-1, events_section(events))
    drawings = _drawings(folder)
    if curve is not None:
        sections.insert(1, held_out_section(curve))
        drawings.append(held_out_drawing(curve))
    return PageContent(
        title=f"Pretraining {folder.resolve().name}",
        result=result,
        sections=tuple(sections),
        details=facts,
        picture=figure(drawings, caption="The loss of each training step, and of held-out documents."),
        script=script,
    )


def _drawings(folder: Path) -> list[Markup]:
    """The loss of every step, and the held-out score of each corpus."""
    drawings = [responsive(lambda width: _loss_chart(folder, width), title="training loss by step", wide=_WIDTH)]
    for place, (name, points) in enumerate(_scores(folder).items(), start=1):
        drawings.append(_score_drawing(name, points, place))
    return drawings


def _score_drawing(name: str, points: list[tuple[int, float]], place: int) -> Markup:
    line = CurveLine(name=name, steps=tuple(step for step, _ in points), values=tuple(bits for _, bits in points))
    return responsive(
        lambda width: curve_chart([line], title=f"held out: {name}", axis="bits per byte", series=place, width=width),
        title=f"held-out bits per byte of {name} by step",
        wide=_WIDTH,
    )


def _loss_chart(folder: Path, width: int) -> alt.LayerChart:
    # A loss that is null was not finite, and its update was left out.
    rows = [row for row in read_json_rows(folder / "metrics.jsonl") if row["loss"] is not None]
    loss = CurveLine(
        name="training",
        steps=tuple(row["step"] for row in rows),
        # In bits, as the held-out scores next to it.
        values=tuple(row["loss"] / math.log(2) for row in rows),
    )
    marks = event_marks(read_json_rows(folder / "events.jsonl"))
    return curve_chart([loss], title="training loss", axis="bits per token", width=width, marks=marks)


def _held_out(scores: Mapping[str, HeldOutScore]) -> str:
    """What held-out documents cost, as a part of a sentence; nothing where none are held out."""
    parts = [
        f"{one.bits_per_byte:.3f} bits per byte{ends and f' (95% interval {ends})'} on held-out {name}"
        for name, one in scores.items()
        for ends in [one.interval(".3f", between=" to ")]
    ]
    return f", with {joined(parts)}" if parts else ""


def _result(result: PretrainResult) -> str:
    """What the training came to."""
    learned = f"The model has learned {result.tokens:,} tokens in {result.steps:,} steps{_held_out(result.held_out)}"
    curve = result.held_out_curve
    return f"{learned}." if curve is None else f"{learned}; {curve.overfitting}."


def _scores(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Bits per byte at each scored step, by corpus."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in read_json_rows(folder / "scores.jsonl"):
        found.setdefault(row["corpus"], []).append((row["step"], row["bits_per_byte"]))
    return found


def _facts(result: PretrainResult) -> str:
    seconds = f"{result.seconds:,.0f} s ({result.cpu_seconds:,.0f} CPU-seconds)"
    size = f"{result.parameters:,} parameters, {seconds}, {result.precision}."
    if result.memorised is None:
        return size
    held = result.memorised
    return (
        f"{size} Of {held.training_prefixes} training prefixes of {held.prefix_tokens} tokens, {held.training} are "
        f"continued with the text's own next {held.tokens} tokens; of {held.held_out_prefixes} held-out prefixes, "
        f"{held.held_out}."
    )
