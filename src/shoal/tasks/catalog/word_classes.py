"""The task of word classes: ``noun, verb, adjective or number? king:`` gives `` noun``.

The four classes are balanced by design: the examples come in sets of four words, one of each class, that have the same
number of letters and, in many sets, the same first letter. Many words have an ending of another class (*king* and
*bring*, *lily* and *silly*, *speed* and *succeed*), so that endings do not answer. A tagger that did not write the
lists checks them: see `shoal.tasks.check_word_classes`.
"""

from __future__ import annotations

import functools
import random
import re
from collections import Counter
from typing import TYPE_CHECKING

from rapidfuzz.distance import Levenshtein, Postfix

from shoal.corpora.grammar import child_words
from shoal.errors import DataError, UsageError
from shoal.tasks import checks
from shoal.tasks.answer_measures import CHOICE_MEASURES
from shoal.tasks.generated import MAX_EDITS, OTHER_SURFACE, SAME_SURFACE, by_prompt, read_prompt, true_variants
from shoal.tasks.registry import register_task
from shoal.tasks.shortcuts import COPYING
from shoal.tasks.splits import SplitSpec, bind_split
from shoal.tasks.taggers import WORD_CLASSES, WordClass, check_word_classes
from shoal.tasks.task import Example, Shortcut, Task
from shoal.tasks.word_lists import word_lines, words_of_section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from shoal.tasks.task import Tag, VariantKind

_SETS = "number noun verb adjective"
"""The section of the sets; its title is the order of the classes in a line."""

_QUESTION = "noun, verb, adjective or number?"
_CHOICES = 3
"""How many words are tried for each kind of variant."""


