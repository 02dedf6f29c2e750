"""Cleaning of documents: mis-decoded text repaired, boilerplate cut off, other languages left out, plain characters."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.errors import MissingExtraError, UnknownNameError
from shoal.text import find_language, known_languages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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

_MARK = r"^[ \t]*\*{3}[ \t]*(?:START|END) OF (?:THE|THIS) PROJECT GUTENBERG.*$"
_START = re.compile(_MARK.replace("START|END", "START"), re.MULTILINE | re.IGNORECASE)
_END = re.compile(
    _MARK.replace("START|END", "END") + r"|^[ \t]*End of (?:the )?Project Gutenberg.*$", re.MULTILINE | re.IGNORECASE
)
_CREDIT = re.compile(
    r"^\s*(?:Produced by|E-text prepared by|Transcribed (?:from|by)|\[?Transcriber'?s notes?).*(?:\n(?!\s*\n).*)*",
    re.MULTILINE | re.IGNORECASE,
)
# A number alone on its line is that of a page.
_LINE = re.compile(
    r"^\s*(?:\[illustrations?(?::[^\]]*)?\]|page \d+(?: of \d+)?|all rights reserved\.?|copyright \S.*|"
    r"(?:https?://|www\.)\S+|-{2,}\s*\d+\s*-{2,}|\d{1,4})\s*$",
    re.MULTILINE | re.IGNORECASE,
)
# Line and paragraph separators are among them: other tools would cut a JSONL line there. The joiners U+200C and U+200D
# are not: words of Persian and of Indian scripts are spelt with them, and an emoji of a family is joined by them.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\u200b\u200e\u200f\u2028\u2029\ufffe\uffff]")
_CREDIT_WITHIN = 2000
"""Characters behind the START mark in which credits stand; further on "Produced by" belongs to the text."""


@dataclass(kw_only=True)
class Cleaning:
    """What is done to each document, and how often it was needed."""

    language: str | None = None
    """Keep documents of this language alone (ISO 639-1, as ``en``)."""

    boilerplate: bool = True
    """Cut off what publishers put around and between the text."""

    plain: bool = True
    """Typographic quotes, dashes and spaces become plain ones, and paragraphs end in a single newline."""

    counts: Counter[str] = field(default_factory=Counter)
    """Documents read, repaired, cut, of another language, emptied, and left (``kept``)."""

    def __post_init__(self) -> None:
        """Refuse a language that no document could be of.

        Raises:
            UnknownNameError: no such code.
        """
        if self.language is not None and self.language not in (known := known_languages()):
            raise UnknownNameError("language", self.language, known)

    def apply(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield the documents that are left, cleaned.

        Raises:
            MissingExtraError: the library for repair is not installed.
        """
        for text in texts:
            self.counts["read"] += 1
            cleaned = self.apply_to_one(text)
            if cleaned is not None:
                self.counts["kept"] += 1
                yield cleaned

    def apply_to_one(self, text: str) -> str | None:
        """One document cleaned, or None where nothing of it is left."""
        repaired = repair_text(text)
        self.counts["repaired"] += repaired != text
        if self.boilerplate:
            cut = strip_boilerplate(repaired)
            self.counts["cut"] += cut != repaired.strip()
            repaired = cut
        repaired = clean_text(repaired) if self.plain else repaired.strip()
        if not repaired:
            self.counts["emptied"] += 1
            return None
        # Where a text is too short to show its language it stays: most lines of dialogue are.
        if self.language is not None and find_language(repaired) not in (self.language, None):
            self.counts["of another language"] += 1
            return None
        return repaired


def clean_text(text: str) -> str:
    """NFC, plain quotes and dashes, single spaces; paragraphs end in a single newline."""
    plain = unicodedata.normalize("NFC", text).translate(_PLAIN).replace("\r\n", "\n").replace("\r", "\n")
    return _BREAKS.sub("\n", _SPACES.sub(" ", plain)).strip()


def repair_text(text: str) -> str:
    """Undo wrong decodings (``cafÃ©`` to ``café``), drop control characters; the rest is left as it is.

    Raises:
        MissingExtraError: the ``ftfy`` package is not installed.
    """
    try:
        import ftfy
    except ImportError as error:
        raise MissingExtraError("corpora", "repairing mis-decoded text") from error
    # Only what was decoded wrongly is mended; curly quotes, ligatures and wide letters are the author's.
    fixed = ftfy.fix_text(text, uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False)
    return _CONTROL.sub("", fixed)


def strip_boilerplate(text: str) -> str:
    """Cut off Project Gutenberg's header, licence and credits, and lines that are page numbers, links or notices."""
    start = _START.search(text)
    if start:
        text = text[start.end() :]
        text = _CREDIT.sub("", text[:_CREDIT_WITHIN]) + text[_CREDIT_WITHIN:]
    end = _END.search(text)
    if end:
        text = text[: end.start()]
    return _LINE.sub("", text).strip()
