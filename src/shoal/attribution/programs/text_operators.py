"""Operators on texts: what stands around a word, kinds of words, beginnings and endings, what training had of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from shoal.attribution.programs.expressions import Column, Parameter, Words, measured, register, row_wise
from shoal.attribution.programs.reading import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.attribution.programs.context import PromptBatch

_KINDS: dict[str, Callable[[str], bool]] = {
    "a vowel": lambda word: word[0] in "aeiouAEIOU",
    "a capital": lambda word: word[0].isupper(),
    "a digit": lambda word: word[0].isdigit(),
    "a sign": lambda word: not word[0].isalnum(),
}
"""What a word may begin with."""


def _after(words: Words, symbol: str) -> Words | None:
    return tuple(words[k + 1] for k in range(len(words) - 1) if words[k] == symbol) or None


def _before(words: Words, symbol: str) -> Words | None:
    return tuple(words[k - 1] for k in range(1, len(words)) if words[k] == symbol) or None


def _last_place(words: Words, symbol: str) -> int:
    return len(words) - 1 - words[::-1].index(symbol)


def _from(words: Words, symbol: str) -> Words | None:
    return words[words.index(symbol) :] if symbol in words else None


def _from_last(words: Words, symbol: str) -> Words | None:
    return words[_last_place(words, symbol) :] if symbol in words else None


# Where there is no such word, nothing is cut: the part before a comma is all of a text without one.
def _up_to(words: Words, symbol: str) -> Words | None:
    return words[: words.index(symbol)] or None if symbol in words else words


def _up_to_last(words: Words, symbol: str) -> Words | None:
    return words[: _last_place(words, symbol)] or None if symbol in words else words


def _neighbours(words: Words, size: int) -> Words | None:
    return tuple(" ".join(words[k : k + size]) for k in range(len(words) - size + 1)) or None


for _name, _text, _cut in (
    ("after", "what follows each '{p}' in {0}", _after),
    ("before", "what precedes each '{p}' in {0}", _before),
    ("from", "{0} from the first '{p}' on", _from),
    ("from-last", "{0} from the last '{p}' on", _from_last),
    ("cut-at", "{0} before the first '{p}'", _up_to),
    ("cut-at-last", "{0} before the last '{p}'", _up_to_last),
):
    register(
        _name,
        row_wise(_cut),
        _text,
        takes="words",
        gives="words",
        weight=2,
        parameters="symbols",
    )
register(
    "beginning-with",
    row_wise(lambda words, kind: tuple(word for word in words if _KINDS[kind](word)) or None),
    "those of {0} that begin with {p}",
    takes="words",
    gives="words",
    weight=1,
    parameters=tuple(_KINDS),
)
register(
    "count-beginning-with",
    measured(lambda words, kind: sum(map(_KINDS[kind], words))),
    "how many of {0} begin with {p}",
    takes="words",
    weight=2,
    parameters=tuple(_KINDS),
)
for _name, _text, _part in (
    ("beginnings", "the first {p} letters of each of {0}", lambda words, p: tuple(word[:p] for word in words)),
    ("endings", "the last {p} letters of each of {0}", lambda words, p: tuple(word[-p:] for word in words)),
    ("neighbours", "each {p} neighbours in {0}", _neighbours),
):
    register(_name, row_wise(_part), _text, takes="words", gives="words", weight=1, parameters=(2, 3))


def _by_training(choose: Callable[[Words, Counter[str]], Words | None]) -> Callable[..., Column]:
    """An operator that looks at how many seen prompts have each word.

    Args:
        choose: from the words of a prompt and these counts to words.
    """

    def evaluate(batch: PromptBatch, parameter: Parameter, values: Sequence[Column], seen: Sequence[Column]) -> Column:  # noqa: ARG001
        counts = Counter(word for row in seen[0] if isinstance(row, tuple) for word in set(row))
        return [choose(row, counts) if isinstance(row, tuple) else None for row in values[0]]

    return evaluate


def _answered(batch: PromptBatch, parameter: Parameter, values: Sequence[Column], seen: Sequence[Column]) -> Column:  # noqa: ARG001
    form = batch.context.format
    known = {word for text in set(batch.context.completions) for word in words_of(form.body(text))}
    return [tuple(w for w in row if w in known) or None if isinstance(row, tuple) else None for row in values[0]]


for _name, _text, _choose in (
    (
        "familiar",
        "those of {0} that stand in other training prompts",
        lambda w, c: tuple(x for x in w if c[x] > 1) or None,
    ),
    ("new", "those of {0} that no training prompt has", lambda w, c: tuple(x for x in w if not c[x]) or None),
    (
        "commonest-in-training",
        "the one of {0} that most training prompts have",
        lambda w, c: (max(w, key=c.__getitem__),),
    ),
    (
        "rarest-in-training",
        "the one of {0} that fewest training prompts have",
        lambda w, c: (min(w, key=c.__getitem__),),
    ),
):
    register(_name, _by_training(_choose), _text, takes="words", gives="words", weight=0.5, uses_seen=True)
register(
    "answered",
    _answered,
    "those of {0} that stand in training answers",
    takes="words",
    gives="words",
    weight=0.5,
    uses_seen=True,
)
