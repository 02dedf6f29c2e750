"""The pool of new items that discriminating items are chosen from, and what each explanation answers to them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.candidates import CandidateTable, candidates_of
from shoal.errors import DataError, UsageError
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from shoal.progress import Progress
    from shoal.tasks import Example, Shortcut, Task

_FRUITLESS_DRAWS = 2000
"""Draws in a row that bring no new prompt, after which a task counts as exhausted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPool:
    """Items outside of the training set, in random order, and what each explanation answers."""

    task: str
    table: CandidateTable
    """The items and their candidates."""

    classes: tuple[tuple[str, ...], ...]
    """The explanations in groups with equal answers to all items: no item tells those of one group apart. Explanations
    that apply to no item are left out."""

    patterns_UE: NDArray[np.int64]
    """The ways in which items divide the classes, from the pattern (U) and the class (E) to a number; classes with
    equal numbers give equal answers, and -1 stands for none."""

    pattern_of_N: NDArray[np.int64]
    """The pattern of each item (N)."""

    def __len__(self) -> int:
        return len(self.table.prompts)

    def candidate(self, item: int, group: int) -> str | None:
        """What the explanations of a class answer to an item.

        Args:
            item: its place in the pool.
            group: the place of the class.
        """
        return self.table.answers[item][self.table.names.index(self.classes[group][0])]


def item_pool(
    task: Task,
    *,
    size: int = 2000,
    shortcuts: Mapping[str, Shortcut] | None = None,
    variants: bool = True,
    extrapolate: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> ItemPool:
    """Draw items that are not in the training set, and answer them by every explanation.

    With a generator (``task.draw``), half of the items are drawn and half are variants, of the same surface and with
    another answer, of others that were drawn and left out, so that all of them are independent; a task without one
    gives its held-out examples and their variants.

    Args:
        task: whose seen examples the model was trained on.
        size: items at most; rare disagreements need a large pool, which costs the time of the programs only.
        shortcuts: further shortcuts by name.
        variants: whether counterfactual variants are among the items; without them they have the task's own
            distribution.
        extrapolate: whether items may have longer prompts or completions than all examples of the task. What a model
            does there is another question, and often an answer of no explanation.
        seed: random seed of the draws.
        progress: called with (what, done, total), the units being explanations.

    Raises:
        UsageError: the size is below 1, or a further shortcut has a name that is taken.
        DataError: every item is in the training set, there are fewer than two explanations, or all of them agree on
            every item.
    """
    if size < 1:
        raise UsageError(f"a pool of items needs a size of at least 1; got {size}")
    items = _new_items(task, size, _drawn(task, variants, random.Random(seed)), extrapolate=extrapolate)
    if not items:
        raise DataError(
            f"every item that the task {task.name!r} gives is in its training set, where looking up explains all; "
            "hold examples out, or give the task a generator (draw)"
        )
    return pool_of(candidates_of(task, items, shortcuts=shortcuts, progress=progress), task=task.name)


def pool_of(table: CandidateTable, *, task: str = "task") -> ItemPool:
    """The pool of items whose candidates are known, in the order given.

    Args:
        table: the items and their candidates; no item twice.
        task: the name of the task, for the report.

    Raises:
        DataError: there are fewer than two explanations, all of them agree on every item, or an item comes twice.
    """
    twice = next((prompt for prompt, count in Counter(table.prompts).items() if count > 1), None)
    if twice is not None:
        # The second answer to one prompt is no evidence, and would be counted as such.
        raise DataError(f"the prompt {twice[:60]!r} comes twice among the items of a pool; give each prompt once")
    if len(table.names) < 2:
        raise DataError(
            f"there is one explanation only ({joined(table.names)}), so that nothing can be told apart; "
            "give the task shortcuts"
        )
    classes = table.classes()
    if len(classes) < 2:
        raise DataError(
            f"no item of the {plural(len(table.prompts), 'item')} separates any two explanations "
            f"({joined(table.names)}): widen the task's generator, or name other explanations"
        )
    places = [table.names.index(group[0]) for group in classes]
    rows = np.array([_pattern([row[place] for place in places]) for row in table.answers], dtype=np.int64)
    # NumPy 2.0 alone gives the inverse of rows a second axis, which is taken off below.
    patterns_UE, pattern_of_N = np.unique(rows, axis=0, return_inverse=True)
    return ItemPool(
        task=task, table=table, classes=classes, patterns_UE=patterns_UE, pattern_of_N=pattern_of_N.reshape(-1)
    )


def _pattern(answers: Sequence[str | None]) -> list[int]:
    """The answers as numbers in the order of their appearance: items that divide the classes alike have one pattern."""
    numbers: dict[str, int] = {}
    return [-1 if answer is None else numbers.setdefault(answer, len(numbers)) for answer in answers]


def _new_items(task: Task, size: int, drawn: Iterator[Example], *, extrapolate: bool) -> list[Example]:
    """Distinct items that are not in the training set, as many as there are up to the size."""
    taken = {example.prompt for example in task.seen}
    prompt_limit = max(len(example.prompt) for example in task.examples)
    completion_limit = max(len(example.completion) for example in task.examples)
    found: list[Example] = []
    fruitless = 0
    for example in drawn:
        # An item that is too long counts as fruitless too, else a generator of long ones alone would never end.
        longer = len(example.prompt) > prompt_limit or len(example.completion) > completion_limit
        if example.prompt in taken or (longer and not extrapolate):
            fruitless += 1
        else:
            taken.add(example.prompt)
            found.append(example)
            fruitless = 0
        if len(found) == size or fruitless == _FRUITLESS_DRAWS:
            break
    return found


def _drawn(task: Task, variants: bool, generator: random.Random) -> Iterator[Example]:
    """Items one by one; without end where the task has a generator."""
    if task.draw is None:
        held_out = list(task.held_out)
        generator.shuffle(held_out)
        yield from held_out
        for example in held_out if variants else ():
            yield from _variants(task, example, generator)
        return
    while True:
        yield task.draw(generator)
        # Of a draw of its own: next to the item that it varies, it would not be an independent item.
        if variants and (changed := _variants(task, task.draw(generator), generator)):
            yield generator.choice(changed)


def _variants(task: Task, example: Example, generator: random.Random) -> list[Example]:
    """The variants that look like the example: other wordings would ask whether a model understands them, too."""
    found = task.variants(example, generator) if task.variants is not None else ()
    return [variant.example for variant in found if variant.kind == "same-surface-other-answer"]
