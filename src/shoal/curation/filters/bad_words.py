"""Words that no document may hold, from a list of the user's; none comes with shoal.

C4 (Raffel et al. 2020, section 2.2) removes a page with any word of a public list. Such lists remove texts of and on
minorities, too (Dodge et al. 2021, EMNLP, section 5): look at the examples of what is removed.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.curation.filters import QualityFilter
from shoal.errors import DataError
from shoal.text import COMBINING_MARKS
from shoal.textfiles import read_text

if TYPE_CHECKING:
    import os

    from shoal.curation.document import DocumentText


class BadWords(QualityFilter):
    """Removes documents with a word of a list.

    Args:
        file: a text file with a word or phrase per line.
        max_score: the maximum number of occurrences in a document that stays.

    Raises:
        DataError: the file holds no word.
        OSError: the file cannot be read.
    """

    name = "bad-words"
    family = ""
    measures = "occurrences of words of the list"
    source = "Raffel et al. 2020, JMLR 21:140, section 2.2; the list is the user's"
    max_score = 0

    def __init__(self, *, file: str | os.PathLike[str], max_score: float | None = None) -> None:
        super().__init__(max_score=max_score)
        lines = unicodedata.normalize("NFC", read_text(Path(file))).lower().splitlines()
        words = {" ".join(line.split()) for line in lines if line.strip()}
        if not words:
            raise DataError(f"{file} holds no word; give a file with a word or phrase per line")
        # Longer ones first, since an alternative that comes first wins: "ab" would hide "ab c".
        phrases = (map(re.escape, phrase.split(" ")) for phrase in sorted(words, key=len, reverse=True))
        # A phrase is one across the end of a line, too.
        listed = "|".join(map(r"\s+".join, phrases))
        # Not \b, which is no border next to a word of the list that begins or ends in a mark of punctuation; a vowel of
        # Hindi or an accent of its own behind a word is a part of it.
        letter = rf"[\w{COMBINING_MARKS}]"
        self._pattern = re.compile(rf"(?<!{letter})(?:{listed})(?!{letter})")

    def score(self, document: DocumentText) -> float:
        """The number of occurrences as whole words, in any case and with accents of either form."""
        return len(self._pattern.findall(unicodedata.normalize("NFC", document.lower)))
