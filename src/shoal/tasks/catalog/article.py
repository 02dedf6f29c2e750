"""The task of the indefinite article: ``a or an? useful old map:`` gives `` a``.

The article follows the first sound of the next word, not its first letter (an hour, a university, an MP, an 8-sided
die), and not the noun where an adjective stands between. Most words obey their letter, so that a model can be nearly
right without the rule; here a share of the words does not.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Literal

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein, Prefix

from shoal.tasks import checks
from shoal.tasks.answer_measures import CHOICE_MEASURES
from shoal.tasks.generated import MAX_EDITS, OTHER_SURFACE, SAME_SURFACE, build_task, by_prompt, read_prompt
from shoal.tasks.registry import register_task
from shoal.tasks.word_lists import words_of_section

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Example, Shortcut, Tag, Task, VariantKind

Article = Literal["a", "an"]
ARTICLES: tuple[Article, ...] = ("a", "an")
WordRole = Literal["noun", "adjective"]
"""What a word does in the phrase: the last is a noun, those before it are adjectives."""

# By spelling, where English spells regularly: right for 99.8% of a pronouncing dictionary (see the tests).
_SILENT_H = re.compile(r"hour|heir|honest|honou?r")
_GLIDE = re.compile(r"eu|ew|once|one(?!r)|u(?:-|biq|fo$|k|nanim|ni(?!d|m|n|ss)|r[aeiou]|s[aeiu]|t[aeio])")
"""Vowel letters with the first sound of *you* or *won*."""
_SPELLED = re.compile(r"[A-Z]+(?![a-z])")
_SPELLED_VOWELS = frozenset("AEFHILMNORSX")
"""Letters whose name begins with a vowel: an F, an MP, but a UFO."""
_NUMERAL_VOWEL = re.compile(r"8|1[18](?:\d{3})*(?!\d)")
"""eight, eighty, 800, eleven, eighteen, 11000; numbers from 1100 to 1199 and from 1800 to 1899 are read in two ways."""

_MISLEADING = 0.4
"""The share of the words that decide and whose letter misleads; in running text it is some 2%."""
_CHOICES = 3
"""How many words are tried for each kind of variant."""


@register_task("article", structural_split="tag(tag='length',at_least=3)", measures=CHOICE_MEASURES)
def article(
    *,
    min_words: int = 1,
    max_words: int = 3,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Choose the indefinite article: prompt ``a or an? useful old map:``, completion `` a``.

    The tags are ``length`` (words), ``misleading`` (whether the first letter of the first word misleads) and ``group``
    (the first word, which decides).

    Args:
        min_words: the fewest words, of which the last is a noun and the others are adjectives.
        max_words: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object; ``tag(tag='misleading',values=True)`` trains on words that obey
            their letter.

    Raises:
        UsageError: an option cannot be used.
    """
    return build_task(
        "article",
        sizes=checks.size_range("words", min_words, max_words, maximum=6),
        draw=_draw,
        rule=article_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def article_rule(prompt: str) -> str:
    """The article before the words of a prompt.

    Raises:
        DataError: the prompt is of another form.
    """
    return f" {article_of(_words_of(prompt)[0])}"


def article_of(word: str) -> Article:
    """``a`` or ``an``, by the sound that the word begins with.

    Args:
        word: a word, an abbreviation in capitals that is spelled out, or a number in digits.
    """
    if _SPELLED.match(word):
        return "an" if word[0] in _SPELLED_VOWELS else "a"
    lower = word.lower()
    if lower[0] in "aeiou":
        return "a" if _GLIDE.match(lower) else "an"
    return "an" if _SILENT_H.match(lower) or _NUMERAL_VOWEL.match(lower) else "a"


def _words_of(prompt: str) -> list[str]:
    match = read_prompt(r"a or an\? ([\w-]+(?: [\w-]+)*) *:", prompt, "a or an? useful old map:")
    return match[1].split()


def _prompt_of(words: Sequence[str]) -> str:
    return f"a or an? {' '.join(words)}:"


def _letter_article(word: str) -> Article:
    """What the first letter alone suggests."""
    return "an" if word[0] in "aeiouAEIOU" else "a"


@functools.cache
def _listed(role: WordRole, article: Article, *, misleading: bool) -> tuple[str, ...]:
    return words_of_section("article", f"{role} {article}{' misleading' if misleading else ''}")


def _draw_word(generator: random.Random, role: WordRole, *, decides: bool = False) -> str:
    """A word of the lists; one that decides is often one whose letter misleads."""
    article = generator.choice(ARTICLES)
    return generator.choice(_listed(role, article, misleading=decides and generator.random() < _MISLEADING))


def _draw(generator: random.Random, size: int) -> str:
    first = _draw_word(generator, "noun" if size == 1 else "adjective", decides=True)
    return _prompt_of([first, *_draw_rest(generator, size - 1)])


def _draw_rest(generator: random.Random, count: int) -> list[str]:
    """The words behind the first: adjectives and a noun; nothing where the first is the noun."""
    adjectives = [_draw_word(generator, "adjective") for _ in range(count - 1)]
    return [*adjectives, _draw_word(generator, "noun")] if count else []


def _tags(prompt: str) -> Mapping[str, Tag]:
    words = _words_of(prompt)
    first = words[0]
    return {"length": len(words), "misleading": article_of(first) != _letter_article(first), "group": first.lower()}


def _same_beginning(prompt: str, seen: Sequence[Example]) -> str:
    """The completion of the seen phrase that shares the longest beginning; of equals, the first."""
    if not seen:
        return ""
    _, _, place = process.extractOne(prompt, [example.prompt for example in seen], scorer=Prefix.similarity)
    return seen[place].completion


SHORTCUTS: Mapping[str, Shortcut] = {
    "first-letter": by_prompt(_words_of, lambda words: _letter_article(words[0])),
    "noun-letter": by_prompt(_words_of, lambda words: _letter_article(words[-1])),
    "noun-sound": by_prompt(_words_of, lambda words: article_of(words[-1])),
    "any-vowel-letter": by_prompt(
        _words_of, lambda words: "an" if any(_letter_article(word) == "an" for word in words) else "a"
    ),
    "letter-or-h": by_prompt(_words_of, lambda words: "an" if words[0][0].lower() in "aeiouh" else "a"),
    "always-a": by_prompt(_words_of, lambda words: "a"),  # noqa: ARG005
    "copy-same-beginning": _same_beginning,
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    words = _words_of(prompt)
    role: WordRole = "adjective" if len(words) > 1 else "noun"
    other: Article = "a" if article_of(words[0]) == "an" else "an"
    for misleading in (True, False):
        candidates = _listed(role, other, misleading=misleading)
        close = [word for word in candidates if Levenshtein.distance(word, words[0]) <= MAX_EDITS]
        for word in generator.sample(close, min(_CHOICES, len(close))):
            yield SAME_SURFACE, _prompt_of([word, *words[1:]])
    if len(words) > 1:
        yield OTHER_SURFACE, _prompt_of([words[0], *_draw_rest(generator, len(words) - 1)])
    for _ in range(_CHOICES):
        yield OTHER_SURFACE, _prompt_of([_draw_word(generator, role, decides=True), *words[1:]])
