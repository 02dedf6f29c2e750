"""The HTML blocks that every page of shoal is made of: the document, the page around it, a table, a figure.

The one skeleton of every document: what was found in a sentence, the picture that shows it, then section by section.

A page is one file that fetches nothing: its styles, its script and its data stand in it, and its
Content-Security-Policy forbids the rest.
"""

from __future__ import annotations

import base64
import hashlib
import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from shoal.figures.theme import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_ROOM = "shoal.figures"
LONG = 4
"""From this many sections on a page has a list of its contents."""

_NEGATIVE = re.compile(r"(?<![\w.)])-(?=[\d.])")
"""A hyphen that stands for minus: not within a word or a range such as 3-5."""

_SECTION = Markup('<section id="{0}" aria-labelledby="{0}-h">\n<h2 id="{0}-h">{1}</h2>\n{2}\n</section>\n')


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page."""

    anchor: str
    """Its id, by which the list of contents links to it."""

    heading: str
    html: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFrame:
    """What a server puts around every page, in place of what makes a page a file of its own."""

    navigation: Markup
    """Stands before the heading."""

    footer: str
    head: Markup
    """Further elements of the head: its style sheet and its script."""

    script_address: Callable[[str], str]
    """From the text of a script to the address under which the server gives it: its policy allows none inline."""


_FRAME: ContextVar[PageFrame | None] = ContextVar("frame of pages", default=None)


@contextmanager
def framed_pages(frame: PageFrame) -> Iterator[None]:
    """Within it, every page of this thread is drawn for a server: with its frame, and without inline scripts.

    A page is drawn by the same functions whether it is a file or is served, so that both show the same.
    """
    token = _FRAME.set(frame)
    try:
        yield
    finally:
        _FRAME.reset(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """What stands on a page, before it is HTML: a report writes it, and the studio adds sections of its own."""

    title: str
    result: str | Markup
    sections: tuple[Section, ...]
    """A section without HTML has nothing to show, and is left out."""

    details: str | Markup = ""
    picture: Markup | None = None
    style: str = ""
    script: str = ""
    data: Mapping[str, object] = field(default_factory=dict)

    def to_html(self) -> str:
        """The whole document."""
        return document(
            self.title,
            self.result,
            [section for section in self.sections if section.html],
            details=self.details,
            picture=self.picture,
            style=self.style,
            script=self.script,
            data=self.data,
        )


def document(
    title: str,
    result: str | Markup,
    sections: Sequence[Section],
    *,
    details: str | Markup = "",
    picture: Markup | None = None,
    style: str = "",
    script: str = "",
    data: Mapping[str, object] | None = None,
) -> str:
    """A whole HTML document that opens offline.

    Args:
        title: what the page is about, such as the command and its source.
        result: what was found, in one plain sentence; `Markup` where it has blocks of its own.
        sections: what stands behind it; a long page lists them.
        details: a second sentence with the numbers that the first leaves out.
        picture: the figure that shows the result, before all sections.
        style: CSS besides the common one.
        script: JavaScript that runs when the page has been read.
        data: values by element id, as JSON that the script reads.
    """
    header = Markup("<h1>{}</h1>\n{}{}").format(
        title,
        # `Markup.format` escapes what is no Markup itself: sources and model names may hold HTML.
        result if isinstance(result, Markup) else Markup("<p class='result'>{}</p>\n").format(result),
        Markup("<p class='details'>{}</p>\n").format(details) if details else "",
    )
    body = Markup("").join(
        [
            *([Markup("<div class='picture'>{}</div>\n").format(picture)] if picture else []),
            *(_SECTION.format(section.anchor, section.heading, section.html) for section in sections),
        ]
    )
    contents = [(section.anchor, section.heading) for section in sections] if len(sections) >= LONG else []
    return page(title=title, header=header, body=body, contents=contents, style=style, script=script, data=data)


def page(
    *,
    title: str,
    header: Markup,
    body: Markup,
    contents: Sequence[tuple[str, str]] = (),
    style: str = "",
    script: str = "",
    data: Mapping[str, object] | None = None,
) -> str:
    """A whole HTML document.

    Args:
        title: of the document.
        header: its heading and what it found.
        body: what stands below it; plain strings are escaped.
        contents: (anchor, name) of each section, for the navigation.
        style: CSS besides the common one.
        script: JavaScript that runs when the page has been read; the policy allows this text alone.
        data: values by element id, as JSON that the script reads.
    """
    frame = _FRAME.get()
    return (
        templates(_ROOM)
        .get_template("page.html.j2")
        .render(
            title=title,
            header=header,
            body=body,
            contents=contents,
            policy=_policy(script) if frame is None else None,
            style=Markup(css_variables() + text_of(_ROOM, "page.css") + style),
            script=Markup(script),
            script_address=frame.script_address(script) if frame is not None and script else None,
            frame=frame,
            data=data or {},
        )
    )


def _policy(script: str) -> Markup:
    """The Content-Security-Policy of a page that is a file."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"'sha256-{digest}'" if script else "'none'"
    # Styles are inline in every drawing, where no digest can stand for them; of scripts only the page's own runs,
    # even where a text slips past the escaping.
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return Markup(policy.replace('"', "&quot;"))


