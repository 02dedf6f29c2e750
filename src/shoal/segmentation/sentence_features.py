"""What a head reads in a sentence: features that have names, each with its share of the sentence.

**Style** is how a sentence is written: closed-class words, endings, punctuation, shapes, length. No open-class word is
a feature, so that what a text is about hardly counts. A feature's value is a share of the sentence's tokens. Tokens are
the same in running text and in text whose tokens are separated by blanks (`` `` `` and ``''`` are quotation marks,
``do n't`` is ``don't``). **Phrases** are words and pairs of words, with the marks that carry feeling: an emotion is
read from them.

Source: Biber (1988), Variation across Speech and Writing, appendix II, for the kinds of features; Stamatatos (2009),
JASIST 60, section 2, for those that carry style rather than topic.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING

from shoal.text import LETTER_RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CLOSED_CLASS = """
a an the this that these those some any no every each all both either neither another such other much many more most
few several i me my mine myself we us our ours ourselves you your yours yourself he him his himself she her hers
herself it its itself they them their theirs themselves who whom whose which what whoever one someone anyone everyone
somebody anybody everybody nobody something anything everything nothing be am is are was were been being have has had
having do does did done doing will would shall should can could may might must ought not never and or but nor so yet
for because although though while whereas if unless until since when whenever where wherever as than whether of in to
with on at by from about into over after under between through during before against among within without toward
towards upon across along behind beyond above below near off out up down around here there then now thus therefore
hence however moreover furthermore nevertheless also too very quite rather just only even still again already perhaps
maybe probably certainly indeed almost enough ever often always sometimes usually generally how why well oh yes please
said say says asked told think thought know knew see saw look looked like get got go went come came let make made take
took first second two three new old same own mr mrs dr
"""
CLOSED_CLASS = frozenset(_CLOSED_CLASS.split())

_ENDINGS = """
ing ed ly tion sion ment ness ity ous ive able ible al ic er est ism ist ize ized ance ence ful less s en ary
"""
_CONTRACTIONS = ("n't", "'s", "'ll", "'re", "'ve", "'d", "'m")
_MARKS = frozenset(',.!?;:"()$%/[]-') | {"..."}
_LENGTHS = ((6, "under 6"), (12, "6 to 11"), (20, "12 to 19"), (30, "20 to 29"), (10**9, "30 or more"))

SAME_MARKS = str.maketrans("\u2019\u2018\u201c\u201d\u2014\u2013", "''\"\"--")
"""Curly quotation marks and long dashes as the plain ones."""
_TOKEN = re.compile(rf"{LETTER_RUN}(?:[-']{LETTER_RUN})*'?|\d+(?:[.,]\d+)*|\.\.\.|-+|[^\s\w]")
_SPLIT_CONTRACTION = re.compile(r"(?<=\w) (n't|'(?:s|ll|re|ve|d|m))\b", re.IGNORECASE)
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
# [NAME] and [RELIGION] are the placeholders of GoEmotions, which the emotion head is trained on.
_PHRASE_TOKEN = re.compile(
    r"\[(?:name|religion)\]"
    rf"|{LETTER_RUN}(?:['*-]{LETTER_RUN})*"
    r"|[!?]+|\.{2,}|…|[:;]-?[()DPp/|]|[^\s\w.,\"'()\[\]:;/-]"
)


def style_features(sentence: str) -> Counter[str]:
    """The features of a sentence, each as its share of the sentence's tokens, in (0, 1]."""
    tokens = style_tokens(sentence)
    counts: Counter[str] = Counter()
    for place, token in enumerate(tokens):
        counts.update(_features_of(token, begins=place == 0))
    counts[f"sentence of {next(name for below, name in _LENGTHS if len(tokens) < below)} tokens"] = len(tokens)
    return Counter({name: count / len(tokens) for name, count in counts.items()}) if tokens else Counter()


def style_tokens(sentence: str) -> list[str]:
    """The tokens of a sentence in order: words, numbers and punctuation marks, curly quotation marks made plain."""
    plain = sentence.translate(SAME_MARKS).replace("…", "...").replace("``", '"').replace("''", '"')
    return _TOKEN.findall(_SPLIT_CONTRACTION.sub(r"\1", plain))


def _features_of(token: str, *, begins: bool) -> list[str]:
    lower = token.lower()
    if lower[0].isdigit():
        return ["a number", *(["a year"] if _YEAR.fullmatch(token) else [])]
    if not lower[0].isalpha():
        mark = "-" if lower[0] == "-" else lower
        return [mark] if mark in _MARKS else []
    return _word_features(token, lower.rstrip("'"), begins=begins)


def _word_features(token: str, lower: str, *, begins: bool) -> list[str]:
    if lower in CLOSED_CLASS:
        return [lower]
    for contraction in _CONTRACTIONS:
        if lower.endswith(contraction):
            base = lower.removesuffix(contraction)
            return [contraction, *([base] if base in CLOSED_CLASS else ["a content word"])]
    # An ending follows at least three letters, or "ring" and "red" would have one.
    found = ["a content word", *(f"-{e}" for e in _ENDINGS.split() if lower.endswith(e) and len(lower) > len(e) + 2)]
    if token.isupper() and len(token) > 1:
        found.append("a word in capitals")
    elif token[0].isupper() and not begins:
        found.append("a capitalised word")
    if "-" in lower:
        found.append("a hyphenated word")
    if len(lower) >= 7:
        found.append("a word of 7 letters or more")
    if len(lower) >= 10:
        found.append("a word of 10 letters or more")
    return [*found, "a single letter"] if len(lower) == 1 else found


def phrase_features(sentence: str) -> Counter[str]:
    """Words, pairs of neighbouring words and marks; each counts once, and all are scaled to a squared length of 1."""
    shouted = [token for token in _PHRASE_TOKEN.findall(sentence.translate(SAME_MARKS)) if token]
    tokens = [_plain(token) for token in shouted]
    names = dict.fromkeys([*tokens, *(f"{a} {b}" for a, b in itertools.pairwise(["^", *tokens]))])
    # Words of two capitals are mostly abbreviations and no emphasis.
    if any(token.isupper() and len(token) > 2 for token in shouted):
        names["a word in capitals"] = None
    return Counter({name: 1 / len(names) for name in names}) if names else Counter()


def _plain(token: str) -> str:
    """A token without case; repeated marks and letters drawn out are cut to two."""
    return re.sub(r"(.)\1{2,}", r"\1\1", token.lower())


READERS: Mapping[str, Callable[[str], Counter[str]]] = {"style": style_features, "phrases": phrase_features}
"""What can read a sentence, by name."""
