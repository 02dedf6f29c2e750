"""The examples that dummies are asked: few, short, and each with a trap in it.

They are written in the alphabet of `shoal.models.dummies.tiny_tokenizer`. Where several items are asked together, their
order is mixed, so that sorting by length is noticed.
"""

from __future__ import annotations

from shoal.tasks import Example


def _ask(prompt: str, completion: str, *, ends: bool = True) -> Example:
    return Example(prompt=prompt, completion=completion, ends=ends)


def counting(highest: int) -> tuple[Example, ...]:
    """Counting up in unary to each number; long and short alternate."""
    numbers = [number for low in range(1, highest // 2 + 1) for number in (highest + 1 - low, low)]
    return tuple(
        _ask(f"add {'1' * number}:", "".join(f" {'1' * step}" for step in range(1, number + 1))) for number in numbers
    )


WORDS = (
    _ask("a bed:", " a cage"),
    _ask("egg:", " Bad Cab 10."),
    _ask("feed a cab\nfed:", " dead beef"),
    _ask("b:", " 0"),
    _ask("A face: B face:", " a face a face a face"),
    _ask("Dead.", "\nDad had a bead"),
    _ask("café:", " éé é"),
    _ask("head:", " ab abab ab.", ends=False),
    _ask("bag 11 11:", " bag 111 111"),
    _ask("gab:", "", ends=True),
    _ask("edge:", " a 1", ends=False),
    _ask("fee:", " A", ends=False),
    _ask("cd 1:", " h"),
    _ask("a bed: ", "edge "),
    _ask("\nDad:", "  bed  a\n"),
)

LAST_TOKEN = (
    _ask("ace 1:", " bad egg a"),
    _ask("ace 11:", " bad egg b"),
    _ask("ace 0:", " bad egg"),
    _ask("ace 10:", " bad egg 1"),
    _ask("ace:", " bad egg 11"),
)
"""Answers that differ in the last token alone."""

SAME_PROMPT = (
    _ask("face:", " bed"),
    _ask("face:", " bad"),
    _ask("face:", " bed a"),
    _ask("face:", " bed", ends=False),
    _ask("face:", " b", ends=False),
    _ask("face:", ""),
    _ask("bead:", " 11"),
    _ask("face:", " bed"),
    _ask("bead:", " 11"),
    _ask("bead:", " 1"),
)
"""One prompt with several completions, only some of which can be right, and equal items."""

SAME_COMPLETION = tuple(_ask(f"{name}:", " a bad egg") for name in ("add", "bed", "cab", "dad", "fed", "gab", "hag"))
"""Several prompts with one completion."""

SPECIAL = (
    _ask("a<pad>b:", " bed"),
    _ask("cab:", " c<pad>d"),
    _ask("<pad>:", "<pad>"),
    _ask("dad:", " <begin>a"),
    _ask("a:<end>b:", " ab"),
    _ask("<end><end>c:", " cd 1"),
    _ask("ebb:", " a cab", ends=False),
)
"""The tokenizer's special tokens as text: inside prompts, and inside completions all but the end token."""

TOUCHING = (
    _ask("ab:", "11 1"),
    _ask("abc.", "ab cd"),
    _ask("d:", "A b"),
    _ask("fa:", "1111"),
    _ask("c 1.", "é"),
)
"""Completions that begin without a space."""

SIZES = (
    _ask("a" * 90 + ":", " b"),
    _ask("c:", " " + "hd" * 30),
    _ask("h:", " a", ends=False),
    _ask(" bag" * 30 + ":", " " + "1" * 33),
    _ask("fed:", ""),
    _ask("dab:", " " + "ha" * 17, ends=False),
    _ask("g:", " a"),
)
"""From one token to a hundred, on either side."""

LONG = (
    _ask("add 1:", " " + "gh" * 265),
    _ask("hg" * 550 + ":", " dab"),
    _ask("cab:", " 1"),
    _ask("add:", " " + "he" * 100),
)
"""More than a thousand tokens of prompt, more than five hundred of completion, beside a few."""

PROSE = tuple(
    _ask(f"{name}:", f" a bad {name} had a dead egg. A {name} fed a head.")
    for name in ("cab", "bed", "cage", "dad", "hag")
)
"""Completions of enough words for BLEU."""

MIXED = (
    *(item for both in zip(counting(8), WORDS[:8], strict=True) for item in both),
    *WORDS[8:],
    *LAST_TOKEN[3:],
)
"""Counting and words in turn."""


FEW = (
    *(MIXED[index] for index in (2, 1, 0, 3, 5, 6, 9, 12, 13)),
    *WORDS[7:10],
    WORDS[11],
    WORDS[14],
)
"""One or two of each kind."""


def many(count: int) -> tuple[Example, ...]:
    """Short items, all different, for shares that are known in probability only."""
    letters = "abcdefgh"
    return tuple(
        _ask(f"{letters[number % 8]}{letters[number // 8 % 8]}{letters[number // 64 % 8]}:", f" {letters[number % 7]}1")
        for number in range(count)
    )
