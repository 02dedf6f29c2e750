"""How prompts and completions are read: the part of a prompt that varies, its words and numbers, the form of answers.

All of it is learnt from the seen examples alone, so that a program gives the same answer to a prompt wherever it runs.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from shoal.text import COMBINING_MARKS, LETTER_RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{COMBINING_MARKS}])*(?:['\u2019-]{LETTER_RUN})*|[^\w\s,;]|_")
"""A word, a number, or a symbol on its own; blanks, commas and semicolons only separate."""

_NUMBER = re.compile(r"[0-9]+")

_MAX_DIGITS = 15
"""Larger numbers are no longer exact as 64-bit floating point numbers, and are left out."""


def words_of(text: str) -> tuple[str, ...]:
    """The words, numbers and symbols of a text, in order."""
    return tuple(_WORD.findall(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptReader:
    """Finds the argument of a prompt: what is left when the text that all prompts share is taken off both ends."""

    prefix: str
    suffix: str
    separator: str
    """Between the words of an argument: a blank, ``, ``, or nothing."""

    unary: bool = False
    """Whether numbers are written as so many ones."""

    @classmethod
    def learn(cls, prompts: Sequence[str]) -> PromptReader:
        """The reader of prompts like these."""
        distinct = sorted(set(prompts))
        if len(distinct) < 2:
            return cls(prefix="", suffix="", separator=" ")
        prefix = _whole_words(_common_start(distinct))
        rests = [text[len(prefix) :] for text in distinct]
        suffix = _whole_words(_common_start([rest[::-1] for rest in rests]), backwards=True)[::-1]
        arguments = [rest[: len(rest) - len(suffix)] for rest in rests]
        numerals = {numeral for text in distinct for numeral in _NUMBER.findall(text)}
        unary = len(numerals) > 3 and all(set(numeral) == {"1"} for numeral in numerals)
        return cls(prefix=prefix, suffix=suffix, separator=_separator(arguments), unary=unary)

    def numbers(self, prompt: str) -> tuple[float, ...]:
        """The whole numbers of a prompt, in order; one of more than 15 digits is NaN."""
        found = _NUMBER.findall(prompt)
        if self.unary:
            return tuple(float(len(text)) for text in found)
        return tuple(float(text) if len(text) <= _MAX_DIGITS else float("nan") for text in found)

    def argument(self, prompt: str) -> str:
        """The part of the prompt that varies; the whole prompt where it is not of this form."""
        long_enough = len(prompt) >= len(self.prefix) + len(self.suffix)
        if long_enough and prompt.startswith(self.prefix) and prompt.endswith(self.suffix):
            return prompt[len(self.prefix) : len(prompt) - len(self.suffix)]
        return prompt

    def with_argument(self, prompt: str, argument: str) -> str | None:
        """The prompt with another argument; None where it is not of this form.

        Args:
            prompt: the prompt that is edited.
            argument: what stands in it instead.
        """
        old = self.argument(prompt)
        if old == prompt and (self.prefix or self.suffix):
            return None
        return f"{self.prefix}{argument}{self.suffix}"

    def with_number(self, prompt: str, place: int, number: float) -> str | None:
        """The prompt with another number at a place; None where there is no such place or it is no whole number >= 0.

        Args:
            prompt: the prompt that is edited.
            place: which of its numbers, from 0; negative from the end.
            number: what stands there instead.
        """
        spans = [found.span() for found in _NUMBER.finditer(prompt)]
        # Unary has no zero: a prompt without a number is another prompt.
        lowest = 1 if self.unary else 0
        if not -len(spans) <= place < len(spans) or not (number >= lowest and number == int(number)):
            return None
        start, end = spans[place]
        numeral = "1" * int(number) if self.unary else str(int(number))
        return f"{prompt[:start]}{numeral}{prompt[end:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFormat:
    """The form of the completions: what stands before, between and after their words."""

    lead: str
    tail: str
    separator: str
    width: int
    """Numbers are filled with zeros to this width; 0 where they are not."""

    numeric: bool
    """Whether most completions are one number."""

    @classmethod
    def learn(cls, completions: Sequence[str]) -> AnswerFormat:
        """The form of completions like these."""
        distinct = sorted({text for text in completions if text.strip()})
        if not distinct:
            return cls(lead=" ", tail="", separator=" ", width=0, numeric=False)
        lead = _commonest(text[: len(text) - len(text.lstrip())] for text in distinct)
        tail = ""
        if len(distinct) > 1:
            ending = re.search(r"[\s.!?]*$", _common_start([text[::-1] for text in distinct])[::-1])
            tail = ending.group() if ending else ""
        bodies = [text.strip()[: len(text.strip()) - len(tail.strip())] for text in distinct]
        numbers = [body for body in bodies if re.fullmatch(r"-?[0-9]+", body)]
        numeric = 2 * len(numbers) > len(bodies)
        digits = [body for body in numbers if not body.startswith("-")]
        widths = {len(body) for body in digits}
        filled = numeric and len(widths) == 1 and any(body.startswith("0") and len(body) > 1 for body in digits)
        return cls(
            lead=lead,
            tail=tail,
            separator=_separator(bodies),
            width=widths.pop() if filled else 0,
            numeric=numeric,
        )

    def body(self, completion: str) -> str:
        """The completion without what all have before and after."""
        text = completion.strip()
        tail = self.tail.strip()
        return text[: len(text) - len(tail)] if tail and text.endswith(tail) else text

    def number(self, completion: str) -> float:
        """The number that a completion is; NaN where it is none, or is written in another form."""
        body = self.body(completion)
        if not re.fullmatch(r"-?[0-9]{1,15}", body):
            return float("nan")
        number = float(body)
        return number if self.write_number(number) == completion else float("nan")

    # The same few numbers are written for thousands of programs.
    @functools.lru_cache(maxsize=65536)  # noqa: B019 - the formats of a session are few, and small
    def write_number(self, number: float) -> str | None:
        """A whole number as a completion; None for any other."""
        # NaN compares unequal to everything, so that undefined numbers give None.
        if not abs(number) < 10**_MAX_DIGITS or number != int(number):
            return None
        return f"{self.lead}{str(int(number)).zfill(self.width)}{self.tail}"

    def write_words(self, words: Sequence[str]) -> str | None:
        """Words as a completion; None where there are none."""
        return f"{self.lead}{self.separator.join(words)}{self.tail}" if words else None


def _common_start(texts: Sequence[str]) -> str:
    """The longest text that all begin with."""
    # Of sorted texts, the first and the last differ earliest.
    first, last = min(texts), max(texts)
    same = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _commonest(texts: Iterable[str]) -> str:
    """The text that is there most often; of equals, the first."""
    found = Counter(texts).most_common(1)
    return found[0][0] if found else ""


def _separator(texts: Sequence[str]) -> str:
    """What stands between the words of most texts that have several."""
    return _commonest(gap for text in texts[:500] for gap in _gaps(text.strip()))


@functools.lru_cache(maxsize=4096)
def _gaps(text: str) -> tuple[str, ...]:
    """What stands between the words of a text."""
    spans = [found.span() for found in _WORD.finditer(text)]
    return tuple(text[end:start] for (_, end), (start, _) in pairwise(spans))


def _whole_words(common: str, *, backwards: bool = False) -> str:
    """What all texts begin with, without a last word that is cut: that would belong to what varies.

    Args:
        common: the text that all share.
        backwards: whether the text runs from the end of the prompts to their beginning.
    """
    if any(letter.isalpha() for letter in common):
        cut = re.search(r"[^\W_]+$", common)
        common = common[: cut.start()] if cut else common
        # A bracket or another sign next to the part that varies is mostly a part of it.
        inner = re.match(r".*[\w:=?\"'.]\s*", common, re.DOTALL)
        common = inner.group() if inner else ""
        return common if any(letter.isalpha() for letter in common) else ""
    signs = re.match(r"[\s:=?.>\-]*", common) if backwards else re.match(r"\s*", common)
    return signs.group() if signs else ""
