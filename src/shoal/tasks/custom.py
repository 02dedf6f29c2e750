"""Custom tasks: made of a user's own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.tasks.shortcuts import COPYING
from shoal.tasks.splits import SplitSpec, bind_split
from shoal.tasks.task import Rule, Shortcut, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.tasks.task import Example


def task_from_rows(
    rows: Sequence[Example],
    *,
    split: SplitSpec,
    name: str = "rows",
    rule: Rule | None = None,
    shortcuts: Mapping[str, Shortcut] | None = None,
) -> Task:
    """Make a task of rows.

    Args:
        rows: the examples, as ``read_rows`` gives them.
        split: the split by name, table or object; ``random`` and ``length`` need no tag.
        name: how reports call the task.
        rule: the program that gives the right completion of a prompt; without one it is a table of the rows, which
            gives the completion that a prompt has first.
        shortcuts: the task's own shortcuts, in addition to those that any task has.

    Raises:
        DataError: there are no rows.
        UsageError: the split cannot be used on these rows.
    """
    if not rows:
        raise DataError("there are no rows to make a task of; give at least two examples")
    return Task(
        name=name,
        examples=tuple(rows),
        split=bind_split(split, rows),
        rule=rule or _table(rows),
        shortcuts={**COPYING, **(shortcuts or {})},
        rule_known=rule is not None,
    )


def _table(rows: Sequence[Example]) -> Rule:
    """The rule of rows whose rule is not known: the completion that they have."""
    completions: dict[str, str] = {}
    for row in rows:
        completions.setdefault(row.prompt, row.completion)

    def rule(prompt: str) -> str:
        if prompt not in completions:
            raise DataError(f"the prompt {prompt[:60]!r} is not among the rows, and the task has no rule of its own")
        return completions[prompt]

    return rule
