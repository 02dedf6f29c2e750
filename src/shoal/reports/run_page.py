"""The report: one run folder to one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.errors import StoreError
from shoal.experiments import open_run, write_text
from shoal.figures import CurveLine, Section, curve_chart, document, figure, responsive, text_of
from shoal.reports.accuracy import accuracy
from shoal.reports.corpus_comparison_page import write_corpus_comparison_report
from shoal.reports.crossed_page import write_crossed_report
from shoal.reports.explanation import trainings_section
from shoal.reports.items import by_index, items_data, items_frame
from shoal.reports.overfit_page import write_overfit_report
from shoal.reports.pretraining_page import write_pretraining_report
from shoal.reports.sections import certificate, choices, environment, inside, narrowness, reproduce
from shoal.reports.sweep_page import write_sweep_report
from shoal.reports.verdict import verdict, verdict_picture, verdict_result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.experiments import Run

_ROOM = "shoal.reports"

_OTHER_FOLDERS: dict[str, Callable[[Path], Path]] = {
    "crossed.toml": write_crossed_report,
    "comparison.toml": write_corpus_comparison_report,
    "overfit.toml": write_overfit_report,
    "sweep.toml": write_sweep_report,
    "recipe.toml": write_pretraining_report,
}
"""The writers of folders that are no run of an experiment, by the file that such a folder has."""


def write_report(run_folder: str | Path) -> Path:
    """Draw a run as one HTML file that needs nothing else and fetches nothing.

    A run that has not come to its end is drawn as far as it goes. Of each arm that was looked into, ``inside/ARM.html``
    is drawn with it. The folders of a crossed experiment, of a sweep and of a pretraining
    are known by their files, and drawn likewise.

    Args:
        run_folder: as `shoal.experiments` writes it.

    Returns:
        The path of ``report.html`` in that folder, of a pretraining that of ``curve.html``.

    Raises:
        StoreError: it is not the folder of a run, a file of it is damaged, or the report cannot be written.
    """
    run_folder = Path(run_folder)
    for name, write in _OTHER_FOLDERS.items():
        if (run_folder / name).is_file():
            return write(run_folder)
    run = open_run(run_folder)
    html = render_report(run)
    path = run_folder / "report.html"
    try:
        for arm, views in run.views():
            # Both import torch, which a report without such views does not need.
            from shoal.insight import Inspection
            from shoal.reports.inspection_page import inspection_page

            # Before the report, whose links lead here.
            write_text(run_folder / "inside" / f"{arm}.html", inspection_page(Inspection.from_dict(views)))
        write_text(path, html)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error}); free some space or allow writing there") from error
    return path


def render_report(run: Run) -> str:
    """The report's HTML."""
    data = items_data(run)
    return run_page(run, _sections(run, data), data={"items-data": data}, script=text_of(_ROOM, "report.js"))


def run_page(run: Run, sections: Sequence[Section], *, data: Mapping[str, object], script: str) -> str:
    """A whole document on a run: the verdict, its picture, and sections.

    Args:
        run: the run folder.
        sections: what stands below the picture, such as those of `run_sections`.
        data: values by element id, as JSON that the script reads.
        script: JavaScript of the page.
    """
    plan = run.experiment
    arms = [f"{arm} ({spec})" for arm, spec in plan.arms.items()]
    about = [f"task {plan.task.name}", f"split {plan.split.name}", f"preset {plan.preset}", *arms]
    return document(
        f"{run.name}: {plan.hypothesis}",
        verdict_result(run),
        sections,
        details=" · ".join(about),
        picture=verdict_picture(run),
        style=report_style(),
        script=script,
        data=data,
    )


def report_style() -> str:
    """The CSS of items, badges and verdicts, besides that of every page."""
    return text_of(_ROOM, "report.css")


def _explained(run: Run) -> Markup | None:
    return trainings_section(run.explanations, confidence=run.experiment.measure.confidence)


def _sections(run: Run, data: Mapping[str, Any]) -> list[Section]:
    """All parts of the report."""
    items = _section("items", "Every item", items_frame(data), "No item has been scored yet.")
    return run_sections(run, items=items)


def run_sections(run: Run, *, items: Section) -> list[Section]:
    """All parts of a page on a run, in the order in which a reader needs them.

    Args:
        run: the run folder.
        items: the part that shows the items.
    """
    drawn = _curves(run)
    loss = "Mean cross-entropy of the completion tokens of each step; thin lines are seeds, the thick one their mean."
    learned = figure(drawn, caption=loss) if drawn else None
    return [
        _section("verdict", "Verdict", verdict(run)),
        _section("explanations", "What explains the answers", _explained(run), "No training has been explained yet."),
        _section("accuracy", "Accuracy", accuracy(run), "No item has been scored yet."),
        items,
        _section("by-index", "Accuracy by index", by_index(run), "No item yet."),
        _section("learning", "Learning curves", learned, "Nothing has been trained yet."),
        _section("inside", "Inside the models", inside(run), "No arm has been looked into."),
        _section("narrowness", "Narrowness", narrowness(run.narrowness)),
        _section("certificate", "Certificate", certificate(run.certificate)),
        _section("choices", "Choices made by measuring", choices(run.choices)),
        _section("environment", "Environment", environment(run)),
        _section("reproduce", "How to reproduce", reproduce(run)),
    ]


def _section(anchor: str, heading: str, html: Markup | None, missing: str = "") -> Section:
    """A section; where the run has not written it yet, it says so."""
    if html is None:
        html = Markup("<p class=missing>{}</p>").format(missing or f"The run has not written {anchor}.json yet.")
    return Section(anchor, heading, html)


def _curves(run: Run) -> list[Markup]:
    """An SVG for each arm, all with one loss axis; empty where nothing was trained."""
    lines = {arm: _lines(run, arm) for arm in run.arms}
    values = [value for arm in lines.values() for line in arm for value in line.values]
    if not values:
        return []
    # One loss axis, since arms are compared by eye across panels.
    domain = (min(values), max(values))
    return [_curve(name, arm, place, domain) for place, (name, arm) in enumerate(lines.items()) if arm]


def _curve(arm: str, lines: list[CurveLine], place: int, domain: tuple[float, float]) -> Markup:
    """The curves of one arm."""
    return responsive(
        lambda width: curve_chart(
            lines, title=arm, axis="loss (nats per token)", series=place, domain=domain, width=width
        ),
        title=f"Learning curves of {arm}: {len(lines)} seeds, loss over steps",
        wide=460,
    )


def _lines(run: Run, arm: str) -> list[CurveLine]:
    """The curves of an arm; steps whose loss is not a number are left out."""
    lines = []
    for seed in run.seeds_of(arm):
        points = [(point.step, point.loss) for point in seed.curve if point.loss is not None]
        if points:
            steps, losses = zip(*points, strict=True)
            lines.append(CurveLine(name=f"seed {seed.seed}", steps=steps, values=losses))
    return lines
