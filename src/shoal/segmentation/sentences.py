"""Sentences of running text.

Blank lines end a paragraph and so a sentence. Within a paragraph a sentence ends at ``.``, ``!``, ``?`` or ``…`` (with
the quotes and brackets that close behind it) where white space and a capital, a digit or an opening quote follow; not
behind an abbreviation, an initial or a number of a list, and not behind a quotation that the sentence goes on from in a
small letter (``"Stop!" he said.``).
"""

# ruff: noqa: RUF001  quotes and stops of other scripts are meant
from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PARAGRAPH = re.compile(r"\n[ \t\r\f\v]*(?:\n\s*)+")
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s+[\"'“‘«(\[—–-]*[A-Z0-9À-ÖØ-ÞΆ-ΫА-Я])|[。！？]+[」』”]*")
_LAST_WORD = re.compile(r"([^\s\"'“‘«(\[]+)\.[\"'”’»)\]]*$")
_ABBREVIATIONS = """
mr mrs ms messrs dr prof rev hon st mt ft gen col maj capt cmdr lt sgt cpl adm gov sen rep pres supt insp
vs cf viz ca fig figs eq eqs sec vol vols no nos nr pp ed eds trans op cit al e.g i.e
"""
_NEVER_LAST = frozenset(_ABBREVIATIONS.split())
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
_MOST_CONTROL = 0.01


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, white space made single; none for a text of white space.

    Raises:
        DataError: the text is binary.
    """
    check_text(text)
    return [
        " ".join(piece.split()) for paragraph in _PARAGRAPH.split(text) for piece in _pieces(paragraph) if piece.strip()
    ]


def read_lines(text: str) -> list[str]:
    """The lines of a text that holds a sentence on each; empty ones are left out.

    Raises:
        DataError: the text is binary.
    """
    check_text(text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def check_text(text: str) -> None:
    """Raise for what was decoded from a file that holds no text.

    Raises:
        DataError: more than one character in a hundred is a control or a replacement character.
    """
    strange = len(_CONTROL.findall(text))
    if strange > _MOST_CONTROL * len(text):
        raise DataError(f"{strange} of {len(text)} characters are no text; expected a text file in UTF-8")


def as_sentences(given: str | Sequence[str]) -> tuple[str, ...]:
    """A text's sentences, or the sentences as they were given, in one form.

    Raises:
        DataError: the text is binary or empty, or a sentence is empty or no string.
    """
    if isinstance(given, str):
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


def _pieces(paragraph: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(paragraph):
        if not _goes_on(paragraph[start : end.end()]):
            yield paragraph[start : end.end()]
            start = end.end()
    yield paragraph[start:]


def _goes_on(piece: str) -> bool:
    """Whether the full stop at the end of a piece belongs to an abbreviation, an initial or the number of a list."""
    found = _LAST_WORD.search(piece)
    if found is None:
        return False
    word = found[1]
    is_initial = len(word) == 1 and word.isalpha() and word != "I"
    is_list_number = word.isdigit() and found.start() == len(piece) - len(piece.lstrip())
    return word.lower() in _NEVER_LAST or is_initial or is_list_number
