"""The task of reversing a list: ``reverse k f a:`` gives `` a f k``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.tasks import checks
from shoal.tasks.answer_measures import LIST_MEASURES
from shoal.tasks.lists import build_list_task, change_items, draw_letters, stop_at_longest
from shoal.tasks.registry import register_task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shoal.tasks.lists import Items
    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Task


@register_task("reverse", structural_split="tag(tag='length',share=0.3)", measures=LIST_MEASURES)
def reverse(
    *,
    min_length: int = 2,
    max_length: int = 6,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Reverse a list of letters: prompt ``reverse k f a:``, completion `` a f k``.

    The tags are ``length`` (items of the prompt) and ``group`` (the list itself).

    Args:
        min_length: the fewest items of a list.
        max_length: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object.

    Raises:
        UsageError: an option cannot be used.
    """
    return build_list_task(
        "reverse",
        sizes=checks.size_range("length", min_length, max_length),
        draw=draw_letters,
        program=lambda items: items[::-1],
        shortcuts=SHORTCUTS,
        variants=change_items,
        examples=examples,
        seed=seed,
        split=split,
    )


SHORTCUTS: Mapping[str, Callable[[Items, int], Items]] = {
    "same-order": lambda items, longest: items,  # noqa: ARG005
    "last-item-first": lambda items, longest: [items[-1], *items[:-1]],  # noqa: ARG005
    "swap-ends": lambda items, longest: [items[-1], *items[1:-1], items[0]] if len(items) > 1 else items,  # noqa: ARG005
    "in-backward-alphabetical-order": lambda items, longest: sorted(items, reverse=True),  # noqa: ARG005
    "drop-repeats": lambda items, longest: list(dict.fromkeys(items[::-1])),  # noqa: ARG005
    "stop-at-longest-seen": stop_at_longest(lambda items: items[::-1]),
}
