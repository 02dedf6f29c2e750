"""The task of comparing two whole numbers: ``max(17,25)=`` gives `` 25``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.tasks import checks
from shoal.tasks.answer_measures import NUMBER_MEASURES
from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE, build_task, by_prompt, read_prompt
from shoal.tasks.numbers import change_each_digit, draw_pair
from shoal.tasks.registry import register_task

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Shortcut, Tag, Task, VariantKind


@register_task("comparison", structural_split="tag(tag='length',share=0.3)", measures=NUMBER_MEASURES)
def comparison(
    *,
    min_digits: int = 1,
    max_digits: int = 4,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Name the greater of two whole numbers: prompt ``max(17,25)=``, completion `` 25``.

    Two of three pairs have equally many digits, and half of those the same first digit. The tags are ``length``
    (digits of the longer number), ``same_length`` and ``group`` (both numbers, in either order).

    Args:
        min_digits: the fewest digits of the longer number.
        max_digits: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object.

    Raises:
        UsageError: an option cannot be used.
    """
    return build_task(
        "comparison",
        sizes=checks.size_range("digits", min_digits, max_digits, maximum=18),
        draw=_draw,
        rule=comparison_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def comparison_rule(prompt: str) -> str:
    """The greater of the two numbers of a prompt.

    Raises:
        DataError: the prompt is no comparison.
    """
    return f" {max(_pair(prompt))}"


def _pair(prompt: str) -> tuple[int, int]:
    match = read_prompt(r"max *\( *(\d+) *, *(\d+) *\) *=", prompt, "max(17,25)=")
    return int(match[1]), int(match[2])


def _draw(generator: random.Random, size: int) -> str:
    first, second = draw_pair(generator, size)
    kind = generator.randrange(3)
    if kind:
        # Of equally many digits, so that length does not settle it; by a second draw the first digit does not either.
        digits = str(max(first, second))
        begin = digits[:1] if kind == 1 or size == 1 else str(generator.randint(1, 9))
        first, second = int(digits), int(begin + "".join(generator.choices("0123456789", k=size - 1)))
        if size == 1:
            second = generator.randint(0, 9)
    if first == second:
        second += 1 if second < 10**size - 1 else -1
    pair = [first, second]
    generator.shuffle(pair)
    return "max({},{})=".format(*pair)


def _tags(prompt: str) -> Mapping[str, Tag]:
    low, high = sorted(_pair(prompt))
    return {
        "length": len(str(high)),
        "same_length": len(str(low)) == len(str(high)),
        "group": f"{low},{high}",
    }


SHORTCUTS: Mapping[str, Shortcut] = {
    "first-number": by_prompt(_pair, lambda pair: pair[0]),
    "last-number": by_prompt(_pair, lambda pair: pair[1]),
    "more-digits": by_prompt(_pair, lambda pair: max(pair, key=lambda number: len(str(number)))),
    "greater-first-digit": by_prompt(_pair, lambda pair: max(pair, key=lambda number: str(number)[0])),
    "greater-last-digit": by_prompt(_pair, lambda pair: max(pair, key=lambda number: number % 10)),
    "as-words": by_prompt(_pair, lambda pair: max(map(str, pair))),
    "smaller-number": by_prompt(_pair, min),
}
"""Of equals by what a shortcut compares, the first number is its answer."""


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    first, second = _pair(prompt)
    for text in change_each_digit(f"max({first},{second})=", generator):
        yield SAME_SURFACE, text
    yield OTHER_SURFACE, f"max({second},{first})="
    smaller = generator.randrange(max(1, max(first, second)))
    yield OTHER_SURFACE, f"max({smaller},{second})=" if first < second else f"max({first},{smaller})="
