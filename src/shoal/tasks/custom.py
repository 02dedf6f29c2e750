"""Custom tasks: made of a user's own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.tasks.declared import RuleSpec, ShortcutSpec, add_shortcuts, make_rule
from shoal.tasks.shortcuts import COPYING
from shoal.tasks.splits import SplitSpec, bind_split
from shoal.tasks.task import Rule, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.tasks.task import Example


def task_from_rows(
    rows: Sequence[Example],
    *,
    split: SplitSpec,
    name: str = "rows",
    rule: RuleSpec | None = None,
    shortcuts: Mapping[str, ShortcutSpec] | None = None,
) -> Task:
    """Make a task of rows.

    Args:
        rows: the examples, as ``read_rows`` gives them.
        split: the split by name, table or object; ``random`` and ``length`` need no tag.
        name: how reports call the task.
        rule: the program that gives the right completion of a prompt, as a function or as ``FILE.py:FUNCTION``;
            without one it is a table of the rows, which gives the completion that a prompt has first.
        shortcuts: the task's own shortcuts by name, in addition to those that any task has: functions of (prompt,
            seen), ``FILE.py:FUNCTION``, or tables such as ``{"word": -1}`` (see `shoal.tasks.declared`).

    Raises:
        DataError: there are no rows.
        UsageError: the split cannot be used on these rows, or the rule or a shortcut cannot be made.
    """
    if not rows:
        raise DataError("there are no rows to make a task of; give at least two examples")
    return Task(
        name=name,
        examples=tuple(rows),
        split=bind_split(split, rows),
        rule=_table(rows) if rule is None else make_rule(rule),
        shortcuts=add_shortcuts(COPYING, shortcuts or {}, rows),
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
