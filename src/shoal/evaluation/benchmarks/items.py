"""The items of a task: each document with its prompt, what is asked of the model, and what is right.

An item is known by the hash of its contents, so that a record can be found again wherever the item stands.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import DataError, UsageError
from shoal.evaluation.benchmarks.documents import DataFolders, load_split
from shoal.evaluation.benchmarks.item_scores import check_metrics
from shoal.evaluation.benchmarks.prompts import Prompter, few_shot_pool, few_shot_split
from shoal.evaluation.benchmarks.python_tasks import HarnessTask
from shoal.textfiles import check_characters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.evaluation.benchmarks.documents import Document
    from shoal.evaluation.benchmarks.task_files import TaskFile

BlockKind = Literal["likelihood", "rolling", "generation"]
_KINDS: dict[str, BlockKind] = {
    "multiple_choice": "likelihood",
    "loglikelihood": "likelihood",
    "loglikelihood_rolling": "rolling",
    "generate_until": "generation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkItem:
    """One document of a task as the model meets it."""

    id: str
    index: int
    """The document's place in its split."""

    document: Mapping[str, Any]
    requests: tuple[tuple[str, str], ...]
    """(context, continuation) pairs; of a generation one pair of the prompt and nothing."""

    choices: tuple[str, ...]
    """The answers that a choice item offers, in order."""

    gold: Any
    """The place or places of the right choice, a text, or a list of texts; None where none is needed."""

    cluster: str | None
    """What the item belongs to, where the task names a column for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskItems:
    """The items of a task, in the order of its documents."""

    task: TaskFile
    shots: int
    items: tuple[BenchmarkItem, ...]
    several_targets: bool
    """Whether a document may have several right answers."""

    harness: HarnessTask | None = None
    """The task object that scores the items, where the task needs Python."""

    instances: Mapping[int, Sequence[Any]] = field(default_factory=dict)
    """The requests of that object by document."""

    @property
    def kind(self) -> BlockKind:
        """What is asked of the model."""
        return _KINDS[self.task.output_type]


def build_items(
    task: TaskFile, folders: DataFolders, *, shots: int | None = None, limit: int | None = None
) -> TaskItems:
    """Read the documents of a task and write its prompts.

    Args:
        task: the task file.
        folders: where local data lie.
        shots: examples before each question; None takes what the task says. A task that says 0 keeps to it, as in
            lm-evaluation-harness.
        limit: the first documents alone.

    Raises:
        ShoalError: the data cannot be had, or do not fit the templates.
    """
    for name, value in (("shots", shots), ("limit", limit)):
        # No shots are a choice, no items are none: the bound is 1 for the limit and 0 for the shots.
        if value is not None and value < (name == "limit"):
            raise UsageError(f"--{name} is {value}; give a whole number of {int(name == 'limit')} or more")
    # A file that states 0 means it, as in lm-evaluation-harness: its prompt has no place for examples.
    count = task.num_fewshot if shots is None or task.num_fewshot == 0 else shots
    count = count or 0
    if task.python is not None:
        return _harness_items(task, folders, count, limit)
    check_metrics(task)
    if count and task.contexts is not None:
        raise UsageError(
            f"{count} examples are wanted before each question of {task.name}, whose prompts are columns of the data "
            "(metadata.contexts); take 0 shots"
        )
    documents = load_split(task, task.split, folders)
    splits = {task.split: documents}
    source = few_shot_split(task)
    if count and source is not None and source not in splits:
        splits[source] = load_split(task, source, folders)
    pool, scored = few_shot_pool(task, splits) if count else ((), False)
    prompter = Prompter(task, documents, pool, shots=count, pool_is_scored=scored)
    items = []
    # A rolling text has no question, and some files of such tasks no template for one.
    contexts = [""] * len(documents) if _KINDS[task.output_type] == "rolling" else prompter.contexts(limit)
    for index, (document, context) in enumerate(zip(documents[:limit], contexts, strict=False)):
        try:
            items.append(_make_item(prompter, document, context, index))
        except DataError as error:
            raise DataError(f"{task.name}, document {index}: {error}") from error
    return TaskItems(task=task, shots=count, items=tuple(items), several_targets=prompter.several_targets)


def _harness_items(task: TaskFile, folders: DataFolders, shots: int, limit: int | None) -> TaskItems:
    """The items of a task that needs Python."""
    harness = HarnessTask(task, folders, shots)
    described = harness.described(task)
    instances = dict(harness.instances(limit))
    generated = task.output_type == "generate_until"
    if generated and instances:
        # Python may set them for each instance; they are the same for all of a task.
        settings = next(iter(instances.values()))[0].args[1]
        described = replace(described, generation=settings)
    items = []
    for index, each in instances.items():
        if task.output_type == "loglikelihood_rolling":
            requests = tuple(("", str(instance.args[0])) for instance in each)
        else:
            requests = tuple((instance.args[0], "" if generated else instance.args[1]) for instance in each)
        gold = harness.gold(each[0].doc)
        choices = tuple(text for _, text in requests) if task.output_type == "multiple_choice" else ()
        if any(spec.name == "acc_mutual_info" for spec in described.metrics):
            choices = choices[: len(choices) // 2]  # each is scored without its question, too
        items.append(
            BenchmarkItem(
                id=_content_id(described, requests, gold),
                index=index,
                document=each[0].doc,
                requests=requests,
                choices=choices,
                gold=gold,
                cluster=None,
            )
        )
    return TaskItems(
        task=described,
        shots=shots,
        items=tuple(items),
        several_targets=False,
        harness=harness,
        instances=instances,
    )


def _make_item(prompter: Prompter, document: Document, context: str | list[str], index: int) -> BenchmarkItem:
    task = prompter.task
    choices: tuple[str, ...] = ()
    if task.output_type == "generate_until":
        if not isinstance(context, str) or not context:
            raise DataError("the prompt of a generation must be one text that is not empty")
        requests: tuple[tuple[str, str], ...] = ((context, ""),)
        gold = _gold_text(prompter, document)
    else:
        requests = tuple(prompter.requests(document, context))
        gold = None
        if task.output_type == "multiple_choice":
            choices = tuple(prompter.choices(document))
            gold = _gold_choice(prompter, document, choices)
    column = task.cluster
    # Without this check, documents of no cluster would be taken for those of one, called None.
    if column is not None and document.get(column) is None:
        raise DataError(f"metadata.cluster names the column {column!r}, which the document does not have")
    return BenchmarkItem(
        id=_content_id(task, requests, gold, {name: document.get(name) for name in _scored_columns(task)}),
        index=index,
        document=document,
        requests=requests,
        choices=choices,
        gold=gold,
        cluster=None if column is None else str(document[column]),
    )


def _gold_choice(prompter: Prompter, document: Document, choices: tuple[str, ...]) -> Any:
    """The place of the right choice, or a list of places; -1 where it is none of them."""
    gold = prompter.text(document) if prompter.several_inputs else prompter.target(document)

    def place(value: Any) -> int:
        if isinstance(value, str):
            return choices.index(value) if value in choices else -1
        if not isinstance(value, int):
            raise DataError(f"the right answer {value!r} is neither a choice nor the place of one")
        # A place beyond the choices is no choice, as lm-evaluation-harness counts it: nothing is right then.
        return int(value) if value < len(choices) else -1

    return [place(each) for each in gold] if isinstance(gold, list) else place(gold)


def _gold_text(prompter: Prompter, document: Document) -> Any:
    gold = prompter.target(document)
    if prompter.task.doc_to_choice is not None:
        choices = prompter.choices(document)
        if not isinstance(gold, int) or not -len(choices) <= gold < len(choices):
            raise DataError(f"the right answer {gold!r} is the place of none of the {len(choices)} choices")
        return choices[gold]
    if isinstance(gold, list):
        return [str(each) for each in gold]
    return str(gold)


def _scored_columns(task: TaskFile) -> list[str]:
    """The columns of a document that are read when it is scored, and of which its requests show nothing."""
    read = {task.cluster} if task.cluster is not None else set()
    read |= {column for chain in task.filters for step in chain.filters for column in step.columns}
    read |= {"ratio" for spec in task.metrics if spec.name == "correlation"}
    return sorted(read)


def _content_id(
    task: TaskFile, requests: tuple[tuple[str, str], ...], gold: Any, scored: Mapping[str, Any] | None = None
) -> str:
    # All that a record depends on besides the model, and not the place, so that a longer data set keeps its records.
    known = [task.name, task.version, requests, gold, task.generation, *([scored] if scored else [])]
    contents = json.dumps(known, ensure_ascii=False, default=str)
    check_characters(contents, f"a document of the task {task.name}")
    return hashlib.sha256(contents.encode()).hexdigest()[:32]