@register_task("word-classes", structural_split="tag(tag='misleading',values=True)", measures=CHOICE_MEASURES)
def word_classes(
    *,
    examples: int = 200,
    tagger: str | None = None,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Name the class of a word: prompt ``noun, verb, adjective or number? king:``, completion `` noun``.

    The tags are ``word``, ``class``, ``length`` (letters), ``misleading`` (whether the ending suggests another class),
    ``child_word`` (whether a child of three or four knows the word: a band of frequency) and ``group`` (the set: its
    four words are on one side of a split, so that both sides are balanced).

    Args:
        examples: how many words; a multiple of four has as many of each class.
        tagger: a tagger that must confirm all words of a set, or the set is left out: ``hanta``.
        seed: random seed of the order of the sets.
        split: the split by name, table or object; ``tag(tag='misleading',values=True)`` trains on words that their
            ending answers, ``tag(tag='child_word',values=False)`` on frequent ones.

    Raises:
        MissingExtraError: the tagger is not installed.
        UsageError: an option cannot be used.
    """
    checks.whole_number("examples", examples, minimum=2)
    checks.whole_number("seed", seed, minimum=0)
    sets = _confirmed_sets(tagger)
    if examples > len(WORD_CLASSES) * len(sets):
        confirmed = f" that the tagger {tagger!r} confirms" if tagger else ""
        raise UsageError(
            f"the task 'word-classes' has only {len(WORD_CLASSES) * len(sets)} different prompts{confirmed} with these "
            f"options, and examples is {examples}; give fewer"
        )
    # Whole sets are shuffled, so that any number of examples has the classes balanced.
    order = random.Random(f"word-classes {seed}").sample(sets, len(sets))
    made = tuple(map(_example, [word for words in order for word in words][:examples]))
    return Task(
        name="word-classes",
        examples=made,
        split=bind_split(split, made),
        rule=class_rule,
        shortcuts={**COPYING, **CLASS_SHORTCUTS},
        draw=_draw,
        variants=lambda example, generator: tuple(true_variants(example, _variants(example.prompt, generator), _of)),
    )


def class_rule(prompt: str) -> str:
    """The class of the word of a prompt.

    Raises:
        DataError: the prompt is of another form, or the word is not in the lists.
    """
    return f" {class_of(_word_of(prompt))}"


def class_of(word: str) -> WordClass:
    """The class of a word of the lists.

    Args:
        word: in lower case.

    Raises:
        DataError: the lists do not hold it.
    """
    if word not in listed_classes():
        raise DataError(f"the word {word!r} is not in the lists of word classes; give one of known class")
    return listed_classes()[word]


@functools.cache
def listed_classes() -> Mapping[str, WordClass]:
    """Every word of the lists with its class: those of the sets first."""
    in_sets = [(word, name) for words in word_sets() for name, word in words.items()]
    others = [(word, name) for name in WORD_CLASSES for word in words_of_section("word_classes", name)]
    return dict([*in_sets, *others])


@functools.cache
def word_sets() -> tuple[Mapping[WordClass, str], ...]:
    """The sets of four words of equal length, by class."""
    names = _SETS.split()
    return tuple(
        {name: words[names.index(name)] for name in WORD_CLASSES} for words in word_lines("word_classes")[_SETS]
    )


def class_by_ending(word: str) -> WordClass:
    """The class that the ending suggests: of *-teen* a number, of *-ing* a verb, of *-ly* an adjective; else a noun.

    Args:
        word: to look at.
    """
    for ending, name in _ENDINGS:
        if re.search(rf"(?:{ending})$", word):
            return name
    return "noun"


# The order decides: "fourteen" ends in the verbs' -en too, and must be read as a number first.
_ENDINGS: tuple[tuple[str, WordClass], ...] = (
    ("teen|ty|(?:^|-)(?:one|two|three|four|five|six|seven|eight|nine)", "number"),
    ("ing|ed|en|ize|ate|ify", "verb"),
    ("ly|y|ous|ful|less|al|ive|ic|ble|ent|ant|ish", "adjective"),
)


def _confirmed_sets(tagger: str | None) -> list[tuple[str, ...]]:
    """The words of the sets; with a tagger, of those sets of which it confirms every word."""
    sets = [tuple(words.values()) for words in word_sets()]
    if tagger is None:
        return sets
    found = check_word_classes(listed_classes(), tagger=tagger)
    return [words for words in sets if not found.disagreements.keys() & set(words)]


@functools.lru_cache(maxsize=8192)
def _word_of(prompt: str) -> str:
    return read_prompt(rf"{re.escape(_QUESTION)} ([a-z-]+) *:", prompt, f"{_QUESTION} king:")[1]


def _prompt_of(word: str) -> str:
    return f"{_QUESTION} {word}:"


def _of(prompt: str) -> Example:
    return _example(_word_of(prompt))


def _example(word: str) -> Example:
    return Example(prompt=_prompt_of(word), completion=f" {class_of(word)}", tags=_tags(word))


@functools.cache
def _set_of_word() -> Mapping[str, str]:
    """The set of each word of the sets, by the name of its number."""
    return {word: words["number"] for words in word_sets() for word in words.values()}


def _tags(word: str) -> Mapping[str, Tag]:
    name = class_of(word)
    return {
        "word": word,
        "class": name,
        "length": len(word),
        "misleading": class_by_ending(word) != name,
        "child_word": word in child_words(),
        # By set: words of one set have equal lengths, and seen ones would give the held-out ones away.
        "group": _set_of_word().get(word, word),
    }


@functools.cache
def words_of_class(name: WordClass) -> tuple[str, ...]:
    """The words of the lists that are of this class."""
    return tuple(word for word, known in listed_classes().items() if known == name)


def _draw(generator: random.Random) -> Example:
    return _example(generator.choice(words_of_class(generator.choice(WORD_CLASSES))))


def _commonest_of(key: Callable[[str], object]) -> Shortcut:
    """The class of most seen words that agree with the word in this; of equals, the first that was seen."""

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:
        own = key(_word_of(prompt))
        found = Counter(example.completion for example in seen if key(_word_of(example.prompt)) == own)
        return found.most_common(1)[0][0] if found else ""

    return shortcut


def _same_ending(prompt: str, seen: Sequence[Example]) -> str:
    """The class of the seen word that shares the longest ending; of equals, the first."""
    word = _word_of(prompt)
    nearest = max(seen, key=lambda example: Postfix.similarity(_word_of(example.prompt), word), default=None)
    return nearest.completion if nearest else ""


@functools.cache
def _simple_numbers() -> tuple[str, ...]:
    return tuple(word for word in words_of_class("number") if "-" not in word)


CLASS_SHORTCUTS: Mapping[str, Shortcut] = {
    "ending": by_prompt(_word_of, class_by_ending),
    "contains-number": by_prompt(
        _word_of, lambda word: "number" if any(n in word for n in _simple_numbers()) else "noun"
    ),
    "hyphen-is-number": by_prompt(_word_of, lambda word: "number" if "-" in word else "noun"),
    "same-first-letter": _commonest_of(lambda word: word[0]),
    "same-length": _commonest_of(len),
    "copy-same-ending": _same_ending,
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    word = _word_of(prompt)
    name = class_of(word)
    close = [
        other
        for other, known in listed_classes().items()
        if known != name and Levenshtein.distance(word, other) <= MAX_EDITS
    ]
    # The nearest ones first: king and bring rather than king and one.
    nearest = sorted(generator.sample(close, len(close)), key=lambda other: Levenshtein.distance(word, other))
    yield from ((SAME_SURFACE, _prompt_of(other)) for other in nearest[:_CHOICES])
    same_class = generator.sample(words_of_class(name), _CHOICES)
    yield from ((OTHER_SURFACE, _prompt_of(other)) for other in same_class)
