"""Tasks: examples with a split, the rule that generates them and the shortcuts that might pass for it."""

from shoal.tasks.example import Example, Tag
from shoal.tasks.narrowing import Narrowness, narrowness, narrowness_text
from shoal.tasks.own import task_from_rows
from shoal.tasks.registry import make_task
from shoal.tasks.rows import read_rows, to_dataset, write_rows
from shoal.tasks.splits import Splitter, make_split
from shoal.tasks.task import Rule, Shortcut, Split, Task

__all__ = [
    "Example",
    "Narrowness",
    "Rule",
    "Shortcut",
    "Split",
    "Splitter",
    "Tag",
    "Task",
    "make_split",
    "make_task",
    "narrowness",
    "narrowness_text",
    "read_rows",
    "task_from_rows",
    "to_dataset",
    "write_rows",
]
