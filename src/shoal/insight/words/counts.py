"""How many words, types, stems and lemmas a text has, and where stems and lemmas disagree."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shoal.insight.words.table import WordRow

WINDOW = 100
"""Words of the windows over which the moving type-token ratio is a mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LemmaCount:
    """A lemma with its forms in the text."""

    lemma: str
    word_class: str | None
    """The part of speech; None where the text was not tagged."""

    count: int
    forms: Mapping[str, int]
    """How often each form occurs, in lower case, the most frequent first."""

    def __str__(self) -> str:
        """The lemma, its class and its forms."""
        forms = ", ".join(form if count == 1 else f"{form} {count}" for form, count in self.forms.items())
        return f"{self.lemma}{f' ({self.word_class})' if self.word_class else ''}: {forms}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WordCounts:
    """The figures of a text; marks of punctuation do not count."""

    words: int
    """Running words, numbers included."""

    types: int
    """Different words, in lower case."""

    once: int
    """Types that occur once (hapax legomena)."""

    stems: int | None
    """Different stems; None where the language has no stemmer."""

    lemmas: int | None
    """Different lemmas, by part of speech where it is known; None where the language has no lemmatizer."""

    moving_ratio: float | None
    """Types per word, the mean over all windows of a hundred words (Covington and McFall 2010); None for less text."""

    tokens: Mapping[str, int]
    """Tokens of the words by each tokenizer."""

    classes: Mapping[str, int]
    """Words of each part of speech, the most frequent first."""

    frequent: tuple[LemmaCount, ...]
    """Every lemma, the most frequent first; types where there are no lemmas."""

    divided_by_stems: tuple[LemmaCount, ...]
    """Lemmas whose forms have several stems: better and good."""

    joined_by_stems: Mapping[str, tuple[str, ...]]
    """Stems that several lemmas share: univers of universe and university."""

    @property
    def ratio(self) -> float:
        """Types per word; it falls with the length of a text, so that only texts of one length compare."""
        return self.types / self.words

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "ratio": self.ratio}


def count_words(rows: Sequence[WordRow], tokenizers: Iterable[str]) -> WordCounts:
    """Count the words of a table.

    Args:
        rows: of the table.
        tokenizers: their names.
    """
    words = [row for row in rows if row.is_word]
    types = Counter(row.text.lower() for row in words)
    stems = {row.stem for row in words if row.stem is not None}
    forms: dict[tuple[str, str | None], Counter[str]] = defaultdict(Counter)
    for row in words:
        forms[row.text.lower() if row.lemma is None else row.lemma, row.word_class][row.text.lower()] += 1
    lemmas = [
        LemmaCount(lemma=lemma, word_class=word_class, count=count.total(), forms=dict(count.most_common()))
        for (lemma, word_class), count in forms.items()
    ]
    lemmas.sort(key=lambda each: (-each.count, each.lemma))
    lemmatized = any(row.lemma is not None for row in words)
    stem_of = {row.text.lower(): row.stem for row in words if row.stem is not None}
    return WordCounts(
        words=len(words),
        types=len(types),
        once=sum(count == 1 for count in types.values()),
        stems=len(stems) if stems else None,
        lemmas=len(lemmas) if lemmatized else None,
        moving_ratio=_moving_ratio([row.text.lower() for row in words]),
        tokens={name: sum(len(row.tokens[name]) for row in words) for name in tokenizers},
        classes=dict(Counter(row.word_class for row in words if row.word_class is not None).most_common()),
        frequent=tuple(lemmas),
        divided_by_stems=tuple(
            each for each in lemmas if lemmatized and len({stem_of.get(form) for form in each.forms}) > 1
        ),
        joined_by_stems=_joined(words) if lemmatized else {},
    )


def _moving_ratio(words: Sequence[str]) -> float | None:
    """The mean number of types in a window, per word."""
    # Of a shorter text the ratio is that of its length, and compares with no other.
    if len(words) < WINDOW:
        return None
    inside = Counter(words[:WINDOW])
    total = len(inside)
    for leaving, entering in zip(words, words[WINDOW:], strict=False):
        inside[leaving] -= 1
        if not inside[leaving]:
            del inside[leaving]
        inside[entering] += 1
        total += len(inside)
    return total / (WINDOW * (len(words) - WINDOW + 1))


def _joined(words: Iterable[WordRow]) -> dict[str, tuple[str, ...]]:
    lemmas: dict[str, set[str]] = defaultdict(set)
    for row in words:
        if row.stem is not None and row.lemma is not None:
            lemmas[row.stem].add(row.lemma.lower())
    return {stem: tuple(sorted(found)) for stem, found in sorted(lemmas.items()) if len(found) > 1}
