"""The task of duplicating a list: ``duplicate k f a:`` gives `` k f a k f a``.

One of the tasks by which Delétang et al. (2023, arXiv:2207.02098) sort networks along the Chomsky hierarchy.
"""

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


@register_task("duplicate", structural_split="tag(tag='length',share=0.3)", measures=LIST_MEASURES)
def duplicate(
    *,
    min_length: int = 2,
    max_length: int = 6,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Write a list of letters twice: prompt ``duplicate k f a:``, completion `` k f a k f a``.

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
        "duplicate",
        sizes=checks.size_range("length", min_length, max_length),
        draw=draw_letters,
        program=lambda items: [*items, *items],
        shortcuts=SHORTCUTS,
        variants=change_items,
        examples=examples,
        seed=seed,
        split=split,
    )


SHORTCUTS: Mapping[str, Callable[[Items, int], Items]] = {
    "once": lambda items, longest: items,  # noqa: ARG005
    "each-item-twice": lambda items, longest: [item for item in items for _ in range(2)],  # noqa: ARG005
    "mirror": lambda items, longest: [*items, *items[::-1]],  # noqa: ARG005
    "repeat-last-item": lambda items, longest: [*items, *[items[-1]] * len(items)],  # noqa: ARG005
    "stop-at-longest-seen": stop_at_longest(lambda items: [*items, *items], times=2),
}
