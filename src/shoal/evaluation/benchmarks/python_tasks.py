"""Tasks that need Python of their own, by the task objects of an installed lm-evaluation-harness.

Its ``ConfigurableTask`` (or the class that a file names) makes the documents, the requests, the filters and the values;
shoal plans, computes and records them as those of any other task. The functions of a task file are code: they run only
where somebody chose the task by name and installed lm-evaluation-harness.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, ShoalError, UnavailableError
from shoal.evaluation.benchmarks.documents import load_split
from shoal.evaluation.benchmarks.filters import FilterChain
from shoal.evaluation.benchmarks.task_files import PythonTask, TaskFile, parse_task
from shoal.evaluation.benchmarks.task_metrics import MetricSpec
from shoal.evaluation.benchmarks.yaml_files import functions_in
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shoal.evaluation.benchmarks.documents import DataFolders

FEWSHOT_SEED = 1234
_STRUCTURE = ("tag", "group", "task_list", "class")


def harness_is_installed() -> bool:
    """Whether lm-evaluation-harness can be imported; it is not."""
    return find_spec("lm_eval") is not None


def parse_python_task(keys: Mapping[str, Any], path: Path, changes: Mapping[str, Any]) -> TaskFile:
    """The task file of a task that needs Python; its functions are looked up when its items are built.

    Args:
        keys: of the file, with what a group changes.
        path: the file.
        changes: what a group changes, and the task's name.
    """
    plain = {
        key: value for key, value in keys.items() if key not in _STRUCTURE and not list(functions_in({key: value}))
    }
    # What is absent here is made by the task object; the data set stands for one that a function may bring.
    filled = {"dataset_path": "python", "test_split": "test", "doc_to_text": "", "doc_to_target": ""} | plain
    for key in ("metric_list", "filter_list", "fewshot_config"):
        filled.pop(key, None)
    task = parse_task(filled, path)
    return replace(task, python=PythonTask(path=path, changes=dict(changes)))


class HarnessTask:
    """A task object of lm-evaluation-harness.

    Args:
        task: as `parse_python_task` gives it.
        folders: where local data lie.
        shots: examples before each question.

    Raises:
        UnavailableError: the task object cannot be made, mostly since its data set is out of reach.
    """

    def __init__(self, task: TaskFile, folders: DataFolders, shots: int) -> None:
        assert task.python is not None
        from lm_eval.api.task import ConfigurableTask
        from lm_eval.tasks._yaml_loader import load_yaml

        keys = load_yaml(task.python.path) | task.python.changes
        kind = keys.pop("class", None)
        keys = {key: value for key, value in keys.items() if key not in _STRUCTURE} | {"num_fewshot": shots}
        local = self._local_data(task, folders)
        if local is not None:
            keys["custom_dataset"] = lambda **_: local
        try:
            if kind is None:
                self._task: Any = ConfigurableTask(config=keys)
            else:
                self._task = kind(config=keys) if "config" in inspect.signature(kind).parameters else kind()
            self._task.set_fewshot_seed(FEWSHOT_SEED)
        except ShoalError:
            raise
        except Exception as error:  # whatever the task's own code, the hub or the network raises
            raise UnavailableError(
                f"lm-evaluation-harness cannot make the task {task.name} ({type(error).__name__}: "
                f"{in_one_line(error, limit=160)}); give a local copy of its data, "
                f"FOLDER/{task.dataset_path}/SPLIT.jsonl, with --data"
            ) from error

    @staticmethod
    def _local_data(task: TaskFile, folders: DataFolders) -> Any:
        """The splits that local copies hold, as the data set that lm-evaluation-harness expects; None without any."""
        splits = {task.training_split, task.validation_split, task.test_split, task.fewshot.split} - {None}
        try:
            rows = {split: load_split(task, str(split), folders, local_only=True) for split in sorted(map(str, splits))}
        except DataError:
            return None
        import datasets

        return datasets.DatasetDict({split: datasets.Dataset.from_list(each) for split, each in rows.items()})

    def described(self, task: TaskFile) -> TaskFile:
        """The task file with the metrics and filters that the object has."""
        better = self._task.higher_is_better()
        metrics = tuple(
            MetricSpec(name=name, aggregation="mean", higher_is_better=bool(better.get(name, True)), function=function)
            for name, function in self._task.aggregation().items()
        )
        chains = tuple(FilterChain(each.name, ()) for each in self._task._filters)
        return replace(task, metrics=metrics, filters=chains)

    def instances(self, limit: int | None) -> list[tuple[int, list[Any]]]:
        """The requests of each document: its place, and lm-evaluation-harness's ``Instance`` objects in order.

        Args:
            limit: the first documents alone.
        """
        self._task.build_all_requests(limit=limit, rank=0, world_size=1)
        found: dict[int, list[Any]] = {}
        for instance in self._task.instances:
            found.setdefault(instance.doc_id, []).append(instance)
        return [(place, sorted(found[place], key=lambda each: each.idx)) for place in sorted(found)]

    def gold(self, document: Any) -> Any:
        """What the object calls the right answer, where it has a plain one."""
        try:
            target = self._task.doc_to_target(document)
        except Exception:  # noqa: BLE001 (a task whose values are computed otherwise may have none)
            return None
        return target if isinstance(target, (int, str, list)) else None

    def values(self, instances: Sequence[Any], answers: Sequence[Any]) -> dict[str, Any]:
        """The values of one document, by ``metric,filter``.

        Args:
            instances: of the document.
            answers: to each: (log-likelihood, greedy), a log-likelihood, or texts.
        """
        for instance, answer in zip(instances, answers, strict=True):
            instance.resps = list(answer) if isinstance(answer, list) else [answer]
        found: dict[str, Any] = {}
        for chain in self._task._filters:
            chain.apply(list(instances))
            results = [instance.filtered_resps[chain.name] for instance in instances]
            for name, value in self._task.process_results(instances[0].doc, results).items():
                found[f"{name},{chain.name}"] = _plain(value)
        return found


def _plain(value: Any) -> Any:
    """A value that JSON can hold: numbers of NumPy become Python's, tuples lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
