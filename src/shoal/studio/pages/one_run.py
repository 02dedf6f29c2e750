"""One run: its report's sections, with curves that grow while it trains and items that are searched on the server."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.errors import ShoalError, StoreError, TrainingError
from shoal.experiments import open_run
from shoal.figures import PageContent, Section, document, templates
from shoal.reports import experiment_content, find_run_kind, inspection_page
from shoal.studio.frame import ROOM
from shoal.studio.page_error import PageError
from shoal.studio.pages.run_progress import progress_panel, progress_record
from shoal.studio.run_names import find_run, inside, refuse_links, run_address
from shoal.wording import capital, in_one_line

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.reports import RunKind
    from shoal.studio.studio import Studio

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
    """The page that the report of the run shows, with what is known of a run under way."""
    kind = find_run_kind(folder)
    with studio.page("runs"):
        try:
            if kind.name == "experiment":
                content = experiment_content(open_run(folder), items=Section("items", "Every item", _items_link(name)))
            else:
                content = kind.content(folder)
        except TrainingError as fault:
            # Nothing that could be compared is done yet.
            text = f"{capital(kind.name)}, {record['state']}: {in_one_line(fault)}"
            content = PageContent(title=name, result=text, sections=())
        except (ShoalError, KeyError, TypeError, ValueError, IndexError, AttributeError) as fault:
            return _unreadable(name, folder, kind, fault)
        # While it trains, its events stand below the curves, where a script adds to them.
        parts = [one for one in content.sections if record["state"] == "finished" or one.anchor != "events"]
        anchors = {section.anchor for section in parts}
        live = partial(_live, studio, name, folder, listed="events" not in anchors)
        sections = [live(one) if one.anchor == "learning" else one for one in parts]
        if "learning" not in anchors and (folder / "metrics.jsonl").is_file():
            sections.insert(0, live(Section("learning", "Learning curve", Markup(""))))
        if record["state"] != "finished":
            sections.insert(0, _progress(studio, name, record))
        if "reproduce" not in anchors:
            sections.append(_plan(folder, kind))
        return replace(content, sections=(*sections, *_download(name, folder))).to_html()


def _unreadable(name: str, folder: Path, kind: RunKind, fault: Exception) -> str:
    """What can still be shown of a run whose records are damaged or of another version."""
    message = in_one_line(fault) if isinstance(fault, ShoalError) else f"{type(fault).__name__}: {in_one_line(fault)}"
    items = [Section("items", "Every item", _items_link(name))] if kind.name == "experiment" else []
    return document(
        name,
        "This run cannot be shown in full: its records are damaged, or another version of shoal wrote them.",
        [
            Section("reason", "What is wrong", Markup("<p class='fault'>{}</p>").format(message)),
            *items,
            _plan(folder, kind),
            *_download(name, folder),
        ],
    )


def _plan(folder: Path, kind: RunKind) -> Section:
    text = (folder / kind.plan).read_text(encoding="utf-8")
    return Section("plan", "The file", Markup("<pre tabindex='0'><code>{}</code></pre>").format(text))


def _progress(studio: Studio, name: str, record: dict[str, Any]) -> Section:
    return Section("progress", "Progress", progress_panel(studio, name, record))


def _live(studio: Studio, name: str, folder: Path, section: Section, *, listed: bool) -> Section:
    """The section of the curves, with the events of the training where they are listed here, that a script redraws."""
    try:
        events = studio.live.changes(folder, "")["events"]
    except (OSError, ValueError) as error:
        raise StoreError(f"the curves of {name} cannot be read: {in_one_line(error)}") from error
    template = templates(ROOM).get_template("live_curves.html.j2")
    html = template.render(
        address=f"{run_address(name)}live.json", drawn=section.html, events=events[-50:] if listed else []
    )
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


def _download(name: str, folder: Path) -> list[Section]:
    """The link to the report; none where the run has not written it."""
    if not any((folder / file).is_file() for file in _REPORTS):
        return []
    link = Markup("<p><a href='{}report.html' download>The report as one file that opens offline</a></p>")
    return [Section("report", "Report", link.format(run_address(name)))]
