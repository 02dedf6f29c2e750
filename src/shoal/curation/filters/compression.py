"""How well a document is compressed: text that repeats itself shrinks, random characters do not.

The ratio of the two sizes was used against generated text that repeats itself, with a limit of 2.4 for a few sentences
(Radford et al. 2022, arXiv:2212.04356, section 4.5). It grows with the length of a document, so there is no limit for
all: measure a corpus first, then set one.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from shoal.curation.filters import QualityFilter

if TYPE_CHECKING:
    from shoal.curation.document import DocumentText

_LEVEL = 6
"""Of zlib: its default, which gzip uses as well, so that ratios can be compared with others'."""


class CompressionRatio(QualityFilter):
    """Bytes of a document over those of its compressed form."""

    name = "compression"
    family = ""
    measures = "bytes over compressed bytes"
    source = "Radford et al. 2022, arXiv:2212.04356, section 4.5; no limit for documents is published"

    def score(self, document: DocumentText) -> float:
        """The size in UTF-8 over that of its DEFLATE stream with a zlib header."""
        # Broken JSON escapes leave single surrogates in crawled text, which plain UTF-8 refuses.
        raw = document.text.encode("utf-8", "surrogatepass")
        return len(raw) / len(zlib.compress(raw, _LEVEL))
