"""Tasks by name. A new task is one file in `shoal.tasks.catalog` with one builder under `register_task`.

The catalog is imported when a task is first made or listed, not with the package.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from shoal.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shoal.tasks.task import Task, TaskMeasure


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """A task of the registry."""

    name: str
    build: Callable[..., Task]
    """From the task's options, as keyword arguments, to the task."""

    structural_split: str
    """The split that holds out by the structure of the prompt: more digits, longer lists, deeper brackets."""

    measures: Mapping[str, TaskMeasure] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (inspect.getdoc(self.build) or "").split("\n", 1)[0]

    @property
    def options(self) -> Mapping[str, inspect.Parameter]:
        """The task's own options, ``examples``, ``seed`` and ``split`` among them."""
        return inspect.signature(self.build).parameters


_ENTRIES: dict[str, TaskEntry] = {}


def register_task(
    name: str, *, structural_split: str, measures: Mapping[str, TaskMeasure] | None = None
) -> Callable[[Callable[..., Task]], Callable[..., Task]]:
    """Make a builder known as the task of this name; the tasks that it builds get the measures.

    Args:
        name: of the task.
        structural_split: the split by the structure of the prompt, with its parameters.
        measures: what is measured of answers to this task alone, by name. Tasks that share a name share the measure.
    """

    def register(build: Callable[..., Task]) -> Callable[..., Task]:
        @functools.wraps(build)
        def measured(**options: Any) -> Task:
            return replace(build(**options), measures=dict(measures or {}))

        entry = TaskEntry(name=name, build=measured, structural_split=structural_split, measures=dict(measures or {}))
        for other in _ENTRIES.values():
            for key in entry.measures.keys() & other.measures.keys():
                # One name in files and reports means one thing.
                assert entry.measures[key] is other.measures[key], f"{name} and {other.name} differ in {key!r}"
        _ENTRIES[name] = entry
        return measured

    return register


def known_tasks() -> Mapping[str, TaskEntry]:
    """Every task of the registry by name, in alphabetical order."""
    _import_catalog()
    return dict(sorted(_ENTRIES.items()))


def make_task(name: str, **options: Any) -> Task:
    """The task of this name.

    Args:
        name: a name of the registry: ``counting``, ``addition``; `known_tasks` lists them. What follows a colon is the
            option ``dataset``: ``reasoning-gym:leg_counting``.
        options: the keyword arguments of the task's builder; every builder takes ``split`` and ``seed``.

    Raises:
        UnknownNameError: no task or option has that name; the nearest one is named.
        UsageError: an option has a value that cannot be used.
    """
    tasks = known_tasks()
    name, colon, dataset = name.partition(":")
    if name not in tasks:
        raise UnknownNameError("task", name, tasks)
    if colon:
        options = {"dataset": dataset, **options}
    entry = tasks[name]
    for option in options:
        if option not in entry.options:
            raise UnknownNameError(f"option of the task {name!r}", option, entry.options)
    return entry.build(**options)


@functools.cache
def _import_catalog() -> None:
    """Import every module of the catalog, which registers its task."""
    from shoal.tasks import catalog

    for module in pkgutil.iter_modules(catalog.__path__):
        importlib.import_module(f"{catalog.__name__}.{module.name}")
