"""The items that evaluators with generation are given, each with the text that a dummy continues it with.

They are written in bytes (`tiny_tokenizer` with ``every_byte``), so that stop strings and numbers take several tokens.
"""

from __future__ import annotations

from typing import Literal

from shoal.evaluation.certification.generation import GenerationItem, ScriptedItem

STRICT = r"#### (-?[0-9]+)"
"""As GSM8K marks its answers."""

FLEXIBLE = r"(-?[$0-9.,]{2,})|(-?[0-9]+)"
"""Any number: of its two groups one takes part in a match."""

# [0-9] and no \d, which takes the digits of every script for digits.
_NUMBER = r"-?[0-9]+"
_LETTER = r"\(([A-D])\)"


def _item(
    prompt: str,
    text: str,
    target: str,
    *,
    until: tuple[str, ...] = (),
    tokens: int = 64,
    pattern: str | None = None,
    take: Literal["first", "last"] = "first",
    ends: bool = True,
) -> ScriptedItem:
    item = GenerationItem(prompt=prompt, until=until, max_tokens=tokens, pattern=pattern, take=take, target=target)
    return ScriptedItem(item=item, text=text, ends=ends)


STOPS = (
    _item("a bed:", " a cage\nb: 1", "a cage", until=("\n",)),
    _item("egg:\n\n", " bad\negg: 11\n\n1", "bad\negg: 11", until=("\n\n",)),
    _item("Dad: 1\nDad:", " 11. Dad: 0", "11.", until=("Dad:", "\n")),
    _item("fed:", " dead</s> beef", "dead", until=("beef", "</s>")),
    _item("cab:", "\nbad", "bad", until=("\n",)),
    _item("bag:", " 1 a\nb\nc", "1 a", until=("\n",)),
    _item("hag:", " 1 0 Q", "1 0", until=("Q", "Question:")),
    _item("gab:", " egg Quest egg", "egg Quest egg", until=("Question:",)),
    _item("add:", " 1Question:Q 0", "1", until=("Question:", ":Q")),
    _item("face: Q", " a b c", "a", until=(" b", "c")),
)
"""One stop string and several, the earliest not always listed first; in the prompt, at the beginning, half of one."""

NUMBERS = (
    _item("a 7:", " 3 and 4 make 7", "3", pattern=_NUMBER),
    _item("b 7:", " 3 and 4 make 7", "7", pattern=_NUMBER, take="last"),
    _item("c:", " 12 - 5 is -7 so", "-7", pattern=_NUMBER, take="last"),
    _item("d:", " 12 - 5 is -7 so", "7", pattern=_NUMBER, take="last"),
    _item("e 42:", " none", "42", pattern=_NUMBER),
    _item("f:", " 1 11 111", "11", pattern=_NUMBER, take="last"),
    _item("g:", " 1 11 111", "1", pattern=_NUMBER, take="last"),
    _item("h:", "10", "10", pattern=_NUMBER),
    _item("A:", " 010", "10", pattern=_NUMBER),
    _item("B:", " nothing here", "0", pattern=_NUMBER),
    _item("C:", " 5\n6", "6", pattern=_NUMBER, take="last"),
)
"""First and last numbers, negative ones, targets that are a part of the answer, and texts without one."""

STRICTNESS = (
    _item("a:", " 3 + 4 = 7\n#### 7", "7", pattern=STRICT),
    _item("b:", " 3 + 4 = 7. The answer is 7", "7", pattern=STRICT),
    _item("c:", " 3 + 4 = 7. The answer is 7", "7", pattern=FLEXIBLE, take="last"),
    _item("d:", " #### 8 or #### 7", "8", pattern=STRICT),
    _item("e:", " #### 8 or #### 7", "7", pattern=STRICT, take="last"),
    _item("f:", "####7", "7", pattern=STRICT),
    _item("g:", " it costs $1,200.50 a 5", "5", pattern=FLEXIBLE, take="last"),
    _item("h:", " it costs $1,200.50 a day", "$1,200.50", pattern=FLEXIBLE, take="last"),
    _item("A:", " (B) and not (C)", "B", pattern=_LETTER),
    _item("B:", " (B) and not (C)", "C", pattern=_LETTER, take="last"),
    _item("C:", " B", "B", pattern=_LETTER),
)
"""An answer that is marked, and one that is there without the mark."""