def css_variables() -> str:
    """The colours as CSS custom properties: light, dark where the reader prefers it, light again in print."""
    light = _declarations(LIGHT)
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{_declarations(DARK)}}}}}\n"
        f"@media print{{:root{{color-scheme:light;{light}}}}}\n"
    )


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    caption: str,
    numeric: Sequence[int] = (),
    cards: bool | None = None,
) -> Markup:
    """A table whose first column names its rows; on a narrow screen each row is a card with labelled cells.

    Args:
        head: the column names.
        rows: cells as text, `Markup` or numbers; text is escaped.
        caption: what the table shows.
        numeric: columns that are set flush right.
        cards: whether rows become cards where there is little room; None is yes from three columns on.
    """
    template = templates(_ROOM).get_template("blocks.html.j2")
    rows = [[_typeset(cell) if place in numeric else cell for place, cell in enumerate(row)] for row in rows]
    as_cards = len(head) > 2 if cards is None else cards
    return Markup(template.module.table(head, rows, caption, set(numeric), as_cards))  # type: ignore[attr-defined]


def _typeset(cell: object) -> object:
    """A cell of a numeric column, its hyphens before digits as true minus signs."""
    if not isinstance(cell, str | int | float) or isinstance(cell, bool):
        return cell
    text = cell if isinstance(cell, str) else str(cell)
    # `Markup.replace` and `re.sub` would lose that it is markup.
    return type(text)(_NEGATIVE.sub("\N{MINUS SIGN}", text))


def figure(drawings: Sequence[str], *, caption: str | Markup) -> Markup:
    """One or more SVG drawings side by side, under each other where there is no room.

    Args:
        drawings: ``<svg>`` elements, or what `responsive` makes.
        caption: what they show, and how to read it.
    """
    template = templates(_ROOM).get_template("blocks.html.j2")
    svgs = [Markup(svg) for svg in drawings]
    return Markup(template.module.figure(svgs, caption))  # type: ignore[attr-defined]


@cache
def templates(room: str) -> Environment:
    """The templates of a room; everything is escaped unless it is `Markup`, and an unknown name is an error."""
    return Environment(
        loader=PackageLoader(room),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def text_of(room: str, name: str) -> str:
    """A text file that lies beside a room's templates.

    Args:
        room: the package that has the folder ``templates``.
        name: of the file.
    """
    return resources.files(room).joinpath("templates", name).read_text(encoding="utf-8")


def _declarations(colours: dict[str, str]) -> str:
    """CSS declarations of custom properties."""
    return "".join(f"--{role}:{colour};" for role, colour in colours.items())
