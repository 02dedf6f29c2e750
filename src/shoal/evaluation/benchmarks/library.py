"""Where tasks are found by name: shoal's own, those of a folder, and those of an installed lm-evaluation-harness.

A name stands for a task, a group of tasks, or a tag that tasks carry. The folders are read in that order; the thousands
of files of lm-evaluation-harness only where a name is not found before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.evaluation.benchmarks.python_tasks import harness_is_installed, parse_python_task
from shoal.evaluation.benchmarks.task_files import PythonTaskError, TaskFile, parse_task
from shoal.evaluation.benchmarks.yaml_files import read_task_yaml

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

OWN_TASKS = Path(__file__).parent / "tasks"
_SKIPPED = {"__pycache__", ".ipynb_checkpoints"}
_OF_GROUPS = ("group", "group_alias", "task", "aggregate_metric_list", "metadata", "tag")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroup:
    """Tasks whose figures are shown together under one name."""

    name: str
    tasks: tuple[str, ...]
    weight_by_size: bool
    """Whether the figures of the group weigh tasks by their items; else each task counts the same."""

    weights: Mapping[str, bool] = field(default_factory=dict)
    """The same by metric, where the file states it of a metric."""

    def weighs_by_size(self, metric: str) -> bool:
        """Whether the figure of a metric weighs tasks by their items."""
        return self.weights.get(metric, self.weight_by_size)


@dataclass(slots=True)
class TaskSelection:
    """The tasks that some names stand for, and their groups."""

    tasks: dict[str, TaskFile] = field(default_factory=dict)
    groups: dict[str, TaskGroup] = field(default_factory=dict)
    stated: dict[str, tuple[Path, str]] = field(default_factory=dict, repr=False, compare=False)
    """Of each task its file, and its keys with those that a group changes."""


class TaskLibrary:
    """The task files of some folders.

    Args:
        folders: further folders, which come first.
    """

    def __init__(self, folders: Sequence[str | os.PathLike[str]] = ()) -> None:
        further = [Path(folder) for folder in folders]
        for folder in further:
            if not folder.is_dir():
                raise UsageError(f"there is no folder {folder} of task files; give one that holds .yaml files")
        self._near = [*further, OWN_TASKS]
        # Kept apart: indexing its thousands of files takes seconds, and most names are found nearer.
        self._far = [folder for folder in (harness_tasks(),) if folder is not None]
        self._indexes: dict[Path, _Index] = {}

    def names(self) -> list[str]:
        """The names of shoal's own tasks and of the further folders, groups and tags among them."""
        return sorted({name for folder in self._near for name in self._index(folder).known()})

    def select(self, names: Sequence[str]) -> TaskSelection:
        """The tasks that names stand for: a task, a group, a tag, or the path of a task file.

        Args:
            names: any of these.

        Raises:
            UnknownNameError: a name is not known.
            UsageError: a task needs Python functions, or has an unknown metric or filter; or two tasks have one name.
            DataError: a task file is broken.
        """
        selection = TaskSelection()
        for name in dict.fromkeys(names):
            if name.endswith((".yaml", ".yml")):
                self._add_file(Path(name), selection)
            else:
                self._add(name, {}, selection, ())
        return selection

    def _add_file(self, path: Path, selection: TaskSelection) -> None:
        keys = read_task_yaml(path)
        if "group" in keys:
            self._add_group(str(keys["group"]), keys, {}, selection, ())
        else:
            self._add_task(path, keys, {}, selection)

    def _add(
        self, name: str, changes: Mapping[str, Any], selection: TaskSelection, above: tuple[str, ...]
    ) -> list[str]:
        """Add what a name stands for; the names of its tasks."""
        if name in above:
            raise DataError(f"the group {name} contains itself, by way of {above[-1]}; take it out of one of them")
        path, keys = self._find(name)
        if path is None:
            return [task for each in keys["task"] for task in self._add(each, changes, selection, (*above, name))]
        if "group" in keys and keys["group"] == name:
            return self._add_group(name, keys, changes, selection, above)
        self._add_task(path, keys, {**changes, "task": name}, selection)
        return [name]

    def _add_task(
        self, path: Path, keys: Mapping[str, Any], changes: Mapping[str, Any], selection: TaskSelection
    ) -> None:
        task = _parsed(keys, path, changes)
        stated = (path.resolve(), repr(sorted({**keys, **changes}.items(), key=lambda pair: str(pair[0]))))
        known = selection.stated.setdefault(task.name, stated)
        if known != stated:
            # One of them would be evaluated under the name of both.
            what = f"by {known[0]} and by {stated[0]}" if known[0] != stated[0] else "with different settings"
            raise UsageError(f"the task {task.name} is selected twice, {what}; evaluate them one after the other")
        selection.tasks[task.name] = task

    def _add_group(
        self,
        name: str,
        keys: Mapping[str, Any],
        changes: Mapping[str, Any],
        selection: TaskSelection,
        above: tuple[str, ...],
    ) -> list[str]:
        members = keys.get("task") or []
        # A group changes the keys of its tasks by those that are none of a group.
        # An outer group's change wins over an inner one's.
        changes = {**{key: value for key, value in keys.items() if key not in _OF_GROUPS}, **changes}
        found: list[str] = []
        for member in members if isinstance(members, list) else [members]:
            found += self._add_member(name, member, changes, selection, above)
        listed = keys.get("aggregate_metric_list") or [{}]
        entries = listed if isinstance(listed, list) else [listed]
        if not all(isinstance(entry, dict) for entry in entries):
            raise DataError(f"aggregate_metric_list of the group {name} must be a list of mappings with metric")
        selection.groups[name] = TaskGroup(
            name=name,
            tasks=tuple(dict.fromkeys(found)),
            weight_by_size=bool(entries[0].get("weight_by_size", True)),
            weights={
                str(entry["metric"]): bool(entry.get("weight_by_size", True)) for entry in entries if "metric" in entry
            },
        )
        return found

    def _add_member(
        self,
        group: str,
        member: Any,
        changes: Mapping[str, Any],
        selection: TaskSelection,
        above: tuple[str, ...],
    ) -> list[str]:
        if isinstance(member, str):
            return self._add(member, changes, selection, (*above, group))
        if isinstance(member, dict) and isinstance(member.get("group"), str):
            inner = {**member, "task": member.get("task")}
            return self._add_group(f"{group}::{member['group']}", inner, changes, selection, (*above, group))
        if isinstance(member, dict) and isinstance(member.get("task"), str):
            own = {**changes, **{key: value for key, value in member.items() if key != "task"}}
            return self._add(member["task"], own, selection, (*above, group))
        raise DataError(
            f"the group {group} has the member {str(member)[:60]!r}; expected a name or a mapping with task"
        )

    def _find(self, name: str) -> tuple[Path | None, dict[str, Any]]:
        for folder in [*self._near, *self._far]:
            found = self._index(folder).find(name)
            if found is not None:
                return found
        known = [each for folder in self._near for each in self._index(folder).known()]
        raise UnknownNameError("task", name, known)

    def _index(self, folder: Path) -> _Index:
        if folder not in self._indexes:
            self._indexes[folder] = _Index(folder)
        return self._indexes[folder]


