"""The task of parity: ``parity 0 1 1 0:`` gives `` even``, as the number of ones is even.

Transformers find parity hard to learn and easy to get half right (Hahn 2020, doi:10.1162/tacl_a_00306).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.tasks import checks
from shoal.tasks.answer_measures import label_measures
from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE, build_task, by_prompt
from shoal.tasks.lists import read_symbols, write_items
from shoal.tasks.registry import register_task

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Shortcut, Tag, Task, VariantKind


@register_task("parity", structural_split="tag(tag='length',share=0.3)", measures=label_measures("even", "odd"))
def parity(
    *,
    min_length: int = 2,
    max_length: int = 10,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Name the parity of the ones: prompt ``parity 0 1 1 0:``, completion `` even``.

    The tags are ``length`` (bits), ``ones`` and ``group`` (the bits).

    Args:
        min_length: the fewest bits.
        max_length: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object.

    Raises:
        UsageError: an option cannot be used.
    """
    return build_task(
        "parity",
        sizes=checks.size_range("length", min_length, max_length),
        draw=lambda generator, size: write_items("parity", generator.choices("01", k=size)),
        rule=parity_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def parity_rule(prompt: str) -> str:
    """Whether the number of ones is even or odd.

    Raises:
        DataError: the prompt holds something else than bits.
    """
    return f" {_name(_bits(prompt).count('1'))}"


def _bits(prompt: str) -> Sequence[str]:
    return read_symbols("parity", "01", prompt)


def _name(number: int) -> str:
    return "odd" if number % 2 else "even"


def _tags(prompt: str) -> Mapping[str, Tag]:
    bits = _bits(prompt)
    return {"length": len(bits), "ones": bits.count("1"), "group": "".join(bits)}


SHORTCUTS: Mapping[str, Shortcut] = {
    "last-bit": by_prompt(_bits, lambda bits: _name(int(bits[-1]))),
    "first-bit": by_prompt(_bits, lambda bits: _name(int(bits[0]))),
    "first-and-last-bit": by_prompt(_bits, lambda bits: _name(int(bits[0]) + int(bits[-1]))),
    "length": by_prompt(_bits, lambda bits: _name(len(bits))),
    "zeros": by_prompt(_bits, lambda bits: _name(bits.count("0"))),
    "last-three-bits": by_prompt(_bits, lambda bits: _name(bits[-3:].count("1"))),
    "more-ones": by_prompt(_bits, lambda bits: _name(2 * bits.count("1") > len(bits))),
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    bits = list(_bits(prompt))
    for place, bit in enumerate(bits):
        yield SAME_SURFACE, write_items("parity", [*bits[:place], "10"[int(bit)], *bits[place + 1 :]])
    yield OTHER_SURFACE, write_items("parity", generator.sample(bits, len(bits)))
    yield OTHER_SURFACE, f"parity {','.join(bits)}:"
    # A zero more leaves the number of ones, and changes the length, by which a shortcut goes.
    yield OTHER_SURFACE, write_items("parity", [*bits, "0"])
