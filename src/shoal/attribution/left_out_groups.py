"""Groups of training examples that can be left out: by a tag, by length, or by whether a shortcut is right on them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.tasks import Tag, Task

_MAX_VALUES = 8
"""Different numbers of a tag that are groups of their own; more are cut into quarters."""

_QUARTERS = 4


def find_groups(task: Task, by: str) -> Mapping[str, tuple[bool, ...]]:
    """Groups of the seen examples of a task.

    Args:
        task: whose seen examples are grouped.
        by: ``tag:NAME`` (each value of a tag; of many numbers, quarters), ``shortcut:NAME`` (where the shortcut is
            right and where it is wrong), or ``length`` (quarters of the prompt's length).

    Returns:
        From the name of a group to a flag for each seen example: whether it belongs to the group.

    Raises:
        UsageError: there is no such way, tag or shortcut, or all examples are in one group.
    """
    kind, _, name = by.partition(":")
    ways: dict[str, Callable[[Task, str], Sequence[str]]] = {
        "tag": _by_tag,
        "shortcut": _by_shortcut,
        "length": _by_length,
    }
    if kind not in ways:
        raise UsageError(f"{by!r} names no groups; give tag:NAME, shortcut:NAME or length")
    labels = ways[kind](task, name)
    groups = tuple(dict.fromkeys(label for label in labels if label))
    if len(groups) < 2:
        raise UsageError(f"{by!r} puts all {len(labels)} seen examples into one group; leave-out needs two or more")
    return {group: tuple(label == group for label in labels) for group in sorted(groups, key=_by_numbers)}


def _by_numbers(label: str) -> list[tuple[bool, float, str]]:
    """The order of labels in which 4 stands before 12."""
    # Every second part is a number, as the pattern has one group; with its decimals, else 0.5 stood before 0.25.
    parts = re.split(r"(\d+(?:\.\d+)?)", label)
    return [(place % 2 == 1, float(part) if place % 2 else 0.0, part) for place, part in enumerate(parts)]


def _by_tag(task: Task, name: str) -> list[str]:
    """The value of the tag; examples without it belong to no group."""
    known = sorted({tag for example in task.seen for tag in example.tags})
    if name not in known:
        raise UsageError(f"no seen example has the tag {name!r}; there are {', '.join(known) or 'none'}")
    values = [example.tags.get(name) for example in task.seen]
    labels = ["" if value is None else f"{name} = {value}" for value in values]
    numbers = [_number(value) for value in values if value is not None]
    sizes = [number for number in numbers if number is not None]
    if len(sizes) == len(numbers) and len(set(sizes)) > _MAX_VALUES:
        quarters = iter(_quarters(sizes, name))
        return [label and next(quarters) for label in labels]
    return labels


def _number(value: Tag | None) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _by_length(task: Task, name: str) -> list[str]:
    if name:
        raise UsageError(f"length takes no name, and {name!r} was given; write length alone")
    return _quarters([len(example.prompt) for example in task.seen], "length")


def _by_shortcut(task: Task, name: str) -> list[str]:
    """Right or wrong; examples to which the shortcut does not apply belong to no group."""
    if name not in task.shortcuts:
        raise UsageError(
            f"the task {task.name!r} has no shortcut {name!r}; there are {', '.join(sorted(task.shortcuts))}"
        )
    labels = []
    for place, example in enumerate(task.seen):
        # Without the example itself: what copies a neighbour would find it, and always be right.
        others = [*task.seen[:place], *task.seen[place + 1 :]]
        try:
            answer = task.shortcuts[name](example.prompt, others)
        except DataError:
            answer = ""
        state = "right" if answer == example.completion else "wrong"
        labels.append(f"{name} is {state}" if answer else "")
    return labels


def _quarters(values: Sequence[float], name: str) -> list[str]:
    """Four groups of about equal size; equal values are never cut apart."""
    counts, total = Counter(values), len(values)
    quarter_of, below = {}, 0
    for value in sorted(counts):
        # By the middle of its rank, so that a common value lands where most of it lies.
        quarter_of[value] = min(_QUARTERS - 1, int(_QUARTERS * (below + counts[value] / 2) / total))
        below += counts[value]
    ends: dict[int, list[float]] = {}
    for value, quarter in quarter_of.items():
        ends.setdefault(quarter, []).append(value)
    return [f"{name} {_plain(min(ends[quarter_of[v]]))} to {_plain(max(ends[quarter_of[v]]))}" for v in values]


def _plain(value: float) -> str:
    """A number with all of its digits: with six, four quarters of large numbers would have one name."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
