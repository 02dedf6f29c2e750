"""Words that no document may hold, from a list of the user's; none comes with shoal.

C4 (Raffel et al. 2020, section 2.2) removes a page with any word of a public list. Such lists remove texts of and on
minorities, too (Dodge et al. 2021, EMNLP, section 5): look at the examples of what is removed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.curation.filters import QualityFilter
from shoal.errors import DataError
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
        words = {line.strip().lower() for line in read_text(Path(file)).splitlines() if line.strip()}
        if not words:
            raise DataError(f"{file} holds no word; give a file with a word or phrase per line")
        # Longer ones first, since an alternative that comes first wins: "ab" would hide "ab c".
        listed = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
        # Not \b, which is no border next to a word of the list that begins or ends in a mark.
        self._pattern = re.compile(rf"(?<!\w)(?:{listed})(?!\w)")

    def score(self, document: DocumentText) -> float:
        """The number of occurrences as whole words, in any case."""
        return len(self._pattern.findall(document.lower))
