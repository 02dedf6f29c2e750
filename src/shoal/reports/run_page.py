"""The report: one run folder to one HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.errors import StoreError
from shoal.experiments import open_run, write_text
from shoal.figures import WORDS, State, figure, key_svg, page, templates, text_of
from shoal.reports.accuracy import accuracy
from shoal.reports.by_index import strips
from shoal.reports.certificate import certificate
from shoal.reports.choices import choices
from shoal.reports.environment import environment, reproduce
from shoal.reports.folder import inspections
from shoal.reports.inside import inside
from shoal.reports.items import items_data
from shoal.reports.learning import curves
from shoal.reports.narrowness import narrowness
from shoal.reports.pretraining_page import write_pretraining_report
from shoal.reports.sweep_page import write_sweep_report
from shoal.reports.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shoal.experiments import Run

_ROOM = "shoal.reports"

_OTHER_FOLDERS: dict[str, Callable[[Path], Path]] = {
    "sweep.toml": write_sweep_report,
    "recipe.toml": write_pretraining_report,
}
"""The writers of folders that are no run of an experiment, by the file that such a folder has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report."""

    anchor: str
    name: str
    body: Markup | None
    """None where the run has not written it yet."""
    missing: str = ""
    """What is said then."""


def write_report(run_folder: str | Path) -> Path:
    """Draw a run as one HTML file that needs nothing else and fetches nothing.

    A run that has not come to its end is drawn as far as it goes. Of each arm that was looked into, ``inside/ARM.html``
    is drawn with it. The folders of a sweep and of a pretraining are known by their files, and drawn likewise.

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
        for arm, found in inspections(run):
            from shoal.reports.inspection_page import inspection_page  # imports torch, as the views do

            write_text(run_folder / "inside" / f"{arm}.html", inspection_page(found))
        write_text(path, html)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error}); free some space or allow writing there") from error
    return path


def render_report(run: Run) -> str:
    """The report's HTML."""
    data = items_data(run)
    sections = _sections(run, data)
    body = _headline(run) + Markup("").join(_drawn(section) for section in sections)
    return page(
        title=f"{run.name}: {run.verdict.verdict if run.verdict else 'no verdict yet'}",
        body=body,
        contents=[(section.anchor, section.name) for section in sections],
        style=text_of(_ROOM, "report.css"),
        script=text_of(_ROOM, "report.js"),
        data={"items-data": data},
    )


def _headline(run: Run) -> Markup:
    """The hypothesis, and what was run to test it."""
    plan = run.experiment
    arms = [f"{arm} ({spec})" for arm, spec in plan.arms.items()]
    about = [f"task {plan.task.name}", f"split {plan.split.name}", f"preset {plan.preset}", *arms]
    return Markup("<h1>{}</h1><p class=kicker>{}</p>").format(plan.hypothesis, " · ".join(about))


def _sections(run: Run, data: Mapping[str, Any]) -> list[Section]:
    """All parts, in the order in which a reader needs them."""
    drawn = curves(run)
    loss = "Mean cross-entropy of the completion tokens of each step; thin lines are seeds, the thick one their mean."
    return [
        Section(anchor="verdict", name="Verdict", body=verdict(run)),
        Section(anchor="accuracy", name="Accuracy", body=accuracy(run), missing="No item has been scored yet."),
        Section(
            anchor="learning",
            name="Learning curves",
            body=figure(drawn, caption=loss) if drawn else None,
            missing="Nothing has been trained yet.",
        ),
        Section(anchor="by-index", name="Accuracy by index", body=_by_index(run), missing="No item yet."),
        Section(anchor="items", name="Every item", body=_items(data), missing="No item has been scored yet."),
        Section(anchor="inside", name="Inside the models", body=inside(run), missing="No arm has been looked into."),
        _recorded("narrowness", "Narrowness", narrowness(run.narrowness)),
        _recorded("certificate", "Certificate", certificate(run.certificate)),
        _recorded("choices", "Choices made by measuring", choices(run.choices)),
        _recorded("environment", "Environment", environment(run)),
        Section(anchor="reproduce", name="How to reproduce", body=reproduce(run)),
    ]


def _recorded(anchor: str, name: str, body: Markup | None) -> Section:
    """A section that shows one JSON file."""
    return Section(anchor=anchor, name=name, body=body, missing=f"The run has not written {anchor}.json yet.")


def _drawn(section: Section) -> Markup:
    """A section's HTML."""
    body = section.body if section.body is not None else Markup("<p class=missing>{}</p>").format(section.missing)
    return Markup('<section id="{0}" aria-labelledby="{0}-h"><h2 id="{0}-h">{1}</h2>\n{2}</section>\n').format(
        section.anchor, section.name, body
    )


def _by_index(run: Run) -> Markup | None:
    """The strips with their key."""
    drawn = strips(run)
    if not drawn:
        return None
    states: list[State] = ["right", "ended-early", "went-on", "other"]
    key = [(Markup(key_svg(state)), WORDS[state]) for state in states]
    drawing = figure(drawn, caption="One row a seed, one column an item.")
    return Markup(templates(_ROOM).get_template("by_index.html.j2").render(key=key, drawing=drawing))


def _items(data: Mapping[str, Any]) -> Markup | None:
    """The frame that the page's script fills with items."""
    if not data["items"]:
        return None
    everything = [("", "all")]
    filters = [
        ("arm", "Arm", everything + [(arm, arm) for arm in data["arms"]]),
        ("seed", "Seed", everything + [(str(seed), str(seed)) for seed in data["seeds"]]),
        ("split", "Split", [*everything, ("held_out", "held out"), ("seen", "seen")]),
        ("stage", "Training", [*everything, ("before", "before"), ("after", "after")]),
        ("outcome", "Outcome", [*everything, ("right", "right"), ("wrong", "wrong")]),
    ]
    template = templates(_ROOM).get_template("items.html.j2")
    return Markup(template.render(filters=filters, total=data["total"], shown=data["shown"]))
