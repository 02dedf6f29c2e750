"""The task of the majority: ``majority a b b a b:`` gives `` b``."""

from __future__ import annotations

import itertools
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


@register_task("majority", structural_split="tag(tag='length',share=0.3)", measures=label_measures("a", "b"))
def majority(
    *,
    min_length: int = 3,
    max_length: int = 11,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Name the symbol that there is more of: prompt ``majority a b b a b:``, completion `` b``.

    There is no tie. The tags are ``length`` (symbols), ``margin`` (by how many the majority leads) and ``group`` (the
    symbols).

    Args:
        min_length: the fewest symbols.
        max_length: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object.

    Raises:
        UsageError: an option cannot be used.
    """
    return build_task(
        "majority",
        sizes=checks.size_range("length", min_length, max_length),
        draw=_draw,
        rule=majority_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def majority_rule(prompt: str) -> str:
    """The symbol that there is more of; of a tie, the first.

    Raises:
        DataError: the prompt holds something else than a and b.
    """
    return f" {_commoner(_symbols(prompt))}"


def _symbols(prompt: str) -> Sequence[str]:
    return read_symbols("majority", "ab", prompt)


def _commoner(symbols: Sequence[str]) -> str:
    return max(symbols, key=symbols.count)


def _draw(generator: random.Random, size: int) -> str:
    symbols = generator.choices("ab", k=size)
    if symbols.count("a") == symbols.count("b"):
        symbols[generator.randrange(size)] = generator.choice("ab")
        # The last draw may have left the tie; one more symbol of either kind ends it.
        if symbols.count("a") == symbols.count("b"):
            place = generator.randrange(size)
            symbols[place] = "ba"["ab".index(symbols[place])]
    return write_items("majority", symbols)


def _tags(prompt: str) -> Mapping[str, Tag]:
    symbols = _symbols(prompt)
    margin = abs(symbols.count("a") - symbols.count("b"))
    return {"length": len(symbols), "margin": margin, "group": "".join(symbols)}


def longest_run(symbols: Sequence[str]) -> str:
    """The symbol of the longest run of equal symbols; of equal runs, the first."""
    runs = ((symbol, len(list(run))) for symbol, run in itertools.groupby(symbols))
    return max(runs, key=lambda run: run[1])[0]


SHORTCUTS: Mapping[str, Shortcut] = {
    "first-symbol": by_prompt(_symbols, lambda symbols: symbols[0]),
    "last-symbol": by_prompt(_symbols, lambda symbols: symbols[-1]),
    "middle-symbol": by_prompt(_symbols, lambda symbols: symbols[len(symbols) // 2]),
    "last-three-symbols": by_prompt(_symbols, lambda symbols: _commoner(symbols[-3:])),
    "longest-run": by_prompt(_symbols, longest_run),
    # Among both letters and not among the symbols: where one letter is alone, the other is the minority.
    "minority": by_prompt(_symbols, lambda symbols: min("ab", key=symbols.count)),
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    symbols = list(_symbols(prompt))
    for place, symbol in enumerate(symbols):
        other = [*symbols[:place], "ba"["ab".index(symbol)], *symbols[place + 1 :]]
        if other.count("a") != other.count("b"):
            yield SAME_SURFACE, write_items("majority", other)
            yield OTHER_SURFACE, write_items("majority", other)
    yield OTHER_SURFACE, write_items("majority", generator.sample(symbols, len(symbols)))
    yield OTHER_SURFACE, f"majority {','.join(symbols)}:"
