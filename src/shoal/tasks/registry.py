"""Tasks by name. A new task is one file with one builder, whose keyword arguments are its options, and a line here."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from shoal.errors import UnknownNameError
from shoal.tasks.counting import counting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shoal.tasks.task import Task

TASKS: Mapping[str, Callable[..., Task]] = {"counting": counting}


def make_task(name: str, **options: Any) -> Task:
    """The task of this name.

    Args:
        name: a name of the registry: ``counting``.
        options: the keyword arguments of the task's builder; every builder takes ``split`` and ``seed``.

    Raises:
        UnknownNameError: no task or option has that name; the nearest one is named.
        UsageError: an option has a value that cannot be used.
    """
    if name not in TASKS:
        raise UnknownNameError("task", name, TASKS)
    known = inspect.signature(TASKS[name]).parameters
    for option in options:
        if option not in known:
            raise UnknownNameError(f"option of the task {name!r}", option, known)
    return TASKS[name](**options)
