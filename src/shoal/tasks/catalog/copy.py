"""The task of copying a list: ``copy k f a:`` gives `` k f a``.

A model that copies by place fails behind the longest seen list, one with induction heads does not (Olsson et al. 2022,
arXiv:2209.11895; Zhou et al. 2023, arXiv:2310.16028).
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


@register_task("copy", structural_split="tag(tag='length',share=0.3)", measures=LIST_MEASURES)
def copy(
    *,
    min_length: int = 2,
    max_length: int = 6,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Copy a list of letters: prompt ``copy k f a:``, completion `` k f a``.

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
        "copy",
        sizes=checks.size_range("length", min_length, max_length),
        draw=draw_letters,
        program=lambda items: items,
        shortcuts=SHORTCUTS,
        variants=change_items,
        examples=examples,
        seed=seed,
        split=split,
    )


SHORTCUTS: Mapping[str, Callable[[Items, int], Items]] = {
    "first-item": lambda items, longest: items[:1],  # noqa: ARG005
    "drop-last": lambda items, longest: items[:-1],  # noqa: ARG005
    "drop-repeats": lambda items, longest: list(dict.fromkeys(items)),  # noqa: ARG005
    "backward": lambda items, longest: items[::-1],  # noqa: ARG005
    "in-alphabetical-order": lambda items, longest: sorted(items),  # noqa: ARG005
    "stop-at-longest-seen": stop_at_longest(lambda items: items),
}
