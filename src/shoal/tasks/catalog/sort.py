"""The task of sorting a list of words: ``sort kf ka bd:`` gives `` bd ka kf``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.tasks import checks
from shoal.tasks.answer_measures import LIST_MEASURES
from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE
from shoal.tasks.lists import ALPHABET, build_list_task, draw_letters, stop_at_longest
from shoal.tasks.registry import register_task

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping

    from shoal.tasks.lists import Items
    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Task, VariantKind


@register_task("sort", structural_split="tag(tag='length',share=0.3)", measures=LIST_MEASURES)
def sort(
    *,
    min_length: int = 2,
    max_length: int = 6,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Sort words of two letters: prompt ``sort kf ka bd:``, completion `` bd ka kf``.

    Every third list has a word twice. The tags are ``length`` (words of the prompt) and ``group`` (the words in
    alphabetical order, so that lists of the same words are on one side of a split).

    Args:
        min_length: the fewest words of a list.
        max_length: the most.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object.

    Raises:
        UsageError: an option cannot be used.
    """
    return build_list_task(
        "sort",
        sizes=checks.size_range("length", min_length, max_length),
        draw=_draw,
        program=sorted,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
        order_matters=False,
    )


def _draw(generator: random.Random, length: int) -> Items:
    # Half of the first letters are those of another word, or sorting by them alone would be right too often.
    first = draw_letters(generator, max(1, length // 2))
    words = [generator.choice(first) + generator.choice(ALPHABET) for _ in range(length)]
    if length > 1 and generator.random() < 1 / 3:
        words[generator.randrange(1, length)] = words[0]
    generator.shuffle(words)
    return words


def sort_neighbours(items: Items) -> Items:
    """One pass from the left that swaps neighbours in the wrong order: the first pass of bubble sort."""
    words = list(items)
    for place in range(len(words) - 1):
        words[place : place + 2] = sorted(words[place : place + 2])
    return words


def smallest_first(items: Items) -> Items:
    """The first word of the alphabet moved to the front, the others as they stand."""
    place = items.index(min(items))
    return [items[place], *items[:place], *items[place + 1 :]]


SHORTCUTS: Mapping[str, Callable[[Items, int], Items]] = {
    "by-first-letter": lambda items, longest: sorted(items, key=lambda word: word[0]),  # noqa: ARG005
    "sort-neighbours": lambda items, longest: sort_neighbours(items),  # noqa: ARG005
    "smallest-first": lambda items, longest: smallest_first(items),  # noqa: ARG005
    "drop-repeats": lambda items, longest: sorted(set(items)),  # noqa: ARG005
    "same-order": lambda items, longest: items,  # noqa: ARG005
    "backward": lambda items, longest: sorted(items, reverse=True),  # noqa: ARG005
    "stop-at-longest-seen": stop_at_longest(sorted),
}


def _variants(items: Items, generator: random.Random) -> Iterator[tuple[VariantKind, Items]]:
    for place, word in enumerate(items):
        letter = generator.choice([other for other in ALPHABET if other != word[1]])
        yield SAME_SURFACE, [*items[:place], word[0] + letter, *items[place + 1 :]]
    yield OTHER_SURFACE, generator.sample(items, len(items))
