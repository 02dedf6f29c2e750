"""Which words and pairs of words a sentence has, with the marks that carry feeling: what an emotion is read from."""

from __future__ import annotations

import itertools
import re
from collections import Counter

from shoal.segmentation.style import SAME_MARKS

_TOKEN = re.compile(
    r"\[(?:name|religion)\]|[^\W\d_]+(?:['*-][^\W\d_]+)*|[!?]+|\.{2,}|…|[:;]-?[()DPp/|]|[^\s\w.,\"'()\[\]:;/-]"
)


def phrase_features(sentence: str) -> Counter[str]:
    """Words, pairs of neighbouring words and marks; each counts once, and all are scaled to a squared length of 1."""
    shouted = [token for token in _TOKEN.findall(sentence.translate(SAME_MARKS)) if token]
    tokens = [_plain(token) for token in shouted]
    names = dict.fromkeys([*tokens, *(f"{a} {b}" for a, b in itertools.pairwise(["^", *tokens]))])
    if any(token.isupper() and len(token) > 2 for token in shouted):
        names["a word in capitals"] = None
    return Counter({name: 1 / len(names) for name in names}) if names else Counter()


def _plain(token: str) -> str:
    """A token without case; repeated marks and letters drawn out are cut to two."""
    return re.sub(r"(.)\1{2,}", r"\1\1", token.lower())
