"""The task of adding two whole numbers: ``17+25=`` gives `` 42``.

The shortcuts are those that small transformers were found to use, or to fall back to: sums of digits without the carry
(Quirke and Barez 2024, arXiv:2310.13121), parts of the operands, and the answers of near operands (Nikankin et al.
2025, arXiv:2410.21272).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from shoal.tasks import checks
from shoal.tasks.answer_measures import NUMBER_MEASURES
from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE, build_task, by_prompt, read_prompt
from shoal.tasks.numbers import change_each_digit, draw_pair
from shoal.tasks.registry import register_task

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Example, Shortcut, Tag, Task, VariantKind


@register_task("addition", structural_split="tag(tag='length',share=0.3)", measures=NUMBER_MEASURES)
def addition(
    *,
    min_digits: int = 1,
    max_digits: int = 3,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Add two whole numbers: prompt ``17+25=``, completion `` 42``.

    The tags are ``length`` (digits of the longer operand), ``carries`` and ``group`` (both operands, in either order).

    Args:
        min_digits: the fewest digits of the longer operand.
        max_digits: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object.

    Raises:
        UsageError: an option cannot be used.
    """
    return build_task(
        "addition",
        sizes=checks.size_range("digits", min_digits, max_digits, maximum=18),
        draw=_draw,
        rule=addition_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def addition_rule(prompt: str) -> str:
    """The sum of the two numbers of a prompt.

    Raises:
        DataError: the prompt is no sum.
    """
    return f" {sum(operands(prompt))}"


# A shortcut reads the prompts of all seen examples again for each held-out one.
@functools.lru_cache(maxsize=65536)
def operands(prompt: str) -> tuple[int, int]:
    """The two numbers of a prompt.

    Raises:
        DataError: the prompt is no sum.
    """
    match = read_prompt(r"(\d+) *\+ *(\d+) *=", prompt, "17+25=")
    return int(match[1]), int(match[2])


def _draw(generator: random.Random, size: int) -> str:
    return "{}+{}=".format(*draw_pair(generator, size))


def _tags(prompt: str) -> Mapping[str, Tag]:
    first, second = operands(prompt)
    low, high = sorted((first, second))
    return {"length": len(str(high)), "carries": _carries(first, second), "group": f"{low}+{high}"}


def _carries(first: int, second: int) -> int:
    """How many columns carry, by Kummer: the digit sums of the operands exceed that of the sum by 9 per carry."""
    digit_sums = [sum(map(int, str(number))) for number in (first, second, first + second)]
    return (digit_sums[0] + digit_sums[1] - digit_sums[2]) // 9


def ignore_carry(pair: tuple[int, int]) -> int:
    """Each column added on its own, the carry dropped: 17 + 25 gives 32."""
    first, second = pair
    width = max(len(str(first)), len(str(second)))
    columns = zip(str(first).zfill(width), str(second).zfill(width), strict=True)
    return int("".join(str((int(a) + int(b)) % 10) for a, b in columns))


def _nearest_operands(prompt: str, seen: Sequence[Example]) -> str:
    """The completion of the seen sum whose operands, in the better order, are nearest; of equals, the first."""
    first, second = operands(prompt)

    def distance(example: Example) -> int:
        a, b = operands(example.prompt)
        return min(abs(a - first) + abs(b - second), abs(a - second) + abs(b - first))

    nearest = min(seen, key=distance, default=None)
    return nearest.completion if nearest else ""


SHORTCUTS: Mapping[str, Shortcut] = {
    "ignore-carry": by_prompt(operands, ignore_carry),
    "add-last-digits": by_prompt(operands, lambda pair: pair[0] % 10 + pair[1] % 10),
    "first-operand": by_prompt(operands, lambda pair: pair[0]),
    "larger-operand": by_prompt(operands, max),
    "concatenate": by_prompt(operands, lambda pair: f"{pair[0]}{pair[1]}"),
    "subtract": by_prompt(operands, lambda pair: abs(pair[0] - pair[1])),
    "copy-nearest-operands": _nearest_operands,
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    first, second = operands(prompt)
    for text in change_each_digit(f"{first}+{second}=", generator):
        yield SAME_SURFACE, text
    yield OTHER_SURFACE, f"{second}+{first}="
    # What one operand gains and the other loses leaves the sum as it is; a second operand of 0 has nothing to give.
    moved = generator.randint(1, max(1, second))
    yield OTHER_SURFACE, f"{first + moved}+{second - moved}=" if second >= moved else f"{first} + {second} ="
