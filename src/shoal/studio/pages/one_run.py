"""One run: its report's sections, with curves that grow while it trains and items that are searched on the server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.errors import ShoalError, StoreError
from shoal.experiments import open_run
from shoal.figures import Section, document, templates
from shoal.reports import facts, inspection_page, run_page, run_sections
from shoal.studio.frame import ROOM
from shoal.studio.page_error import PageError
from shoal.studio.pages.run_progress import ALIVE, progress_panel, progress_record
from shoal.studio.run_names import PLAN_KINDS, find_run, inside, refuse_links, run_address
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.studio.studio import Studio

_MAX_FACTS = 1_000_000
_REPORTS = ("report.html", "curve.html")


def one_run_page(studio: Studio, name: str) -> str:
    """The page of a run.

    Args:
        studio: whose run.
        name: of the run.

    Raises:
        PageError: there is no such run, or it cannot be shown.
    """
    record = progress_record(studio, name)
    if not record["exists"]:
        with studio.page("runs"):
            return document(f"{name}", "The run is about to begin.", [_progress(studio, name, record)])
    folder = find_run(studio.settings.folder, name)
    refuse_links(folder)
    # The state is part of it: a lock that is taken or released changes no file of the run.
    key = ("run", name, record["state"], record["text"], record["message"])
    return studio.drawn.get(key, folder, lambda: _drawn(studio, name, folder, record))


def inside_page(studio: Studio, name: str, arm: str) -> str:
    """What is inside a trained arm.

    Args:
        studio: whose run.
        name: of the run.
        arm: one of its arms.

    Raises:
        PageError: the arm was not looked into.
    """
    folder = find_run(studio.settings.folder, name)
    refuse_links(folder)

    def draw() -> str:
        from shoal.insight import Inspection

        with studio.page("runs"):
            views = dict(open_run(folder).views())
            if arm not in views:
                raise PageError(404, f"{name} has no views of {arm[:60]!r}; it may not be trained yet")
            return inspection_page(Inspection.from_dict(views[arm]))

    return studio.drawn.get(("inside", name, arm), folder, draw)


def report_file(studio: Studio, name: str) -> Path:
    """The report that the run itself has written.

    Args:
        studio: whose run.
        name: of the run.

    Raises:
        PageError: it has none.
    """
    folder = find_run(studio.settings.folder, name)
    for file in _REPORTS:
        path = inside(folder, file)
        if path.is_file():
            return path
    raise PageError(404, f"{name} has no report yet; it is written when the run comes to its end")


def _drawn(studio: Studio, name: str, folder: Path, record: dict[str, Any]) -> str:
    with studio.page("runs"):
        if not (folder / "experiment.toml").is_file():
            return _other_kind(studio, name, folder, record)
        run = open_run(folder)
        try:
            sections = run_sections(run, items=Section("items", "Every item", _items_link(name)))
        except (ShoalError, KeyError, TypeError, ValueError, IndexError, AttributeError) as fault:
            return _unreadable(name, folder, fault)
        if record["state"] in ALIVE or record["can_resume"]:
            sections.insert(0, _progress(studio, name, record))
        sections = [_live(studio, name, folder, one) if one.anchor == "learning" else one for one in sections]
        return run_page(run, [*sections, _download(name)], data={}, script="")


def _unreadable(name: str, folder: Path, fault: Exception) -> str:
    """What can still be shown of a run whose records are damaged or of another version."""
    message = in_one_line(fault) if isinstance(fault, ShoalError) else f"{type(fault).__name__}: {in_one_line(fault)}"
    text = (folder / "experiment.toml").read_text(encoding="utf-8")
    return document(
        name,
        "This run cannot be shown in full: its records are damaged, or another version of shoal wrote them.",
        [
            Section("reason", "What is wrong", Markup("<p class='fault'>{}</p>").format(message)),
            Section("items", "Every item", _items_link(name)),
            Section("plan", "The file", Markup("<pre tabindex='0'><code>{}</code></pre>").format(text)),
            _download(name),
        ],
    )


def _other_kind(studio: Studio, name: str, folder: Path, record: dict[str, Any]) -> str:
    """The page of a sweep, a pretraining and so on: its progress, its curve and its result as it stands."""
    kind = next(kind for plan, kind in PLAN_KINDS.items() if (folder / plan).is_file())
    sections = [_progress(studio, name, record)]
    if (folder / "metrics.jsonl").is_file():
        sections.append(_live(studio, name, folder, Section("learning", "Learning curve", Markup(""))))
    for file in ("result.json", "done.json"):
        if (folder / file).is_file() and (folder / file).stat().st_size <= _MAX_FACTS:
            found = json.loads((folder / file).read_text(encoding="utf-8"))
            sections.append(Section("result", "Result", facts(found, caption="What was found")))
    plan = next(plan for plan in PLAN_KINDS if (folder / plan).is_file())
    text = (folder / plan).read_text(encoding="utf-8")
    sections += [
        Section("plan", "The file", Markup("<pre tabindex='0'><code>{}</code></pre>").format(text)),
        _download(name),
    ]
    return document(name, f"A {kind}, {record['state']}.", sections)


def _progress(studio: Studio, name: str, record: dict[str, Any]) -> Section:
    return Section("progress", "Progress", progress_panel(studio, name, record))


def _live(studio: Studio, name: str, folder: Path, section: Section) -> Section:
    """The section of the curves, with the events of the training, that a script draws again as they grow."""
    try:
        events = studio.live.changes(folder, "")["events"]
    except (OSError, ValueError) as error:
        raise StoreError(f"the curves of {name} cannot be read: {in_one_line(error)}") from error
    template = templates(ROOM).get_template("live_curves.html.j2")
    html = template.render(address=f"{run_address(name)}live.json", drawn=section.html, events=events[-50:])
    return Section(section.anchor, section.heading, Markup(html))


def _items_link(name: str) -> Markup:
    address = run_address(name)
    return Markup(
        "<form class='filters' action='{0}items' method='get' role='search' aria-label='Items of the run'>"
        "<label class='wide' for='items-search'>Search prompts, targets and answers"
        "<input id='items-search' type='search' name='search' autocomplete='off'></label>"
        "<button type='submit'>Search</button></form>"
        "<p><a href='{0}items'>Every item, page by page</a></p>"
    ).format(address)


def _download(name: str) -> Section:
    link = Markup("<p><a href='{}report.html' download>The report as one file that opens offline</a></p>")
    return Section("report", "Report", link.format(run_address(name)))
