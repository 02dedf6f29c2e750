"""The task of adding modulo a number: ``17+25 mod 5=`` gives `` 2``.

Small transformers learn it in one of several ways, or memorize (Power et al. 2022, arXiv:2201.02177; Zhong et al.
2023, arXiv:2306.17844).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.tasks import checks
from shoal.tasks.answer_measures import NUMBER_MEASURES
from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE, build_task, by_prompt, read_prompt
from shoal.tasks.numbers import draw_pair
from shoal.tasks.registry import register_task

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Shortcut, Tag, Task, VariantKind

Sum = tuple[int, int, int]
"""Both operands and the modulus."""


@register_task("modular-arithmetic", structural_split="tag(tag='length',share=0.3)", measures=NUMBER_MEASURES)
def modular_arithmetic(
    *,
    modulus: int | Sequence[int] = (3, 5, 7),
    min_digits: int = 1,
    max_digits: int = 2,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Add two whole numbers modulo a third: prompt ``17+25 mod 5=``, completion `` 2``.

    The tags are ``length`` (digits of the longer operand), ``modulus`` and ``group`` (both operands, in either order,
    and the modulus).

    Args:
        modulus: the modulus, or several, of which one is drawn for each example.
        min_digits: the fewest digits of the longer operand.
        max_digits: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object.

    Raises:
        UsageError: an option cannot be used.
    """
    moduli = checks.whole_numbers("modulus", modulus, minimum=2, maximum=10**9)

    def draw(generator: random.Random, size: int) -> str:
        return _write((*draw_pair(generator, size), generator.choice(moduli)))

    return build_task(
        "modular-arithmetic",
        sizes=checks.size_range("digits", min_digits, max_digits, maximum=18),
        draw=draw,
        rule=modular_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def modular_rule(prompt: str) -> str:
    """The remainder of the sum of a prompt by its modulus.

    Raises:
        DataError: the prompt is no such sum, or the modulus is 0.
    """
    first, second, modulus = _read(prompt)
    return f" {(first + second) % modulus}"


def _read(prompt: str) -> Sum:
    match = read_prompt(r"(\d+) *\+ *(\d+) +mod +([1-9]\d*) *=", prompt, "17+25 mod 5=")
    return int(match[1]), int(match[2]), int(match[3])


def _write(parts: Sum) -> str:
    return "{}+{} mod {}=".format(*parts)


def _tags(prompt: str) -> Mapping[str, Tag]:
    first, second, modulus = _read(prompt)
    low, high = sorted((first, second))
    # Sorted: a sum and the same one turned round are one fact to remember.
    return {"length": len(str(high)), "modulus": modulus, "group": f"{low}+{high}%{modulus}"}


def subtract_once(parts: Sum) -> int:
    """The sum, less the modulus once if it is not smaller: right where one subtraction is enough."""
    first, second, modulus = parts
    return first + second - modulus if first + second >= modulus else first + second


SHORTCUTS: Mapping[str, Shortcut] = {
    "without-modulus": by_prompt(_read, lambda parts: parts[0] + parts[1]),
    "first-operand": by_prompt(_read, lambda parts: parts[0] % parts[2]),
    "last-operand": by_prompt(_read, lambda parts: parts[1] % parts[2]),
    "last-digits": by_prompt(_read, lambda parts: (parts[0] % 10 + parts[1] % 10) % parts[2]),
    "subtract-once": by_prompt(_read, subtract_once),
    "modulo-ten": by_prompt(_read, lambda parts: (parts[0] + parts[1]) % 10),
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    first, second, modulus = _read(prompt)
    # Never by a multiple of a modulus of 3 or more, so that another operand always has another answer.
    for step in generator.sample((-2, -1, 1, 2), 4):
        yield SAME_SURFACE, _write((max(0, first + step), second, modulus))
    yield OTHER_SURFACE, _write((second, first, modulus))
    yield OTHER_SURFACE, _write((first, second + modulus * generator.randint(1, 3), modulus))
