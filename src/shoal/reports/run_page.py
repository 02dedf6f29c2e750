"""The page of a run of any kind, by the kind of its folder, and the report: one folder to one HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.errors import StoreError
from shoal.experiments import open_run, write_text
from shoal.figures import CurveLine, PageContent, Section, curve_chart, figure, responsive, text_of
from shoal.reports.events_section import events_section
from shoal.reports.explanation import trainings_section
from shoal.reports.items import by_index, items_data, items_frame
from shoal.reports.sections import certificate, choices, environment, inside, narrowness, reproduce
from shoal.reports.verdict import accuracy, verdict, verdict_picture, verdict_result

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from shoal.experiments import Run

_ROOM = "shoal.reports"


def _experiment(folder: Path) -> PageContent:
    return experiment_content(open_run(folder))


def _crossed(folder: Path) -> PageContent:
    from shoal.experiments.crossed import open_crossed
    from shoal.reports.crossed_page import crossed_content

    return crossed_content(open_crossed(folder))


def _corpora(folder: Path) -> PageContent:
    from shoal.experiments.corpus_comparison import read_corpus_comparison
    from shoal.reports.corpus_comparison_page import corpus_comparison_content

    return corpus_comparison_content(read_corpus_comparison(folder), _plan_text(folder))


def _overfit(folder: Path) -> PageContent:
    from shoal.experiments.overfitting import read_overfit
    from shoal.reports.overfit_page import overfit_content

    return overfit_content(read_overfit(folder), _plan_text(folder))


def _sweep(folder: Path) -> PageContent:
    from shoal.experiments.sweeps import read_importance, read_sweep
    from shoal.reports.sweep_page import sweep_content

    return sweep_content(read_sweep(folder), read_importance(folder), _plan_text(folder))


def _safety_tuning(folder: Path) -> PageContent:
    from shoal.experiments.safety_tuning import read_safety_tuning
    from shoal.reports.safety_tuning_page import safety_tuning_content

    return safety_tuning_content(read_safety_tuning(folder), _plan_text(folder))


def _probing(folder: Path) -> PageContent:
    from shoal.reports.probe_page import probe_content
    from shoal.safety.probing import read_probe_report

    return probe_content(read_probe_report(folder))


def _pretraining(folder: Path) -> PageContent:
    from shoal.reports.pretraining_page import pretraining_content

    return pretraining_content(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKind:
    """A kind of run, and what its page shows: the same in a report, in the studio and in a notebook."""

    name: str
    plan: str
    """The file by which its folder is known."""

    content: Callable[[Path], PageContent]
    """From the folder of a run, however far it is, to its page."""


# Each imports its page when it is called: a report needs one of them.
RUN_KINDS = (
    RunKind(name="experiment", plan="experiment.toml", content=_experiment),
    RunKind(name="crossed experiment", plan="crossed.toml", content=_crossed),
    RunKind(name="corpus comparison", plan="comparison.toml", content=_corpora),
    RunKind(name="overfitting comparison", plan="overfit.toml", content=_overfit),
    RunKind(name="safety tuning", plan="safety_tuning.toml", content=_safety_tuning),
    RunKind(name="red-team loop", plan="probing.json", content=_probing),
    RunKind(name="sweep", plan="sweep.toml", content=_sweep),
    RunKind(name="pretraining", plan="recipe.toml", content=_pretraining),
)
"""Every kind of run folder; a new kind is a line here."""


def find_run_kind(folder: str | os.PathLike[str]) -> RunKind:
    """The kind of a run folder; any other folder counts as that of an experiment, whose reader states what is missing.

    Args:
        folder: of the run.
    """
    return next((kind for kind in RUN_KINDS if (Path(folder) / kind.plan).is_file()), RUN_KINDS[0])


def write_report(run_folder: str | os.PathLike[str]) -> Path:
    """Draw a run as one HTML file that needs nothing else and fetches nothing.

    A run that has not come to its end is drawn as far as it goes. Of each arm that was looked into, ``inside/ARM.html``
    is drawn with it. The kind of a run is known by its file (`RUN_KINDS`).

    Args:
        run_folder: as `shoal.experiments` writes it.

    Returns:
        The path of ``report.html`` in that folder, of a pretraining that of ``curve.html``.

    Raises:
        StoreError: it is not the folder of a run, a file of it is damaged, or the report cannot be written.
        TrainingError: nothing of a comparison is done yet that could be compared.
    """
    folder = Path(run_folder)
    kind = find_run_kind(folder)
    if kind.name == "pretraining":
        from shoal.reports.pretraining_page import write_pretraining_report

        return write_pretraining_report(folder)
    path = folder / "report.html"
    html = kind.content(folder).to_html()
    try:
        for arm, views in open_run(folder).views() if kind.name == "experiment" else ():
            # Both import torch, which a report without such views does not need.
            from shoal.insight import Inspection
            from shoal.reports.inspection_page import inspection_page

            # Before the report, whose links lead here.
            write_text(folder / "inside" / f"{arm}.html", inspection_page(Inspection.from_dict(views)))
        write_text(path, html)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error}); free some space or allow writing there") from error
    return path


def experiment_content(run: Run, *, items: Section | None = None) -> PageContent:
    """The page of an experiment: the verdict, its picture, and all parts in the order in which a reader needs them.

    Args:
        run: the run folder.
        items: the part that shows the items; None for all of them, with a search of their own.
    """
    plan = run.experiment
    arms = [f"{arm} ({spec})" for arm, spec in plan.arms.items()]
    about = [f"task {plan.task.name}", f"split {plan.split.name}", f"preset {plan.preset}", *arms]
    data: dict[str, object] = {}
    script = ""
    if items is None:
        found = items_data(run)
        frame = items_frame(found)
        # Without items there is no search either, which the script would look for.
        if frame:
            data, script = {"items-data": found}, text_of(_ROOM, "report.js")
        items = _section("items", "Every item", frame, "No item has been scored yet.")
    return PageContent(
        title=f"{run.name}: {plan.hypothesis}",
        result=verdict_result(run),
        sections=tuple(_sections(run, items)),
        details=" · ".join(about),
        picture=verdict_picture(run),
        style=report_style(),
        script=script,
        data=data,
    )


def _plan_text(folder: Path) -> str:
    return (folder / find_run_kind(folder).plan).read_text(encoding="utf-8")


def report_style() -> str:
    """The CSS of items, badges and verdicts, besides that of every page."""
    return text_of(_ROOM, "report.css")


def _explained(run: Run) -> Markup | None:
    return trainings_section(run.explanations, confidence=run.experiment.measure.confidence)


def _sections(run: Run, items: Section) -> list[Section]:
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
        *([events_section(happened)] if (happened := run.events()) else []),
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
