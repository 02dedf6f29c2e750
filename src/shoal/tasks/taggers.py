"""Word classes checked by a tagger that did not write them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.statistics import Interval, wilson_interval
from shoal.text import load_hanta

if TYPE_CHECKING:
    import pandas as pd

    from shoal.tasks.task import Example

WordClass = Literal["noun", "verb", "adjective", "number"]
WORD_CLASSES: tuple[WordClass, ...] = get_args(WordClass)

Tagger = Callable[[Sequence[str]], Sequence[str]]
"""From words out of context to the class of each: a `WordClass`, or any other text for another class."""

_OTHER = "other"

# Tags of the British National Corpus (C5) by their beginning; CRD are cardinal numbers. Ordinals (ORD) are not meant.
_HANTA_CLASSES: Mapping[str, str] = {"NN": "noun", "NP": "noun", "V": "verb", "AJ": "adjective", "CRD": "number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerCheck:
    """How far a tagger agrees with classes that others gave to words."""

    tagger: str
    words: Mapping[str, int]
    """How many there are of each class."""

    agreeing: Mapping[str, int]
    """How many of each class the tagger puts into that class."""

    interval: Interval
    """Wilson's interval of the share of all words on which both agree."""

    disagreements: Mapping[str, str]
    """The class that the tagger gives to each of the other words."""

    @property
    def share(self) -> float:
        """Of the words, on which both agree."""
        return sum(self.agreeing.values()) / sum(self.words.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "tagger": self.tagger,
            "agreement": self.share,
            "interval": [self.interval.low, self.interval.high],
            "confidence": self.interval.confidence,
            "words": dict(self.words),
            "agreeing": dict(self.agreeing),
            "disagreements": dict(self.disagreements),
        }

    def to_frame(self) -> pd.DataFrame:
        """A row per class: ``class``, ``words``, ``agreeing``."""
        import pandas as pd

        rows = [{"class": name, "words": count, "agreeing": self.agreeing[name]} for name, count in self.words.items()]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        low, high, level = self.interval.low, self.interval.high, self.interval.confidence
        counts = f"{sum(self.agreeing.values())} of {sum(self.words.values())} words"
        lines = [
            f"{self.tagger} agrees on {counts}: {self.share:.1%}, {100 * level:g}% interval {low:.1%} to {high:.1%}"
        ]
        lines += [f"  {name}: {self.agreeing[name]} of {count}" for name, count in self.words.items()]
        if self.disagreements:
            listed = ", ".join(f"{word} ({name})" for word, name in self.disagreements.items())
            lines.append(f"  other class given: {listed}")
        return "\n".join(lines)


def check_word_classes(
    classes: Mapping[str, str], *, tagger: str | Tagger = "hanta", confidence: float = 0.95
) -> TaggerCheck:
    """Compare the classes of words with those that a tagger gives to them, each word on its own.

    Args:
        classes: word to class: ``noun``, ``verb``, ``adjective`` or ``number``.
        tagger: the name of a tagger, ``hanta``, or a function from words to classes.
        confidence: of the interval.

    Raises:
        DataError: there are no words, a class is not one of the four, or the tagger does not answer every word.
        MissingExtraError: the tagger is not installed.
        UnknownNameError: no tagger has that name.
    """
    if not classes:
        raise DataError("there are no words to check; give at least one with its class")
    for word, name in classes.items():
        if name not in WORD_CLASSES:
            raise DataError(f"the word {word!r} is of the class {name!r}; give {', '.join(WORD_CLASSES)}")
    answers = make_tagger(tagger)(list(classes))
    if len(answers) != len(classes):
        raise DataError(f"the tagger gave {len(answers)} classes for {len(classes)} words; it must give one per word")
    given = dict(zip(classes, answers, strict=True))
    words = Counter(classes.values())
    agreeing = Counter(name for word, name in classes.items() if given[word] == name)
    return TaggerCheck(
        tagger=tagger if isinstance(tagger, str) else getattr(tagger, "__name__", "tagger"),
        words=dict(words),
        agreeing={name: agreeing[name] for name in words},
        interval=wilson_interval(agreeing.total(), words.total(), confidence=confidence),
        disagreements={word: name for word, name in given.items() if name != classes[word]},
    )


def classes_of_examples(examples: Sequence[Example]) -> dict[str, str]:
    """The words and classes in the tags ``word`` and ``class`` of examples, for `check_word_classes`.

    Raises:
        UsageError: an example lacks one of the tags.
    """
    for example in examples:
        if not {"word", "class"} <= example.tags.keys():
            raise UsageError(
                f"a tagger checks examples with the tags 'word' and 'class', and {example.prompt[:40]!r} has "
                f"{', '.join(map(repr, example.tags)) or 'none'}; take the task word-classes, or add these columns"
            )
    return {str(example.tags["word"]): str(example.tags["class"]) for example in examples}


def make_tagger(tagger: str | Tagger) -> Tagger:
    """The tagger of a name, loaded; a function is given back as it is.

    Args:
        tagger: ``hanta``, or a function from words to classes.

    Raises:
        MissingExtraError: it is not installed.
        UnknownNameError: no tagger has that name.
    """
    if callable(tagger):
        return tagger
    if tagger not in _TAGGERS:
        raise UnknownNameError("tagger", tagger, _TAGGERS)
    return _TAGGERS[tagger]()


def _hanta() -> Tagger:
    """The Hanover Tagger: the morphemes of a word by a hidden Markov model, trained on the British National Corpus.

    It gives the likelihood of every tag that a word can have, and so needs no sentence around the word (Wartena 2019,
    A probabilistic morphology model for German lemmatization).
    """
    model = load_hanta("en")

    def class_of(word: str) -> str:
        shares: dict[str, float] = {}
        for tag, log_likelihood in model.tag_word(word):
            name = next((name for start, name in _HANTA_CLASSES.items() if tag.startswith(start)), _OTHER)
            # Summed over the tags of a class: a noun's likelihood is divided between its singular and its plural.
            shares[name] = shares.get(name, 0.0) + math.exp(log_likelihood)
        return max(shares, key=lambda name: shares[name], default=_OTHER)

    return lambda words: [class_of(word) for word in words]


_TAGGERS: Mapping[str, Callable[[], Tagger]] = {"hanta": _hanta}
