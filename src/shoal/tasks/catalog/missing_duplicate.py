"""The task of the missing duplicate: ``unpaired k f a k f:`` gives `` a``, the one item that occurs once.

After the task of that name of Delétang et al. (2023, arXiv:2207.02098).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.tasks import checks
from shoal.tasks.answer_measures import PROMPT_MEASURES
from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE, build_task, by_prompt
from shoal.tasks.lists import ALPHABET, read_items, write_items
from shoal.tasks.registry import register_task

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Shortcut, Tag, Task, VariantKind


@register_task("missing-duplicate", structural_split="tag(tag='length',share=0.3)", measures=PROMPT_MEASURES)
def missing_duplicate(
    *,
    min_pairs: int = 1,
    max_pairs: int = 5,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Name the item that has no duplicate: prompt ``unpaired k f a k f:``, completion `` a``.

    The tags are ``length`` (items of the prompt), ``place`` (of the answer, from 1) and ``group`` (the list itself).

    Args:
        min_pairs: the fewest pairs beside the unpaired item.
        max_pairs: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object.

    Raises:
        UsageError: an option cannot be used.
    """
    return build_task(
        "missing-duplicate",
        # Drawn examples are of up to half as many pairs again, which the letters must suffice for.
        sizes=checks.size_range("pairs", min_pairs, max_pairs, maximum=2 * (len(ALPHABET) - 1) // 3),
        draw=_draw,
        rule=missing_duplicate_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def missing_duplicate_rule(prompt: str) -> str:
    """The first item that occurs once.

    Raises:
        DataError: the prompt is no list, or every item of it occurs more than once.
    """
    items = _items(prompt)
    single = next((item for item in items if items.count(item) == 1), None)
    if single is None:
        raise DataError(f"in the prompt {prompt[:60]!r} no item occurs once; one of them should")
    return f" {single}"


def _items(prompt: str) -> Sequence[str]:
    return read_items("unpaired", prompt)


def _draw(generator: random.Random, size: int) -> str:
    letters = generator.sample(ALPHABET, size + 1)
    items = [*letters, *letters[1:]]
    generator.shuffle(items)
    return write_items("unpaired", items)


def _tags(prompt: str) -> Mapping[str, Tag]:
    items = _items(prompt)
    place = items.index(missing_duplicate_rule(prompt).strip()) + 1
    return {"length": len(items), "place": place, "group": " ".join(items)}


def without_equal_neighbour(items: Sequence[str]) -> str:
    """The first item with no equal one next to it: right where duplicates stand side by side."""
    around = [{*items[max(0, place - 1) : place], *items[place + 1 : place + 2]} for place in range(len(items))]
    return next((item for item, others in zip(items, around, strict=True) if item not in others), items[-1])


SHORTCUTS: Mapping[str, Shortcut] = {
    "last-item": by_prompt(_items, lambda items: items[-1]),
    "first-item": by_prompt(_items, lambda items: items[0]),
    "middle-item": by_prompt(_items, lambda items: items[len(items) // 2]),
    "first-in-alphabet": by_prompt(_items, min),
    "not-seen-later": by_prompt(
        _items, lambda items: next(item for place, item in enumerate(items) if item not in items[place + 1 :])
    ),
    "without-equal-neighbour": by_prompt(_items, without_equal_neighbour),
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    items = list(_items(prompt))
    unused = [letter for letter in ALPHABET if letter not in items]
    single = missing_duplicate_rule(prompt).strip()
    # The unpaired item becomes another; or a pair does, which leaves the answer.
    for kind, old in ((SAME_SURFACE, single), (OTHER_SURFACE, generator.choice([i for i in items if i != single]))):
        new = generator.choice(unused) if unused else old
        yield kind, write_items("unpaired", [new if item == old else item for item in items])
    yield OTHER_SURFACE, write_items("unpaired", generator.sample(items, len(items)))
    yield OTHER_SURFACE, f"unpaired {','.join(items)}:"
