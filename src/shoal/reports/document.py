"""The one skeleton of every page: what was found in a sentence, the picture that shows it, then section by section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONG = 4
"""From this many sections on a page has a list of its contents."""

_SECTION = Markup('<section id="{0}" aria-labelledby="{0}-h">\n<h2 id="{0}-h">{1}</h2>\n{2}\n</section>\n')


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page."""

    anchor: str
    """Its id, by which the list of contents links to it."""

    heading: str
    html: Markup


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
