"""A text that was cut into segments: coloured, labelled, with how sure each boundary is.

Colour is never the only sign: a segment has a number and a label, a boundary has its confidence in words, and every
cell of a strip has its value as a hover title. It needs no script: segments are ``details`` that fold, and the parts of
the overview are links, so it is read by keyboard and by ear.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures.page import templates, text_of
from shoal.wording import probability

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOM = "shoal.figures"
_COLOURS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewedSentence:
    """A sentence, and what the channel makes of it."""

    text: str

    strength: float
    """How strongly its cell in the strip is coloured, from 0 to 1."""

    tooltip: str
    """What was measured, in words."""

    group: int
    """Which colour its cell has; segments share the numbering."""

    new_paragraph: bool = False
    """Whether a paragraph begins with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewedSegment:
    """A segment with its label."""

    title: str

    group: int
    """Segments of one group have one colour; below 0 it is grey."""

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


def text_overview(
    segments: Sequence[ViewedSegment], boundaries: Sequence[ViewedBoundary], *, key: Sequence[tuple[int, str]] = ()
) -> Markup:
    """The segments in proportion, each a link to its text.

    Args:
        segments: in order, at least one.
        boundaries: one fewer than segments.
        key: (group, name) of the colours, where groups have names.
    """
    return _block("overview", _parts(segments, boundaries), [(_colour(group), name) for group, name in key])


def text_view(segments: Sequence[ViewedSegment], boundaries: Sequence[ViewedBoundary], *, strip: str) -> Markup:
    """The text in its segments, which fold, with the boundaries between them.

    Args:
        segments: in order, at least one.
        boundaries: one fewer than segments.
        strip: what the cells of the strips show.
    """
    unsure = {place for boundary in boundaries for place in range(boundary.low, boundary.high + 1)}
    return _block("segments", _parts(segments, boundaries), strip, unsure, _colour)


def text_view_style() -> str:
    """The CSS of both."""
    return text_of(_ROOM, "textview.css")


def _block(name: str, *values: object) -> Markup:
    """A macro of the template, filled."""
    return Markup(getattr(templates(_ROOM).get_template("textview.html.j2").module, name)(*values))


def _parts(segments: Sequence[ViewedSegment], boundaries: Sequence[ViewedBoundary]) -> list[dict[str, object]]:
    """Each segment with where it starts and the boundary before it."""
    starts = list(accumulate((len(segment.sentences) for segment in segments), initial=0))
    return [
        {
            "segment": segment,
            "paragraphs": _paragraphs(segment, start),
            "colour": _colour(segment.group),
            "start": start,
            "boundary": boundary,
            "sure": "" if boundary is None else _sure(boundary),
        }
        # Not strict: accumulate also gives where the last segment ends.
        for segment, start, boundary in zip(segments, starts, [None, *boundaries], strict=False)
    ]


def _colour(group: int) -> int:
    """The number of a group's colour; 0 is grey, for what has no colour of its own."""
    return 0 if group < 0 else group % _COLOURS + 1


def _paragraphs(segment: ViewedSegment, start: int) -> list[list[tuple[int, ViewedSentence]]]:
    """The sentences with their places in the text, paragraph by paragraph."""
    paragraphs: list[list[tuple[int, ViewedSentence]]] = []
    for place, sentence in enumerate(segment.sentences, start):
        if sentence.new_paragraph or not paragraphs:
            paragraphs.append([])
        paragraphs[-1].append((place, sentence))
    return paragraphs


def _sure(boundary: ViewedBoundary) -> str:
    """How sure a boundary is, in words."""
    exactly = f"probability {probability(boundary.confidence)} of a boundary exactly here"
    if boundary.low == boundary.high:
        return exactly
    return f"{exactly}; 90% credible set: before sentences {boundary.low + 1} to {boundary.high + 1}"
