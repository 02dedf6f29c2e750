"""The examples that dummies are given: few, short, and each with a trap in it.

They are written in the alphabet of `shoal.models.dummies.tiny_tokenizer`. Where several items are given together, their
order is mixed, so that sorting by length is noticed.
"""

from __future__ import annotations

from shoal.tasks import Example


def _example(prompt: str, completion: str, *, ends: bool = True) -> Example:
    return Example(prompt=prompt, completion=completion, ends=ends)


def counting_items(highest: int) -> tuple[Example, ...]:
    """Counting up in unary to each number; long and short alternate."""
    numbers = [number for low in range(1, highest // 2 + 1) for number in (highest + 1 - low, low)]
    return tuple(
        _example(f"add {'1' * number}:", "".join(f" {'1' * step}" for step in range(1, number + 1)))
        for number in numbers
    )


WORDS = (
    _example("a bed:", " a cage"),
    _example("egg:", " Bad Cab 10."),
    _example("feed a cab\nfed:", " dead beef"),
    _example("b:", " 0"),
    _example("A face: B face:", " a face a face a face"),
    _example("Dead.", "\nDad had a bead"),
    _example("café:", " éé é"),
    _example("head:", " ab abab ab.", ends=False),
    _example("bag 11 11:", " bag 111 111"),
    _example("gab:", "", ends=True),
    _example("edge:", " a 1", ends=False),
    _example("fee:", " A", ends=False),
    _example("cd 1:", " h"),
    _example("a bed: ", "edge "),
    _example("\nDad:", "  bed  a\n"),
)

LAST_TOKEN = (
    _example("ace 1:", " bad egg a"),
    _example("ace 11:", " bad egg b"),
    _example("ace 0:", " bad egg"),
    _example("ace 10:", " bad egg 1"),
    _example("ace:", " bad egg 11"),
)
"""Answers that differ in the last token alone."""

SAME_PROMPT = (
    _example("face:", " bed"),
    _example("face:", " bad"),
    _example("face:", " bed a"),
    _example("face:", " bed", ends=False),
    _example("face:", " b", ends=False),
    _example("face:", ""),
    _example("bead:", " 11"),
    _example("face:", " bed"),
    _example("bead:", " 11"),
    _example("bead:", " 1"),
)
"""One prompt with several completions, only some of which can be right, and equal items."""

SAME_COMPLETION = tuple(
    _example(f"{name}:", " a bad egg") for name in ("add", "bed", "cab", "dad", "fed", "gab", "hag")
)
"""Several prompts with one completion."""

SPECIAL = (
    _example("a<pad>b:", " bed"),
    _example("cab:", " c<pad>d"),
    _example("<pad>:", "<pad>"),
    _example("dad:", " <begin>a"),
    _example("a:<end>b:", " ab"),
    _example("<end><end>c:", " cd 1"),
    _example("ebb:", " a cab", ends=False),
)
"""The tokenizer's special tokens as text: inside prompts, and inside completions all but the end token."""

TOUCHING = (
    _example("ab:", "11 1"),
    _example("abc.", "ab cd"),
    _example("d:", "A b"),
    _example("fa:", "1111"),
    _example("c 1.", "é"),
)
"""Completions that begin without a space."""

SIZES = (
    _example("a" * 90 + ":", " b"),
    _example("c:", " " + "hd" * 30),
    _example("h:", " a", ends=False),
    _example(" bag" * 30 + ":", " " + "1" * 33),
    _example("fed:", ""),
    _example("dab:", " " + "ha" * 17, ends=False),
    _example("g:", " a"),
)
"""From one token to a hundred, on either side."""

LONG = (
    # Beyond 512, so that the blocks of positions in `evaluation.head` are crossed.
    _example("add 1:", " " + "gh" * 265),
    _example("hg" * 550 + ":", " dab"),
    _example("cab:", " 1"),
    _example("add:", " " + "he" * 100),
)
"""More than a thousand tokens of prompt, more than five hundred of completion, and a few short ones."""

PROSE = tuple(
    _example(f"{name}:", f" a bad {name} had a dead egg. A {name} fed a head.")
    for name in ("cab", "bed", "cage", "dad", "hag")
)
"""Completions of enough words for BLEU."""

MIXED = (
    *(item for both in zip(counting_items(8), WORDS[:8], strict=True) for item in both),
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
        _example(
            # With another period than the prompt's letters, so that the answer cannot be read off one of them.
            f"{letters[number % 8]}{letters[number // 8 % 8]}{letters[number // 64 % 8]}:",
            f" {letters[number % 7]}1",
        )
        for number in range(count)
    )