class _Index:
    """The names in the task files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Path] = {}
        self._tags: dict[str, list[str]] = {}
        for path in task_paths(folder):
            # A file that another one includes may be no task by itself; a broken one is reported when it is chosen.
            try:
                keys = read_task_yaml(path)
            except DataError:
                self._files.setdefault(path.stem, path)
                continue
            name = keys.get("group") if "group" in keys else keys.get("task")
            if not isinstance(name, str):
                continue
            # The first in the order of paths, so that a doubled name means the same on every machine.
            self._files.setdefault(name, path)
            if "group" not in keys:
                tags = keys.get("tag") or []
                for tag in tags if isinstance(tags, list) else [tags]:
                    self._tags.setdefault(str(tag), []).append(name)

    def known(self) -> list[str]:
        """All names."""
        return [*self._files, *self._tags]

    def find(self, name: str) -> tuple[Path | None, dict[str, Any]] | None:
        """The file of a name with its keys; of a tag the names of its tasks; None where it is not known."""
        if name in self._files:
            return self._files[name], read_task_yaml(self._files[name])
        if name in self._tags:
            return None, {"task": sorted(self._tags[name])}
        return None


def _parsed(keys: Mapping[str, Any], path: Path, changes: Mapping[str, Any]) -> TaskFile:
    """A task file; where it needs Python, by lm-evaluation-harness, if that is installed."""
    whole = {**keys, **changes}
    try:
        return parse_task(whole, path)
    except PythonTaskError:
        if not harness_is_installed():
            raise
        return parse_python_task(whole, path, changes)


def task_paths(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """The task files in a folder and those in it, in the order of their names.

    Args:
        folder: where to look.
    """
    yield from (path for path in sorted(Path(folder).rglob("*.yaml")) if not _SKIPPED & set(path.parts))


def harness_tasks() -> Path | None:
    """The folder of the task files of an installed lm-evaluation-harness; it is not imported."""
    # Located and not imported, which would import torch and datasets.
    found = find_spec("lm_eval")
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(next(iter(found.submodule_search_locations))) / "tasks"
    return folder if folder.is_dir() else None
