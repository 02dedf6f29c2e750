"""What sets a segment apart, and how each sentence sits in its segment.

A segment is labelled with the words and features whose rate differs most, each with its rates. For every name the
log-odds of its rate in the segment against its rate elsewhere, with an informative Dirichlet prior (the name's rate in
the whole text), is divided by its standard error: large where a difference is large and seen often.

Source: Monroe, Colaresi and Quinn (2008), Political Analysis 16:372-403, equations 16, 20 and 22.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.special import softmax

from shoal.segmentation.sentence_features import CLOSED_CLASS, SAME_MARKS, style_features, style_tokens
from shoal.text import LETTER_RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shoal.segmentation.channels import Features
    from shoal.segmentation.heads import ClassifierHead
    from shoal.segmentation.result import Segmentation

_PRIOR_TOKENS = 100.0
"""How many tokens of the whole text's rates are added to each side: enough that a word seen once does not
differ notably from one never seen."""

_SAME_SHARE = 1e-6
"""Tokens; fewer are what rounding leaves of none, since the features of a sentence are shares of its tokens."""

_WORD = re.compile(rf"{LETTER_RUN}(?:[-']{LETTER_RUN})*")
_CONTRACTION = re.compile(r"(?:n't|'(?:s|ll|re|ve|d|m))$")
_LENGTH_FEATURE = "sentence of"
_NOTABLE = 1.65
"""How many standard errors a difference must be to be reported: a one-sided test at 5 %."""


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
    """What was measured of one segment."""

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
        for heading, traits in (
            ("words", self.words),
            ("more of", [trait for trait in self.style if trait.z > 0]),
            ("less of", [trait for trait in self.style if trait.z < 0]),
        ):
            if traits:
                parts.append(f"{heading}: {', '.join(trait.name for trait in traits)}")
        return "; ".join(parts) or "nothing that sets it apart"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON can hold them, with `text`."""
        return asdict(self) | {"text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceSimilarity:
    """How a sentence sits in its segment."""

    value: float
    """From 0 to 1."""

    description: str
    """What was measured, with its value."""

    class_index: int | None = None
    """The index of its most likely class, where the channel has classes."""


def label_segments(
    segmentation: Segmentation, *, head: ClassifierHead | None = None, max_words: int = 6, max_style: int = 6
) -> tuple[SegmentLabel, ...]:
    """Label every segment of a text.

    Args:
        segmentation: what `segment` found.
        head: classifies the segments; by default the one by which the text was read.
        max_words: words per segment, at most.
        max_style: features of style per segment, and of the change from the segment before, at most.
    """
    head = segmentation.head if head is None else head
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
        # A word that the segment lacks has a z below 0, and those are dropped below.
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
                words=tuple([trait for trait in found_words if trait.z > 0][:max_words]),
                style=tuple(found_style[:max_style]),
                since=tuple(sorted(moved, key=lambda trait: -abs(trait.z))[:max_style]),
                sentence_tokens=sizes[place] / lengths[place],
                elsewhere_tokens=rest[0] / rest[1] if rest[1] else sizes[place] / lengths[place],
            )
        )
    return tuple(labels)


def sentence_similarities(
    features: Features, lengths: Sequence[int], classes: Sequence[str] = ()
) -> list[SentenceSimilarity]:
    """The class of each sentence by a channel's features, or its similarity to the rest of its segment.

    Args:
        features: of the sentences, as `Segmentation.features` holds them.
        lengths: the number of sentences of each segment.
        classes: the names of the columns of the likelihoods, where there are any.
    """
    if features.likelihoods is not None:
        return _classes(np.asarray(features.likelihoods, dtype=float), classes)
    segments = np.repeat(np.arange(len(lengths)), lengths)
    if features.vectors is not None:
        values = _cosines(np.asarray(features.vectors, dtype=float), segments)
        return [
            SentenceSimilarity(value=value, description=f"cosine {value:.2f} with the rest of its segment")
            for value in values
        ]
    values = _shared(sparse.csr_array(features.counts), segments)
    return [
        SentenceSimilarity(value=value, description=f"{value:.0%} of its words come again in its segment")
        for value in values
    ]


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
    """What differs notably between two parts of a text, the clearest first."""
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
    others = size + _PRIOR_TOKENS - one, other_size + _PRIOR_TOKENS - two
    # Where every token of the text has the name, both odds are infinite, up to rounding, and nothing differs.
    if min(others) < _SAME_SHARE:
        return 0.0
    odds = np.log(one / others[0]) - np.log(two / others[1])
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
    """How many tokens have each feature, without the lengths of sentences, whose mean is reported."""
    tokens = len(style_tokens(sentence))
    found = style_features(sentence).items()
    return Counter({name: share * tokens for name, share in found if not name.startswith(_LENGTH_FEATURE)})


def _classes(likelihoods_NC: NDArray[np.float64], classes: Sequence[str]) -> list[SentenceSimilarity]:
    probabilities = softmax(likelihoods_NC, axis=1)
    best = probabilities.argmax(axis=1)
    return [
        SentenceSimilarity(
            value=float(row[place]), description=f"{classes[place]} {row[place]:.2f}", class_index=int(place)
        )
        for row, place in zip(probabilities, best, strict=True)
    ]


def _cosines(vectors_ND: NDArray[np.float64], segments: NDArray[np.intp]) -> list[float]:
    """Cosines with the mean of the other sentences of the segment, what is below 0 taken as 0; 0 for one alone."""
    sums = np.stack([vectors_ND[segments == segment].sum(axis=0) for segment in range(segments.max() + 1)])
    others = sums[segments] - vectors_ND
    norms = np.linalg.norm(others, axis=1) * np.linalg.norm(vectors_ND, axis=1)
    products = np.einsum("nd,nd->n", others, vectors_ND)
    cosines = np.divide(products, norms, out=np.zeros(len(norms)), where=norms > 1e-12)
    return [float(value) for value in np.clip(cosines, 0, 1)]


def _shared(counts: sparse.csr_array, segments: NDArray[np.intp]) -> list[float]:
    """Of the distinct words of each sentence, the share that another sentence of its segment has; 0 without words."""
    present = (counts > 0).astype(np.float64)
    member = sparse.csr_array((np.ones(len(segments)), (segments, np.arange(len(segments)))))
    times = (member @ present)[segments]
    again = np.asarray(((times > 1).multiply(present)).sum(axis=1)).ravel()
    words = np.asarray(present.sum(axis=1)).ravel()
    return [float(value) for value in np.divide(again, words, out=np.zeros(len(words)), where=words > 0)]
