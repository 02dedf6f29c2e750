"""The sentences of the text to be cut: those of running text, its lines, or a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.text import split_sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
_MAX_CONTROL = 0.01
"""Share of characters: a text has hardly any, a binary file read as UTF-8 far more."""
_OVERLONG = 1000
"""Mean number of characters per sentence from which the ends of sentences were hardly found."""


def read_lines(text: str) -> list[str]:
    """The lines of a text that holds a sentence on each; empty ones are left out.

    Raises:
        DataError: the text is binary.
    """
    check_text(text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def check_text(text: str) -> None:
    """Raise for the content of a file that holds no text.

    Raises:
        DataError: more than one character in a hundred is a control or a replacement character.
    """
    strange = len(_CONTROL.findall(text))
    if strange > _MAX_CONTROL * len(text):
        raise DataError(f"{strange} of {len(text)} characters are no text; expected a text file in UTF-8")


def as_sentences(given: str | Sequence[str]) -> tuple[str, ...]:
    """A text's sentences, or the given sentences, as a tuple.

    Raises:
        DataError: the text is binary or empty, or a sentence is empty or no string.
    """
    if isinstance(given, str):
        check_text(given)
        sentences = split_sentences(given)
    else:
        sentences = list(given)
        for place, sentence in enumerate(sentences):
            if not isinstance(sentence, str) or not sentence.strip():
                raise DataError(f"sentence {place} is {sentence!r}; expected a string that is not empty")
            check_text(sentence)
    if not sentences:
        raise DataError("there is no text to cut; expected at least one sentence")
    return tuple(sentences)


def find_overlong(sentences: Sequence[str]) -> str | None:
    """A description of sentences too long to be sentences, such as ``1 sentence of 2,999 characters``; else None."""
    mean = sum(map(len, sentences)) // len(sentences)
    if mean <= _OVERLONG:
        return None
    many = "1 sentence" if len(sentences) == 1 else f"{len(sentences)} sentences"
    return f"{many} of {mean:,} characters"
