"""What sets a segment apart: the words and features whose rate moved most, each with what was measured.

For every name the log-odds of its rate in the segment against its rate elsewhere, with an informative Dirichlet prior
(the name's rate in the whole text), divided by its standard error: large where a difference is large and seen often.

Source: Monroe, Colaresi and Quinn (2008), Political Analysis 16:372-403, equations 16, 20 and 22.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.segmentation.heads import shipped_head
from shoal.segmentation.style import CLOSED_CLASS, SAME_MARKS, style_features, style_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.segmentation.heads import Head
    from shoal.segmentation.result import Segmentation

_PRIOR_TOKENS = 100.0
"""How many tokens of the whole text's rates are added to each side."""

_WORD = re.compile(r"[^\W\d_]{2,}(?:[-'][^\W\d_]+)*")
_CONTRACTION = re.compile(r"(?:n't|'(?:s|ll|re|ve|d|m))$")
_LENGTH_FEATURE = "sentence of"
_NOTABLE = 1.65
"""How many standard errors a difference has to be, to be said: one side of a 5% test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """A word or a feature of style whose rate differs."""

    name: str

    share: float
    """Its share of the segment's tokens."""

    elsewhere: float
    """Its share of the tokens it was compared with."""

    z: float
    """The difference of log-odds in standard errors; above 0 where the segment has more of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLabel:
    """What is known of one segment."""

    start: int
    """Its first sentence (from 0)."""

    stop: int
    """The sentence behind its last."""

    class_name: str | None
    """The most probable class, where the channel has classes; ``none of these`` where the head knows of such texts."""

    probability: float | None
    """How probable that class is of the segment, by the head."""

    words: tuple[Trait, ...]
    """Open-class words that it has more of than the rest of the text."""

    style: tuple[Trait, ...]
    """Features of style that it has more or less of than the rest of the text."""

    since: tuple[Trait, ...]
    """Words and features that moved most against the segment before; none for the first."""

    sentence_tokens: float
    """The mean number of tokens of its sentences."""

    elsewhere_tokens: float
    """The same in the rest of the text; its own where there is no rest."""

    @property
    def text(self) -> str:
        """All of it in one line."""
        parts = [] if self.class_name is None else [f"{self.class_name} ({self.probability:.0%})"]
        if self.elsewhere_tokens and not 1 / 1.25 < self.sentence_tokens / self.elsewhere_tokens < 1.25:
            kind = "long" if self.sentence_tokens > self.elsewhere_tokens else "short"
            parts.append(f"{kind} sentences ({self.sentence_tokens:.0f} tokens, elsewhere {self.elsewhere_tokens:.0f})")
        for said, traits in (
            ("words", self.words),
            ("more of", [trait for trait in self.style if trait.z > 0]),
            ("less of", [trait for trait in self.style if trait.z < 0]),
        ):
            if traits:
                parts.append(f"{said}: {', '.join(trait.name for trait in traits)}")
        return "; ".join(parts) or "nothing that sets it apart"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON can hold them, with `text`."""
        return asdict(self) | {"text": self.text}


