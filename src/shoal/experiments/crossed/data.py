"""The training examples of one training: which of the seen examples, how many, how often, and with which labels."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.experiments.tasks import augmentation_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.curation.augmentation import Augmentation
    from shoal.experiments.crossed.plan import BalanceTable, Cell, DataTable
    from shoal.tasks import Example, Task


def training_seed(cell: str, seed: int) -> int:
    """The seed of one training: no two trainings of an experiment share it, so that each is a unit of its own.

    Args:
        cell: the name of its cell.
        seed: its number within the cell.
    """
    digest = hashlib.sha256(f"{cell} {seed}".encode()).digest()
    # 31 bits: what every library takes as a seed.
    return int.from_bytes(digest[:4], "big") >> 1


def cell_examples(cell: Cell, task: Task, seed: int) -> tuple[list[Example], Augmentation | None]:
    """The examples of a training of a cell, augmented ones at the end, and the augmentation where the cell has one.

    Label noise hits augmented examples too: it comes last, since the rule would drop what is made of wrong ones.

    Args:
        cell: whose settings count.
        task: of the cell.
        seed: of the training; every draw hangs on it.

    Raises:
        UsageError: there are too few examples, or too few of a class, or no other label for label noise; or the task
            has no rule that could check augmented examples.
    """
    chosen = _chosen(task.seen, cell.data, seed)
    found = augmentation_of(cell, task, chosen, seed)
    return _with_noise(list(found.examples) if found else chosen, cell.data.label_noise, seed), found


def _chosen(seen: Sequence[Example], data: DataTable, seed: int) -> list[Example]:
    """Which of the seen examples, how many and how often."""
    # Seeded by texts, so that a change of one step leaves the draws of the others as they are.
    order = list(range(len(seen)))
    random.Random(f"examples {seed}").shuffle(order)
    if data.balance is not None:
        order = _balanced(seen, order, data.balance, data.examples)
    count = len(order) if data.examples is None else data.examples
    if count > len(order):
        raise UsageError(
            f"examples = {count}, and the task has {len(order)} seen examples; take fewer, or a larger task"
        )
    repeated = round(data.repeats * count)
    if count - repeated < 1:
        raise UsageError(f"repeats = {data.repeats:g} leaves none of {count} examples; take a smaller share")
    chosen = [seen[place] for place in sorted(order[: count - repeated])]
    return chosen + random.Random(f"repeats {seed}").choices(chosen, k=repeated)


def _balanced(seen: Sequence[Example], order: list[int], balance: BalanceTable, count: int | None) -> list[int]:
    """Places whose tags have the given shares: as many as are wanted, or as there can be."""
    places = {value: [p for p in order if str(seen[p].tags.get(balance.tag)) == value] for value in balance.shares}
    wanted = {value: share for value, share in balance.shares.items() if share > 0}
    absent = [value for value in wanted if not places[value]]
    if absent:
        raise UsageError(f"balance names {balance.tag} = {absent[0]!r}, and no seen example has that tag")
    total = count or int(min(len(places[value]) / share for value, share in wanted.items()) + 1e-9)
    # Whole numbers by largest remainders, so that they add up to the total.
    exact = {value: share * total for value, share in wanted.items()}
    numbers = {value: int(number) for value, number in exact.items()}
    for value in sorted(exact, key=lambda value: numbers[value] - exact[value])[: total - sum(numbers.values())]:
        numbers[value] += 1
    for value, number in numbers.items():
        if number > len(places[value]):
            raise UsageError(
                f"balance needs {number} seen examples with {balance.tag} = {value!r} and there are "
                f"{len(places[value])}; take fewer examples or a larger task"
            )
    chosen = [place for value, number in numbers.items() for place in places[value][:number]]
    # Again in the drawn order: repeats take the last ones, which must not all be of one class.
    return [place for place in order if place in set(chosen)]


def _with_noise(examples: list[Example], share: float, seed: int) -> list[Example]:
    """The examples, a share of them with the completion of an example that has another one."""
    count = round(share * len(examples))
    if not count:
        return examples
    draw = random.Random(f"label noise {seed}")
    completions = [(example.completion, example.ends) for example in examples]
    if len(set(completions)) < 2:
        raise UsageError(
            f"label_noise = {share:g} cannot change a label: all {len(examples)} training examples have the completion "
            f"{completions[0][0]!r}; use a task with more answers"
        )
    noisy = list(examples)
    for place in draw.sample(range(len(examples)), count):
        other = draw.choice([pair for pair in completions if pair != completions[place]])
        noisy[place] = replace(examples[place], completion=other[0], ends=other[1])
    return noisy
