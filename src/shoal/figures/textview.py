"""A text that was cut into segments: coloured, labelled, with how sure each boundary is.

Colour is never the only sign: a segment has a number and a label, a boundary says its confidence in words, and every
cell of a strip has its value as a hover title. The page needs no script; the overview's parts and the list of segments
are links, so it is read by keyboard and by ear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures.page import page, templates, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOM = "shoal.figures"
_COLOURS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewedSentence:
    """A sentence, and what the channel makes of it."""

    text: str

    strength: float
    """How strongly its cell in the strip is coloured, from 0 to 1."""

    says: str
    """What was measured, in words."""

    group: int
    """Which colour its cell has; segments share the numbering."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewedSegment:
    """A segment with its label."""

    title: str

    group: int
    """Segments of one group have one colour."""

    chips: tuple[tuple[str, str], ...]
    """(what, details): the chip's text and its hover title."""

    sentences: tuple[ViewedSentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewedBoundary:
    """The boundary before a segment."""

    confidence: float
    """The probability that it lies exactly here."""

    low: int
    """The first sentence (from 0) that it may lie before."""

    high: int
    """The last one."""

    chips: tuple[tuple[str, str], ...] = ()
    """What moved, as a segment's chips."""


def text_view(
    segments: Sequence[ViewedSegment],
    boundaries: Sequence[ViewedBoundary],
    *,
    title: str,
    summary: str,
    strip: str,
    key: Sequence[tuple[int, str]] = (),
) -> str:
    """The page of a text and its segments: one HTML document that fetches nothing.

    Args:
        segments: in order, at least one.
        boundaries: one fewer than segments.
        title: of the page.
        summary: a sentence or two on how the text was cut.
        strip: what the cells of the strips show.
        key: (group, name) of the colours, where groups have names.
    """
    starts = [0]
    for segment in segments:
        starts.append(starts[-1] + len(segment.sentences))
    body = (
        templates(_ROOM)
        .get_template("textview.html.j2")
        .render(
            title=title,
            summary=summary,
            strip=strip,
            key=[(group % _COLOURS + 1, name) for group, name in key],
            total=starts[-1],
            parts=[
                {
                    "segment": segment,
                    "colour": segment.group % _COLOURS + 1,
                    "start": start,
                    "boundary": boundary,
                    "sure": "" if boundary is None else _sure(boundary),
                }
                for segment, start, boundary in zip(segments, starts, [None, *boundaries], strict=False)
            ],
            unsure={place for boundary in boundaries for place in range(boundary.low, boundary.high + 1)},
            colours=_COLOURS,
        )
    )
    return page(title=title, body=Markup(body), style=text_of(_ROOM, "textview.css"))


def _sure(boundary: ViewedBoundary) -> str:
    """How sure a boundary is, in words."""
    if boundary.low == boundary.high:
        return f"probability {boundary.confidence:.0%} of a boundary exactly here"
    return (
        f"probability {boundary.confidence:.0%} of a boundary exactly here; if there is one, nine tenths of it before "
        f"sentences {boundary.low + 1} to {boundary.high + 1}"
    )
