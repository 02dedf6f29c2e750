"""The items that choice evaluators are given: few, short, and each with a trap in it.

They are written in the alphabet of `shoal.models.dummies.tiny_tokenizer`. Choices of equal likelihood have at most
three tokens, so that no order of adding them up makes one of them greater.
"""

from __future__ import annotations

from shoal.evaluation.certification.choices import ChoiceItem


def _item(context: str, *choices: str, answer: int = 0) -> ChoiceItem:
    return ChoiceItem(context=context, choices=choices, answer=answer)


def rotations(context: str, *choices: str) -> tuple[ChoiceItem, ...]:
    """One question as often as it has choices, each time with another answer: a dummy prefers the first one's."""
    return tuple(_item(context, *choices, answer=answer) for answer in range(len(choices)))


MIXED = (
    _item("a bed:", " a cage", " a cab", " bad", answer=1),
    _item("egg:", " 1", " 11"),
    _item("feed a cab\nfed:", " dead beef", " dead", " beef", " fed", answer=2),
    _item("Dad had:", " c", " A", " ab", " 1", " 11", " 0", answer=5),
    _item("face:", " b", " bed", answer=1),
    _item("gab 1:", " bad egg a", " bad egg b"),
    _item("hag:", " egg a", " bad a", answer=1),
    _item("Bad Cab.", "\nDad", "\nbag"),
    _item("add 1:", " 11 1", " 1 11", answer=1),
    _item("café:", " éé", " ée"),
    _item("gab 11 1:", " c bed", " A", answer=1),
    _item("dab:", " 1 fed a bad egg", " ab", " 11 dead", answer=2),
)
"""Two to six choices, of one token and of many; some begin alike, some end alike, one is the beginning of another."""

# For checks that evaluate the same items several times; each trap of the longer list is still in it.
FEW = (*MIXED[:4], MIXED[5], MIXED[8], MIXED[10])

IDENTICAL = (
    *rotations("a bed:", " c", " c"),
    *rotations("egg:", " 11", " 11", " A"),
    *rotations("fed:", " ab", " b", " ab"),
    *rotations("hag:", " 1", " c", " c"),
    *rotations("dad:", " 0", " 0", " 0", " 0"),
    _item("cab:", " A", " c"),
)
"""Pairs of equal choices, the better ones or not, and each of them the right one once."""

EQUALLY_LONG = (
    *rotations("a bed:", " c", " A"),
    *rotations("egg:", " 1", " 11", " ab"),
    *rotations("fed:", " cab", " 1ab", " Aab"),
    *rotations("hag:", " ab", " abab"),
    *rotations("dad:", " bed", " c", " A"),
)
"""Where nothing is known, choices of equally many tokens are tied, and fewer tokens are likelier."""

OF_ALL_LENGTHS = (
    _item("a bed:", " c", " A bed", " 1 dead beef"),
    _item("egg:", " A bed a cage", " 1", " c bed", answer=1),
    _item("fed:", " 1 bad", " ab dead egg", answer=1),
    _item("hag:", " 11 dead", " A", " ab fed a bad egg", answer=2),
    _item("dad:", " c", " A 11 1 11 1"),
    _item("gab:", " ab bed", " 1", answer=1),
)
"""The right choice is the shortest, the longest, or neither."""

DIFFERENT_THROUGHOUT = (
    _item("a bed:", " c bed 1", " A bad 11", " 11 dad A"),
    _item("egg:", " A a cage c", " 1 feed A", " c beef 1", answer=1),
    _item("fed:", " 1 bad ab", " ab egg c", answer=1),
    _item("hag:", " 11 dead A", " A head 1", " ab gag 11", " c dab ab", answer=2),
)
"""Choices that differ in the first token, in the last one, and between them."""

LENGTHS = (
    _item("a bed:", " éé", " bed"),
    _item("egg:", " bb", " é", answer=1),
    _item("fed:", "ab", " ab", answer=1),
    _item("hag:", " c", " 1 dead beef", answer=1),
    _item("dad:", " éab", " cab", " bad", answer=2),
    _item("gab:", " A\n", " A", answer=1),
)
"""Tokens, characters and bytes disagree about which choice is longer."""

WHITE_SPACE = (
    _item("b:", "  b", " b"),
    _item("cab.", "\n\nbad", "\nbad", answer=1),
    _item("a bed: ", "edge", "fade", answer=1),
    _item("Dad:\n", "bed", "gab"),
    _item("  egg:", " bad ", " bad", answer=1),
    _item("c 1.", "A b", " A b"),
    _item("a  bed:", " c", "c", answer=1),
)
"""White space that belongs to a choice, to the context, and at both ends."""

TOUCHING = (
    _item("ab:", "11 1", "1111", answer=1),
    _item("abc.", "ab cd", "cd ab"),
    _item("d:", "A b", "a b", answer=1),
    _item("c 1.", "é", "e"),
)
"""Choices that begin without a space."""

SAME_CONTEXT = (
    _item("face:", " c", " A"),
    _item("face:", " 1", " 11", " 0", answer=2),
    _item("face:", " A", " c"),
    _item("face:", " A", " 0", answer=1),
    _item("bead:", " c", " A", answer=1),
)
"""One context with several lists of choices, and one list with two contexts."""

SPECIAL = (
    _item("a<pad>b:", " bed", " bad", answer=1),
    _item("cab:", " c<pad>d", " c"),
    _item("<pad>:", "<pad>", "a", answer=1),
    _item("a:<end>b:", " ab", " c"),
)
"""The tokenizer's special tokens as text."""

MINIMAL_PAIRS = (
    *rotations("", "a bad egg.", "a egg bad."),
    *rotations("", "Dad had a bed.", "Dad had bed a.", "Dad a bed had."),
    *rotations("", "A c", "A c"),
    _item("", "feed a cab", "fed a cab", answer=1),
)
"""Whole texts without a context."""

SIZES = (
    _item("a" * 90 + ":", " b", " c"),
    _item("c:", " " + "hd" * 30, " " + "dh" * 30, answer=1),
    _item(" bag" * 30 + ":", " " + "1" * 33, " A"),
    _item("fed:", " e", " " + "e" * 40, answer=1),
)
"""From one token to ninety, on either side."""

LONG = (
    _item("hg" * 550 + ":", " dab", " bad", answer=1),
    _item("cab:", " 1", " 11"),
    _item("add:", " " + "he" * 265, " " + "eh" * 265),
)
"""More than a thousand tokens of context, more than five hundred of a choice."""
