"""The counting task: its options and examples."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.tasks import checks
from shoal.tasks.counting.rule import BASES, count_text, counting_rule
from shoal.tasks.counting.shortcuts import counting_shortcuts
from shoal.tasks.counting.wording import instruction, parse_wordings
from shoal.tasks.splits import SplitSpec, bind_split
from shoal.tasks.task import Example, Tag, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_CHARACTERS = 200_000_000
"""Of all completions: some 200 MB as text, and several times that once they are encoded."""


def counting(
    *,
    smallest: int = 1,
    largest: int = 100,
    start: int | Sequence[int] = 1,
    direction: str = "up",
    wording: str | Sequence[str] = "exact",
    spelling_noise: float = 0.0,
    base: str = "unary",
    token_period: int = 4,
    split: SplitSpec = "last-digit",
    seed: int = 0,
) -> Task:
    """Count to i, for every i of a range: prompt ``... stopping at 111:``, completion `` 1 11 111``, which ends.

    Each example has the tags ``index`` (i) and ``group`` (i again, as text: all prompts of one i are one cluster of
    the statistics), and ``start`` or ``wording`` where there are several.

    Args:
        smallest: the least i.
        largest: the greatest i.
        start: the other end of the count, where counting up starts and counting down stops; of several, each is
            used with every i that is not less.
        direction: ``up`` from start to i, or ``down`` from i to start.
        wording: the name of an instruction in ``WORDINGS``, several, or ``varied`` for all; of several, one is
            drawn for each example.
        spelling_noise: the probability of a typo in a word of the instruction, never in the numbers.
        base: ``unary`` or ``decimal``.
        token_period: how many ones a token holds at most, for the shortcuts that follow the token cycle; 4 with
            GPT-2's tokens.
        split: the split by name, table or object.
        seed: random seed of the wording and the typos.

    Raises:
        UnknownNameError: a name given is not known.
        UsageError: a value given cannot be used.
    """
    checks.whole_number("smallest", smallest, minimum=1)
    checks.whole_number("largest", largest, minimum=smallest)
    starts = checks.whole_numbers("start", start, minimum=1, maximum=largest)
    checks.one_of("direction", direction, ("up", "down"))
    names = parse_wordings(wording)
    noise = checks.share("spelling_noise", spelling_noise, open_ends=False)
    checks.one_of("base", base, BASES)
    checks.whole_number("token_period", token_period, minimum=2)
    checks.whole_number("seed", seed, minimum=0)
    _check_size(largest, len(starts), base)
    examples = []
    for number, other in _pairs(smallest, largest, starts):
        first, last = (other, number) if direction == "up" else (number, other)
        # A generator per example, so that a wider range leaves the prompts of a narrower one as they are.
        draw = random.Random(f"{seed} {number} {other}")
        chosen = draw.choice(names)
        prompt = instruction(chosen, first=first, last=last, base=base, noise=noise, draw=draw)
        tags: dict[str, Tag] = {"index": number, "group": str(number)}
        if len(starts) > 1:
            tags["start"] = other
        if len(names) > 1:
            tags["wording"] = chosen
        examples.append(Example(prompt=prompt, completion=count_text(first, last, base), tags=tags))
    return Task(
        name="counting",
        examples=tuple(examples),
        split=bind_split(split, examples),
        rule=counting_rule,
        shortcuts=counting_shortcuts(direction, token_period),
    )


def _pairs(smallest: int, largest: int, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each number with each start that is not beyond it."""
    return ((number, start) for number in range(smallest, largest + 1) for start in starts if start <= number)


def _check_size(largest: int, starts: int, base: str) -> None:
    """Refuse a range whose completions would fill the memory."""
    # Over all counts to i <= n, the mean of the numbers counted is n / 3.
    mean_numeral = largest / 3 if base == "unary" else len(str(largest))
    characters = starts * largest**2 / 2 * (mean_numeral + 1)
    if characters > _MAX_CHARACTERS:
        raise UsageError(
            f"largest is {largest}: the completions would hold {characters:.1e} characters; choose a smaller one"
        )