def label_segments(
    segmentation: Segmentation, *, head: Head | None = None, words: int = 6, style: int = 6
) -> tuple[SegmentLabel, ...]:
    """Label every segment of a text.

    Args:
        segmentation: what `segment` found.
        head: judges the segments' classes; by default the shipped one of a channel that has one.
        words: at most so many words a segment.
        style: at most so many features of style a segment.
    """
    if head is None and segmentation.channel in ("register", "emotion"):
        head = shipped_head(segmentation.channel)
    segments = segmentation.segments
    edges = [0, *itertools.accumulate(map(len, segments))]
    word_counts = [_counted(segment, _words_of) for segment in segments]
    style_counts = [_counted(segment, _style_of) for segment in segments]
    sizes = [float(sum(len(style_tokens(sentence)) for sentence in segment)) for segment in segments]
    lengths = [len(segment) for segment in segments]
    whole_words, whole_style = _sum(word_counts), _sum(style_counts)
    labels = []
    for place, segment in enumerate(segments):
        class_name, probability = (None, None) if head is None else head.judge(segment)
        rest = (sum(sizes) - sizes[place], sum(lengths) - lengths[place])
        own_words = Counter({name: whole_words[name] for name in word_counts[place]})
        found_words = _apart_from_rest(word_counts[place], own_words, sizes[place], sum(sizes))
        found_style = _apart_from_rest(style_counts[place], whole_style, sizes[place], sum(sizes))
        moved = []
        if place:
            for counts, whole in ((word_counts, whole_words), (style_counts, whole_style)):
                prior = {name: _PRIOR_TOKENS * whole[name] / sum(sizes) for name in counts[place] | counts[place - 1]}
                moved += _traits(counts[place], sizes[place], counts[place - 1], sizes[place - 1], prior)
        labels.append(
            SegmentLabel(
                start=edges[place],
                stop=edges[place + 1],
                class_name=class_name,
                probability=probability,
                words=tuple([trait for trait in found_words if trait.z > 0][:words]),
                style=tuple(found_style[:style]),
                since=tuple(sorted(moved, key=lambda trait: -abs(trait.z))[:style]),
                sentence_tokens=sizes[place] / lengths[place],
                elsewhere_tokens=rest[0] / rest[1] if rest[1] else sizes[place] / lengths[place],
            )
        )
    return tuple(labels)


def _apart_from_rest(here: Counter[str], whole: Counter[str], size: float, all_size: float) -> list[Trait]:
    """What differs notably between a segment and the rest of the text."""
    if size in (0, all_size):
        return []
    rest = Counter({name: whole[name] - here[name] for name in whole})
    prior = {name: _PRIOR_TOKENS * count / all_size for name, count in whole.items()}
    return _traits(here, size, rest, all_size - size, prior)


def _traits(
    here: Counter[str], size: float, there: Counter[str], other_size: float, prior: dict[str, float]
) -> list[Trait]:
    """What differs notably between two stretches of text, the clearest first."""
    if not size or not other_size:
        return []
    traits = []
    for name, weight in prior.items():
        z = _log_odds(here[name], size, there[name], other_size, weight)
        if abs(z) >= _NOTABLE:
            share, elsewhere = here[name] / size, there[name] / other_size
            traits.append(Trait(name=name, share=share, elsewhere=elsewhere, z=z))
    return sorted(traits, key=lambda trait: (-abs(trait.z), trait.name))


def _sum(counts: Sequence[Counter[str]]) -> Counter[str]:
    whole: Counter[str] = Counter()
    for part in counts:
        whole.update(part)
    return whole


def _log_odds(count: float, size: float, other: float, other_size: float, prior: float) -> float:
    """The difference of log-odds in standard errors (equations 16, 20, 22)."""
    one, two = count + prior, other + prior
    odds = np.log(one / (size + _PRIOR_TOKENS - one)) - np.log(two / (other_size + _PRIOR_TOKENS - two))
    return float(odds / np.sqrt(1 / one + 1 / two))


def _counted(sentences: Sequence[str], read: Callable[[str], Counter[str]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(read(sentence))
    return counts


def _words_of(sentence: str) -> Counter[str]:
    words = (_CONTRACTION.sub("", word) for word in _WORD.findall(sentence.translate(SAME_MARKS).lower()))
    return Counter(word for word in words if len(word) > 1 and word not in CLOSED_CLASS)


def _style_of(sentence: str) -> Counter[str]:
    """How many tokens have each feature; lengths of sentences are said by their mean."""
    tokens = len(style_tokens(sentence))
    found = style_features(sentence).items()
    return Counter({name: share * tokens for name, share in found if not name.startswith(_LENGTH_FEATURE)})
