r"""Letters with the marks that belong to them, as a part of regular expressions that find words.

``\w`` leaves out the vowels of Hindi, Tamil, Arabic and Yiddish, which are combining marks; a word does not end at
them.
"""

from __future__ import annotations

import unicodedata

COMBINING_MARKS = (
    "".join(chr(code) for code in range(0x300, 0x2000) if unicodedata.category(chr(code))[0] == "M") + "\u200c\u200d"
)
"""Combining marks (vowels, accents that are characters of their own) and the joiners of Persian, for use in ``[]``."""

LETTER_RUN = rf"[^\W\d_](?:[^\W\d_]|[{COMBINING_MARKS}])*"
"""A regular expression of a letter, and of the letters and marks behind it."""
