"""Operators on sequences of words, letters or digits: order, selection, repetition, and what is counted in them."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.programs.expressions import (
    Column,
    Numbers,
    Parameter,
    Words,
    measured,
    on_columns,
    register,
    row_wise,
    source,
)
from shoal.attribution.programs.reading import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.attribution.programs.context import PromptBatch

_ONE_KIND = str.maketrans("[{<]}>", "((()))")
_MIRROR = str.maketrans("([{<)]}>", ")]}>([{<")
_COUNTS = (1, 2, 3, 4)
_MAX_LETTERS = 300


def _right(batch: PromptBatch) -> Column:
    form = batch.context.format
    return [words_of(form.body(text)) or None if text is not None else None for text in batch.right]


def _characters(text: str) -> Words | None:
    return tuple(text) if 0 < len(text) <= _MAX_LETTERS else None


def _spelled(words: Words) -> Words | None:
    # A text of more letters is no spelling problem, and every operator on it would take long.
    return tuple("".join(words)) if sum(map(len, words)) <= _MAX_LETTERS else None


def _in_one(words: Words) -> Words:
    return ("".join(words),)


def _truncated(batch: PromptBatch, parameter: Parameter, values: Sequence[Column], seen: Sequence[Column]) -> Column:  # noqa: ARG001
    longest = max((len(row) for row in seen[0] if row is not None), default=0)
    return [None if row is None else row[:longest] or None for row in values[0]]


def _numbers_first(word: str) -> tuple[int, int, str]:
    """Numbers by value, before words by their letters."""
    # By the count of digits and then as text: a number in unary may have thousands of them.
    return (0, len(word.lstrip("0")), word.lstrip("0")) if word.isdigit() else (1, 0, word)


def _at(words: Words, place: int) -> Words | None:
    return (words[place],) if -len(words) <= place < len(words) else None


def _last_places(words: Words) -> Words:
    return tuple(word for place, word in enumerate(words) if word not in words[place + 1 :])


def _runs_of_one(words: Words) -> Words | None:
    runs = [(word, len(list(run))) for word, run in groupby(words)]
    return tuple(word for word, length in runs if length == 1) or None


def _by_count(words: Words, *, rare: bool) -> Words:
    counts = Counter(words)
    choose: Callable[..., str] = min if rare else max
    return (choose(words, key=lambda word: counts[word]),)


def _frequent(words: Words, *, once: bool) -> Words | None:
    counts = Counter(words)
    return tuple(dict.fromkeys(word for word in words if (counts[word] == 1) == once)) or None


_ORDERS: dict[str, tuple[Callable[..., str], Callable[[str], object]]] = {
    "longest": (max, len),
    "shortest": (min, len),
    "highest first character": (max, lambda word: word[0]),
    "lowest first character": (min, lambda word: word[0]),
    "highest last character": (max, lambda word: word[-1]),
    "lowest last character": (min, lambda word: word[-1]),
}
"""By what one of several words is chosen; of equals, the first."""


def _extreme(words: Words, order: str) -> Words:
    choose, key = _ORDERS[order]
    return (choose(words, key=key),)


def _shape(word: str) -> str:
    """Its kinds of characters, runs taken as one: ``Tea-42`` is ``Aa-0``."""
    kinds = ("A" if c.isupper() else "a" if c.isalpha() else "0" if c.isdigit() else c for c in word)
    return "".join(kind for kind, _ in groupby(kinds))


def _vowels(word: str) -> str:
    """Each letter as v(owel) or c(onsonant); other characters as they are."""
    return "".join("v" if c in "aeiouAEIOU" else "c" if c.isalpha() else c for c in word)


def _next_letters(words: Words, step: int) -> Words:
    def moved(letter: str) -> str:
        first = "a" if "a" <= letter <= "z" else "A" if "A" <= letter <= "Z" else ""
        return chr(ord(first) + (ord(letter) - ord(first) + step) % 26) if first else letter

    return tuple("".join(map(moved, word)) for word in words)


def _swapped(words: Words, first: int) -> Words | None:
    if len(words) < 2:
        return None
    row = list(words)
    other = first + 1 if first == 0 else first - 1
    row[first], row[other] = row[other], row[first]
    return tuple(row)


def _words_to_words(name: str, function: Callable[..., Words | None], text: str, weight: float = 1.0) -> None:
    register(name, row_wise(function), text, takes="words", gives="words", weight=weight)


register("words", source(lambda batch: list(batch.words)), "the words of the prompt", gives="words", weight=8)
register(
    "letters",
    source(lambda batch: [_characters("".join(argument.split())) for argument in batch.arguments]),
    "the characters of the prompt",
    gives="words",
    weight=5,
)
register(
    "text",
    source(lambda batch: list(map(_characters, batch.arguments))),
    "the text of the prompt, blanks included",
    gives="words",
    weight=1,
)
register(
    "prompt",
    source(lambda batch: [words_of(prompt) or None for prompt in batch.prompts]),
    "all words of the prompt with its instruction",
    gives="words",
    weight=1,
)
register("right-words", source(_right), "the right answer", gives="words", weight=6)

_words_to_words("spelled", _spelled, "the letters of {0}", 2)
register(
    "repeated",
    row_wise(lambda words, p: words * p),
    "{0}, {p} times over",
    takes="words",
    gives="words",
    parameters=(2, 3),
)
_words_to_words("in-one", _in_one, "{0}, written together", 0.5)
_words_to_words("reversed", lambda words: words[::-1], "{0} in reverse", 3)
_words_to_words("sorted", lambda words: tuple(sorted(words, key=_numbers_first)), "{0}, sorted", 2)
_words_to_words("sorted-down", lambda words: tuple(sorted(words, key=_numbers_first, reverse=True)), "{0}, sorted down")
_words_to_words("sorted-as-text", lambda words: tuple(sorted(words)), "{0}, sorted as text", 0.5)
_words_to_words("sorted-by-start", lambda words: tuple(sorted(words, key=lambda w: w[0])), "{0}, sorted by their first")
_words_to_words("sorted-by-end", lambda words: tuple(sorted(words, key=lambda w: w[-1])), "{0}, sorted by their last")
_words_to_words("sorted-by-length", lambda words: tuple(sorted(words, key=len)), "{0}, sorted by length")
_words_to_words("distinct", lambda words: tuple(dict.fromkeys(words)), "{0}, each once")
_words_to_words("runs-as-one", lambda words: tuple(w for w, _ in groupby(words)), "{0}, runs of equals taken as one")
_words_to_words("last-places", _last_places, "{0}, each at its last place only")
_words_to_words("runs-of-one", _runs_of_one, "those of {0} without an equal neighbour")
_words_to_words("commonest", lambda words: _by_count(words, rare=False), "what is commonest among {0}")
_words_to_words("rarest", lambda words: _by_count(words, rare=True), "what is rarest among {0}")
_words_to_words("single", lambda words: _frequent(words, once=True), "what occurs once in {0}")
_words_to_words("multiple", lambda words: _frequent(words, once=False), "what occurs more than once in {0}")
_words_to_words("rotated-left", lambda words: words[1:] + words[:1], "{0} with the first moved to the end")
_words_to_words("rotated-right", lambda words: words[-1:] + words[:-1], "{0} with the last moved to the front")
_words_to_words("swapped-first", lambda words: _swapped(words, 0), "{0} with the first two swapped")
_words_to_words("swapped-last", lambda words: _swapped(words, -1), "{0} with the last two swapped")
_words_to_words(
    "swapped-ends",
    lambda words: words[-1:] + words[1:-1] + words[:1] if len(words) > 1 else None,
    "{0}, first and last swapped",
)
_words_to_words("every-second", lambda words: words[::2], "every second of {0}", 0.5)
_words_to_words("first-half", lambda words: words[: (len(words) + 1) // 2], "the first half of {0}")
_words_to_words("last-half", lambda words: words[len(words) // 2 :], "the last half of {0}", 0.5)
_words_to_words("each-twice", lambda words: tuple(w for w in words for _ in range(2)), "{0}, each twice", 0.5)
_words_to_words("mirrored", lambda words: tuple(w.translate(_MIRROR) for w in words), "{0}, brackets mirrored")
_words_to_words("one-kind", lambda words: tuple(w.translate(_ONE_KIND) for w in words), "{0}, brackets all of one kind")
_words_to_words("ends", lambda words: words[:1] + words[-1:], "the first and the last of {0}")
_words_to_words("all-as-first", lambda words: words[:1] * len(words), "{0}, all like the first", 0.5)
_words_to_words("all-as-last", lambda words: words[-1:] * len(words), "{0}, all like the last", 0.5)
_words_to_words("shape", lambda words: tuple(map(_shape, words)), "the kinds of characters of {0}")
_words_to_words("vowels", lambda words: tuple(map(_vowels, words)), "the vowels and consonants of {0}")
_words_to_words("first-letters", lambda words: tuple(w[0] for w in words), "the first letters of {0}")
_words_to_words("last-letters", lambda words: tuple(w[-1] for w in words), "the last letters of {0}")
_words_to_words("small-letters", lambda words: tuple(w.lower() for w in words), "{0} in small letters", 0.5)
_words_to_words("inner", lambda words: words[1:-1] or None, "{0} without the first and the last", 0.5)

_words_to_words("capitals", lambda words: tuple(w.upper() for w in words), "{0} in capitals", 0.3)
register(
    "next-letters",
    row_wise(_next_letters),
    "{0} with each letter moved by {p} in the alphabet",
    takes="words",
    gives="words",
    weight=0.5,
    parameters=(1, -1),
)
register("at", row_wise(_at), "the {nth} of {0}", takes="words", gives="words", weight=8, parameters="places")
register(
    "truncated",
    _truncated,
    "{0}, cut at the greatest length seen",
    takes="words",
    gives="words",
    weight=2,
    uses_seen=True,
)
register(
    "extreme",
    row_wise(_extreme),
    "the one of {0} with: {p}",
    takes="words",
    gives="words",
    weight=2,
    parameters=tuple(_ORDERS),
)
for _name, _text, _cut in (
    ("first", "the first {p} of {0}", lambda words, p: words[:p]),
    ("last", "the last {p} of {0}", lambda words, p: words[-p:]),
    ("without-first", "{0} without the first {p}", lambda words, p: words[p:] or None),
    ("without-last", "{0} without the last {p}", lambda words, p: words[:-p] or None),
):
    register(_name, row_wise(_cut), _text, takes="words", gives="words", weight=2, parameters=_COUNTS)
register(
    "only",
    row_wise(lambda words, p: tuple(w for w in words if w == p) or None),
    "only '{p}' of {0}",
    takes="words",
    gives="words",
    weight=1,
    parameters="symbols",
)
register(
    "without",
    row_wise(lambda words, p: tuple(w for w in words if w != p) or None),
    "{0} without '{p}'",
    takes="words",
    gives="words",
    weight=1,
    parameters="symbols",
)
register("then", row_wise(lambda a, b: a + b), "{0}, then {1}", takes="words words", gives="words", weight=2)
register(
    "not-in",
    row_wise(lambda a, b: tuple(w for w in a if w not in b) or None),
    "{0} without what is in {1}",
    takes="words words",
    gives="words",
    weight=0.5,
)


def _copies(numbers: Numbers, symbol: str) -> Column:
    # At most 200 of them: a longer answer is no answer of a task of short texts, and would fill the memory.
    return [(symbol,) * int(number) if 0 < number <= 200 else None for number in numbers]


def _up_to(rows: Sequence[Words | None], numbers: Numbers) -> Column:
    pairs = zip(rows, numbers, strict=True)
    return [words[: int(number)] or None if words is not None and number > 0 else None for words, number in pairs]


register("copies", on_columns(_copies), "'{p}' as often as {0}", takes="number", gives="words", parameters="symbols")
register(
    "up-to-number",
    on_columns(_up_to),
    "the first of {0}, as many as {1}",
    takes="words number",
    gives="words",
    weight=0.5,
)


def _depth(words: Words) -> float:
    depth = deepest = 0
    for word in words:
        depth += (word in "([{<") - (word in ")]}>")
        deepest = max(deepest, depth)
    return float(deepest)


def _place_of(words: Words, symbol: str) -> float:
    return float(words.index(symbol)) if symbol in words else np.nan


def _as_number(words: Words) -> float:
    return float(words[0]) if len(words) == 1 and words[0].isdecimal() and len(words[0]) <= 15 else np.nan


for _name, _weight, _text, _measure in (
    ("length", 4, "the length of {0}", len),
    ("kinds", 1, "the number of different ones among {0}", lambda words: len(set(words))),
    ("equal-pairs", 1, "the number of equal neighbours in {0}", lambda w: sum(a == b for a, b in pairwise(w))),
    ("longest-run", 1, "the longest run of equals in {0}", lambda w: max(len(list(run)) for _, run in groupby(w))),
    ("palindrome", 0.5, "whether {0} is the same in reverse", lambda words: words == words[::-1]),
    ("ascending", 0.5, "whether {0} is sorted", lambda words: list(words) == sorted(words, key=_numbers_first)),
    ("ends-equal", 1, "whether {0} begins and ends with the same", lambda words: words[0] == words[-1]),
    ("depth", 0.5, "the depth of brackets in {0}", _depth),
    ("value", 2, "{0} as a number", _as_number),
    ("total", 1, "the sum of the numbers in {0}", lambda w: sum(int(x) for x in w if x.isdecimal() and len(x) <= 15)),
):
    register(_name, measured(_measure), _text, takes="words", weight=_weight)
register(
    "count",
    measured(lambda w, p: w.count(p)),
    "the count of '{p}' in {0}",
    takes="words",
    weight=4,
    parameters="symbols",
)
register("place-of", measured(_place_of), "the place of '{p}' in {0}", takes="words", weight=1, parameters="symbols")
register("equal", measured(lambda a, b: a == b), "whether {0} equals {1}", takes="words words", weight=1)
register(
    "in-common",
    measured(lambda a, b: len(set(a) & set(b))),
    "how many {0} and {1} share",
    takes="words words",
    weight=0.5,
)
