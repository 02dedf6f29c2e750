"""The page of ``shoal segment --plot``: where the text changes, and the text in its segments."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from shoal.figures import (
    Section,
    ViewedBoundary,
    ViewedSegment,
    ViewedSentence,
    document,
    text_overview,
    text_view,
    text_view_style,
)
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
