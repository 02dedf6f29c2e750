"""Cleaning of documents before a tokenizer or a model is trained on them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from shoal.corpora.ascending import find_ascending_run

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = {
    0x2018: "'",  # typographic quotes, dashes, dots and the space that does not break
    0x2019: "'",
    0x201C: '"',
    0x201D: '"',
    0x2013: "-",
    0x2014: "--",
    0x2026: "...",
    0x00A0: " ",
}
_SPACES = re.compile(r"[ \t]+")
_BREAKS = re.compile(r" ?\n[\n ]*")


def clean_text(text: str) -> str:
    """NFC, plain quotes and dashes, single spaces; paragraphs end in a single newline."""
    plain = unicodedata.normalize("NFC", text).translate(_PLAIN).replace("\r", "")
    return _BREAKS.sub("\n", _SPACES.sub(" ", plain)).strip()


def drop_counting(texts: Iterable[str]) -> tuple[list[str], int]:
    """The texts without the paragraphs that count up, and how many paragraphs were dropped.

    A text that counts up across its paragraphs is dropped whole, as so many paragraphs.
    """
    kept: list[str] = []
    dropped = 0
    for text in texts:
        paragraphs = text.split("\n")
        still = [paragraph for paragraph in paragraphs if find_ascending_run(paragraph) is None]
        joined = "\n".join(still)
        if find_ascending_run(joined) is not None:
            dropped += len(paragraphs)
            continue
        dropped += len(paragraphs) - len(still)
        if joined:
            kept.append(joined)
    return kept, dropped
