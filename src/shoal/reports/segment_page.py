"""The page of ``shoal segment --plot``: the text in its segments, in one file that needs no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.figures import ViewedBoundary, ViewedSegment, ViewedSentence, text_view
from shoal.segmentation import sentence_similarities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.segmentation import Segmentation, SegmentLabel, Trait

_CLASSES = "the most likely class of each sentence, the stronger the likelier"
_LIKENESS = "how much each sentence is like the rest of its segment, the stronger the more"


def segment_page(source: str, found: Segmentation, labels: Sequence[SegmentLabel]) -> str:
    """A whole document that opens offline.

    Args:
        source: what the text was read from.
        found: its segments.
        labels: their labels.
    """
    assert found.features is not None
    classes = () if found.head is None else found.head.classes
    fits = sentence_similarities(found.features, found.lengths, classes)
    shown = sorted({fit.class_index for fit in fits if fit.class_index is not None})
    colour = {name: place for place, name in enumerate(dict.fromkeys(_by_use(labels, [classes[c] for c in shown])))}
    segments = []
    for place, label in enumerate(labels):
        group = place if label.class_name is None else colour[label.class_name]
        sentences = [
            ViewedSentence(
                text=found.sentences[at],
                strength=fits[at].value,
                says=fits[at].description,
                group=group if fits[at].class_index is None else colour[classes[fits[at].class_index or 0]],
            )
            for at in range(label.start, label.stop)
        ]
        title = _title(label)
        segments.append(ViewedSegment(title=title, group=group, chips=tuple(_chips(label)), sentences=tuple(sentences)))
    boundaries = [
        ViewedBoundary(confidence=cut.confidence, low=cut.low, high=cut.high, chips=tuple(map(_moved, label.since)))
        for cut, label in zip(found.cuts, labels[1:], strict=True)
    ]
    return text_view(
        segments,
        boundaries,
        title=f"{'standard input' if source == '-' else source} by {found.channel}",
        summary=_summary(found),
        strip=_CLASSES if classes else _LIKENESS,
        key=[(group, name) for name, group in colour.items()],
    )


def _by_use(labels: Sequence[SegmentLabel], shown: Sequence[str]) -> list[str]:
    """Class names, those of segments first, so that these have colours of their own."""
    return [*(label.class_name for label in labels if label.class_name is not None), *shown]


def _title(label: SegmentLabel) -> str:
    if label.class_name is not None:
        return f"{label.class_name}, {label.probability:.0%}"
    return ", ".join(trait.name for trait in label.words[:3]) or "a segment with no words of its own"


def _chips(label: SegmentLabel) -> list[tuple[str, str]]:
    chips = [(trait.name, _measured(trait)) for trait in label.words]
    if len(label.style) or label.sentence_tokens != label.elsewhere_tokens:
        chips.append(
            (
                f"{label.sentence_tokens:.0f} tokens a sentence",
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


def _summary(found: Segmentation) -> str:
    many = f"{found.count} segments" if found.count > 1 else "one segment"
    asked = f"a cut had to gain {found.penalty:.1f} nats" if found.penalty else "their number was given"
    return f"{len(found.sentences)} sentences in {many}, read by {found.channel}; {asked}."
