"""The page of ``shoal segment --plot``: where the text changes, and the text in its segments.

Segments are coloured and labelled, with how sure each boundary is. Colour is never the only sign: a segment has a
number and a label, a boundary has its confidence in words, and every cell of a strip has its value as a hover title. It
needs no script: segments are ``details`` that fold, and the parts of the overview are links, so it is read by keyboard
and by ear.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import Section, document, templates, text_of
from shoal.segmentation import sentence_similarities
from shoal.wording import joined, plural, probability, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.segmentation import Segmentation, SegmentLabel, Trait


_COLOURS = 9
"""At most this many classes have a colour of their own, so that no two share one; the others are grey."""

_OTHER = -1
_CLASSES = "the most likely class of each sentence, the stronger the likelier"
_LIKENESS = "how much each sentence is like the rest of its segment, the stronger the more"


def segment_page(source: str, found: Segmentation, labels: Sequence[SegmentLabel], *, text: str | None = None) -> str:
    """A whole document that opens offline.

    Args:
        source: what the text was read from.
        found: its segments.
        labels: their labels.
        text: the text itself, whose paragraphs are kept; without it each segment is one paragraph.
    """
    # Segmentations that were read back from JSON have none; the page is drawn of fresh ones alone.
    assert found.features is not None
    classes = () if found.head is None else found.head.classes
    fits = sentence_similarities(found.features, found.lengths, classes)
    read_as = [None if fit.class_index is None else classes[fit.class_index] for fit in fits]
    colour = _colours(labels, [name for name in read_as if name is not None])
    breaks = _paragraph_starts(text or "", found.sentences)
    segments = []
    for place, label in enumerate(labels):
        # Without classes each segment has a colour of its own.
        group = place if label.class_name is None else colour.get(label.class_name, _OTHER)
        sentences = [
            ViewedSentence(
                text=found.sentences[at],
                strength=fits[at].value,
                tooltip=fits[at].description,
                group=group if (name := read_as[at]) is None else colour.get(name, _OTHER),
                new_paragraph=at in breaks,
            )
            for at in range(label.start, label.stop)
        ]
        title = _title(label, found.sentences[label.start])
        segments.append(ViewedSegment(title=title, group=group, chips=tuple(_chips(label)), sentences=tuple(sentences)))
    boundaries = [
        ViewedBoundary(confidence=cut.confidence, low=cut.low, high=cut.high, chips=tuple(map(_moved, label.since)))
        for cut, label in zip(found.cuts, labels[1:], strict=True)
    ]
    key = [(group, name) for name, group in colour.items()]
    if any(name not in colour for name in read_as if name is not None):
        key.append((_OTHER, "other classes"))
    view = text_view(segments, boundaries, strip=_CLASSES if classes else _LIKENESS)
    return document(
        f"Segments of {'standard input' if source == '-' else source}, by {found.channel}",
        _result(found, labels),
        [Section("text", "The text in its segments", view)],
        details=_details(found),
        picture=text_overview(segments, boundaries, key=key),
        style=text_view_style(),
    )


def _result(found: Segmentation, labels: Sequence[SegmentLabel]) -> str:
    """How many segments, and where the clearest boundary lies."""
    classes = [label.class_name for label in labels]
    if not found.cuts:
        of = f": {classes[0]} throughout" if classes[0] else ""
        return f"The text does not change{of}; its {plural(len(found.sentences), 'sentence')} are one segment."
    cut = max(found.cuts, key=lambda cut: cut.confidence)
    turn = quoted(found.sentences[cut.place])
    if found.count == 2:
        of = f" from {classes[0]} to {classes[1]}" if all(classes) and classes[0] != classes[1] else ""
        sure = probability(cut.confidence)
        return f"The text changes once{of}, before sentence {cut.place + 1}, {turn} (probability {sure})."
    named = f": {joined(list(dict.fromkeys(filter(None, classes))))}" if all(classes) else ""
    return (
        f"The text has {found.count} segments{named}; the clearest boundary lies before sentence {cut.place + 1}, "
        f"{turn} (probability {probability(cut.confidence)})."
    )


def _paragraph_starts(text: str, sentences: Sequence[str]) -> set[int]:
    """The sentences with which a paragraph begins: those before which the text has an empty line.

    Sentences hold the text's characters in order, but not its white space, so both are read side by side without it.
    """
    starts, at = set(), 0
    for place, sentence in enumerate(sentences):
        gap_end = at
        while gap_end < len(text) and text[gap_end].isspace():
            gap_end += 1
        # One line end is a wrapped line, two an empty line.
        if text[at:gap_end].count("\n") > 1:
            starts.add(place)
        at = gap_end
        for sign in "".join(sentence.split()):
            while at < len(text) and text[at].isspace():
                at += 1
            # The sentences are not of this text, or were changed: paragraphs found so far are all that can be trusted.
            if at == len(text) or text[at] != sign:
                return starts
            at += 1
    return starts


def _colours(labels: Sequence[SegmentLabel], read_as: Sequence[str]) -> dict[str, int]:
    """A colour for each class: those of the segments first, then those that most sentences are read as."""
    of_segments = [label.class_name for label in labels if label.class_name is not None]
    of_sentences = [name for name, _ in Counter(read_as).most_common()]
    names = list(dict.fromkeys([*of_segments, *of_sentences]))
    return {name: place for place, name in enumerate(names[:_COLOURS])}


def _title(label: SegmentLabel, first: str) -> str:
    """Its class, its words, or where it has none how it begins."""
    if label.class_name is not None:
        return f"{label.class_name}, {label.probability:.0%}"
    return ", ".join(trait.name for trait in label.words[:3]) or quoted(first)


def _chips(label: SegmentLabel) -> list[tuple[str, str]]:
    chips = [(trait.name, _measured(trait)) for trait in label.words]
    if len(label.style) or label.sentence_tokens != label.elsewhere_tokens:
        chips.append(
            (
                f"{label.sentence_tokens:.0f} tokens per sentence",
                f"elsewhere {label.elsewhere_tokens:.0f}",
            )
        )
    return chips + [_moved(trait) for trait in label.style]


def _moved(trait: Trait) -> tuple[str, str]:
    sign = "\N{UPWARDS ARROW}" if trait.z > 0 else "\N{DOWNWARDS ARROW}"
    return f"{sign} {trait.name}", _measured(trait)


def _measured(trait: Trait) -> str:
    return (
        f"{trait.share:.2%} of the tokens here, {trait.elsewhere:.2%} there; "
        f"{abs(trait.z):.1f} standard errors {'more' if trait.z > 0 else 'less'}"
    )


def _details(found: Segmentation) -> str:
    """What was read, and what a boundary had to show."""
    number = f"A boundary had to gain {found.penalty:.1f} nats" if found.penalty else "Their number was given"
    return f"{plural(len(found.sentences), 'sentence')} were read by {found.channel}. {number}."


_ROOM = "shoal.reports"
_PALETTE = 10


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
    return 0 if group < 0 else group % _PALETTE + 1


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