LIMITS = (
    _item("a:", " answer 1234", "1234", pattern=_NUMBER, tokens=10),
    _item("b:", " answer 1234", "12", pattern=_NUMBER, tokens=10),
    _item("c:", " answer 1234", "1234", pattern=_NUMBER, tokens=12),
    _item("d:", " bad 12", "bad 12", tokens=7),
    _item("e:", " 1\nbad", "1", until=("\n",), tokens=3),
    _item("f:", " 7", "7", pattern=_NUMBER, tokens=1),
    _item("g:", " 7 egg", "7 egg??", tokens=8, ends=False),
    _item("h:", " beef bed", "beef b", until=("bed",), tokens=7),
)
"""Generation that is cut in the middle of a number, of a stop string, and one token after the answer."""

WHITE_SPACE = (
    _item("a:", "  a cage ", "a cage"),
    _item("b:", "\n\nbad\n", "bad"),
    _item("c: ", "egg", "egg"),
    _item("d:\n", " 1  1", "1 1"),
    _item("e:", "\tbed", "bed"),
    _item("f:", " Bad", "bad"),
    _item("g:", " bad.", "bad"),
)
"""Space around an answer goes, space within it stays; case and punctuation count."""

EMPTY = (
    _item("a 1:", "", "1", pattern=_NUMBER),
    _item("b 1:", "", "b 1:"),
    _item("c:", "\n1", "1", until=("\n",), pattern=_NUMBER),
    _item("d:", " ", "1"),
    _item("e:", "", "1", until=("1",), pattern=_NUMBER),
    _item("f:", " 1", "1"),
)
"""Nothing is generated, or nothing before the stop string."""

OTHER_DIGITS = (
    _item("a:", " ٣ or 3", "3", pattern=_NUMBER),
    _item("b:", " ٣", "3", pattern=_NUMBER),
    _item("c:", " 5²", "5", pattern=_NUMBER, take="last"),
    _item("d:", " １２ 12", "12", pattern=_NUMBER),  # noqa: RUF001 (wide digits)
    _item("e:", " ½ 1/2", "1", pattern=_NUMBER),
    _item("f:", " é 4 €", "4", pattern=_NUMBER),
    _item("g:", " naïve", "naïve"),
)
"""Digits that Python's ``\\d`` and ``isdigit`` take for digits, and letters of several bytes."""

REPEATS = (
    _item("a bed:", "a bed: 1", "a bed: 1"),
    _item("egg 1:", " egg 1: egg 1:", "egg 1: egg 1:"),
    _item("1 + 1 =", " 1 + 1 = 2", "2", pattern=_NUMBER, take="last"),
    _item("2 + 1 =", " 3", "2", pattern=_NUMBER),
)
"""Texts that repeat their prompt, and prompts that hold the target."""

# One of each family, some right and some wrong, so that no single fault passes and no constant verdict does.
MIXED = (STOPS[0], NUMBERS[1], STRICTNESS[0], LIMITS[1], WHITE_SPACE[0], STRICTNESS[6], STOPS[7], NUMBERS[5], LIMITS[2])

LONG = (
    _item("a:", " 1" + " bad" * 60 + " 2", "2", pattern=_NUMBER, take="last", tokens=256),
    _item("b" * 200 + ":", " egg", "egg"),
    _item("c:", " 3", "3", pattern=_NUMBER, tokens=256),
)
"""Some hundred tokens on either side, next to short ones."""
