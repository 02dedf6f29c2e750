"""A task file, checked: what is read, how a document becomes a prompt, what is asked of the model, how it is scored.

Keys, defaults and meanings are those of lm-evaluation-harness 0.4.13 (``TaskConfig`` and ``FewshotConfig``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.evaluation.benchmarks.filters import FilterChain, make_chain
from shoal.evaluation.benchmarks.task_metrics import MetricSpec, default_metrics, make_metric
from shoal.evaluation.benchmarks.yaml_files import functions_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OutputType = Literal["multiple_choice", "loglikelihood", "loglikelihood_rolling", "generate_until"]
OUTPUT_TYPES: tuple[OutputType, ...] = ("multiple_choice", "loglikelihood", "loglikelihood_rolling", "generate_until")
SAMPLERS = ("default", "first_n")
# As lm-evaluation-harness generates where a file states no number.
DEFAULT_MAX_TOKENS = 256
_OTHER_MEDIA = ("doc_to_image", "doc_to_audio")
_KNOWN = {
    "class", "custom_dataset", "dataset_kwargs", "dataset_name", "dataset_path", "description",
    "doc_to_choice", "doc_to_decontamination_query", "doc_to_target", "doc_to_text", "fewshot_config",
    "fewshot_delimiter", "fewshot_split", "filter_list", "gen_prefix", "generation_kwargs", "group", "metadata",
    "metric_list", "num_fewshot", "output_type", "process_docs", "process_results", "repeats", "should_decontaminate",
    "tag", "target_delimiter", "task", "task_alias", "task_list", "test_split", "training_split", "unsafe_code",
    "use_prompt", "validation_split", *_OTHER_MEDIA,
}  # fmt: skip

Template = str | int | list[Any] | dict[str, Any] | None


class PythonTaskError(UsageError):
    """A task that needs Python functions of its own, which shoal does not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FewShotSettings:
    """How the examples before a question are chosen and written."""

    sampler: str
    split: str | None
    samples: list[dict[str, Any]] | None
    doc_to_text: Template
    doc_to_target: Template
    doc_to_choice: Template
    gen_prefix: str | None
    delimiter: str
    target_delimiter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonTask:
    """Where a task that needs Python comes from."""

    path: Path
    changes: Mapping[str, Any]
    """What a group changes, and the task's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """What a task file says."""

    name: str
    version: str
    origin: str
    """The file."""

    output_type: OutputType
    dataset_path: str
    dataset_name: str | None
    dataset_kwargs: Mapping[str, Any]
    training_split: str | None
    validation_split: str | None
    test_split: str | None
    doc_to_text: Template
    doc_to_target: Template
    doc_to_choice: Template
    description: str
    target_delimiter: str
    fewshot_delimiter: str
    num_fewshot: int | None
    fewshot: FewShotSettings
    generation: Mapping[str, Any]
    repeats: int
    gen_prefix: str | None
    filters: tuple[FilterChain, ...]
    metrics: tuple[MetricSpec, ...]
    tags: tuple[str, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    python: PythonTask | None = None
    """Set where lm-evaluation-harness's own task object is used."""

    @property
    def split(self) -> str:
        """The split that is scored: the test split where there is one, else the validation split."""
        chosen = self.test_split or self.validation_split
        if chosen is None:
            raise DataError(f"{self.origin}: the task {self.name} has neither test_split nor validation_split")
        return chosen

    @property
    def scoring_digest(self) -> str:
        """A digest of how an answer becomes a record, 16 hexadecimal digits: what requests do not show."""
        metrics = [[spec.name, dict(spec.options)] for spec in self.metrics]
        chains = [[chain.name, chain.stated] for chain in self.filters]
        known = [metrics, chains, self.repeats, self.cluster, self.encodes_by_character]
        return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()[:16]

    @property
    def contexts(self) -> str | None:
        """The column with a text before each choice (``metadata: {contexts: COLUMN}``), if the file names one."""
        column = self.metadata.get("contexts")
        return str(column) if column is not None else None

    @property
    def encodes_by_character(self) -> bool:
        """Whether what is scored is the tokens that reach into the choice (``metadata: {encoding: characters}``)."""
        return self.metadata.get("encoding") == "characters"

    @property
    def cluster(self) -> str | None:
        """The column whose documents belong together (``metadata: {cluster: UID}``), if the file names one."""
        column = self.metadata.get("cluster")
        return str(column) if column is not None else None


def parse_task(keys: Mapping[str, Any], origin: str | Path) -> TaskFile:
    """Check the keys of a task file.

    Args:
        keys: as `read_task_yaml` gives them, those that a group overrides among them.
        origin: the file, for messages.

    Raises:
        PythonTaskError: the task needs Python functions.
        UsageError: an output type, metric, filter or sampler is unknown, or the task needs images or sound.
        DataError: a key has a value of the wrong kind.
    """
    name = keys.get("task")
    if not isinstance(name, str):
        raise DataError(f"{origin} names no task; expected task: NAME")
    where = f"the task {name} ({origin})"
    _refuse(keys, where)
    output_type = keys.get("output_type", "generate_until")
    if output_type not in OUTPUT_TYPES:
        raise UnknownNameError(f"output_type of {where}", str(output_type), OUTPUT_TYPES)
    text = _texts(keys, where)
    delimiter = text["fewshot_delimiter"] if text["fewshot_delimiter"] is not None else "\n\n"
    metadata = keys.get("metadata")
    version = metadata.get("version", "") if isinstance(metadata, dict) else ""
    return TaskFile(
        name=name,
        version=str(version),
        origin=str(origin),
        output_type=output_type,
        dataset_path=str(_required(keys, "dataset_path", where)),
        dataset_name=text["dataset_name"],
        dataset_kwargs=_mapping(keys, "dataset_kwargs", where),
        training_split=text["training_split"],
        validation_split=text["validation_split"],
        test_split=text["test_split"],
        doc_to_text=keys.get("doc_to_text"),
        doc_to_target=keys.get("doc_to_target"),
        doc_to_choice=keys.get("doc_to_choice"),
        description=text["description"] or "",
        target_delimiter=" " if text["target_delimiter"] is None else text["target_delimiter"],
        fewshot_delimiter=delimiter,
        num_fewshot=_count(keys, "num_fewshot", where),
        fewshot=_few_shot(keys, text, where),
        generation=_generation(keys, output_type, delimiter, where),
        repeats=_count(keys, "repeats", where) or 1,
        gen_prefix=text["gen_prefix"],
        filters=_filters(keys, where),
        metrics=_metrics(keys, output_type, where),
        tags=_names(keys.get("tag")),
        metadata=metadata if isinstance(metadata, dict) else {},
    )


def _refuse(keys: Mapping[str, Any], where: str) -> None:
    """Refuse what cannot be scored as the file means it."""
    functions = sorted({function.name for function in functions_in(dict(keys))})
    if "class" in keys or functions:
        needed = ", ".join(functions[:3]) or "its class"
        raise PythonTaskError(
            f"{where} needs Python ({needed}), which shoal does not run by itself; install lm-evaluation-harness (pip "
            "install lm-eval==0.4.13) and its own task objects are used"
        )
    for key in _OTHER_MEDIA:
        if keys.get(key) is not None:
            raise UsageError(f"{where} has {key}, and shoal scores text alone; choose a task of text")
    # A key that is misspelt would otherwise silently leave its default in force.
    unknown = sorted(set(keys) - _KNOWN)
    if unknown:
        raise UnknownNameError(f"key of {where}", unknown[0], _KNOWN)
    if keys.get("use_prompt") is not None:
        raise UsageError(f"{where} takes its prompt from promptsource (use_prompt); write doc_to_text in its place")


_TEXTS = (
    "dataset_name", "training_split", "validation_split", "test_split", "fewshot_split", "description",
    "target_delimiter", "fewshot_delimiter", "gen_prefix",
)  # fmt: skip


def _texts(keys: Mapping[str, Any], where: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for key in _TEXTS:
        value = keys.get(key)
        # Names of data sets and splits may look like numbers in YAML (a year).
        if value is not None and not isinstance(value, (str, int)):
            raise DataError(f"{key} of {where} must be text, not {value!r}")
        found[key] = None if value is None else str(value)
    return found


def _required(keys: Mapping[str, Any], key: str, where: str) -> Any:
    if keys.get(key) is None:
        raise DataError(f"{where} has no {key}")
    return keys[key]


def _mapping(keys: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = keys.get(key) or {}
    if not isinstance(value, dict):
        raise DataError(f"{key} of {where} must be a mapping, not {value!r}")
    return value


def _count(keys: Mapping[str, Any], key: str, where: str) -> int | None:
    value = keys.get(key)
    # The type itself: True is an int in Python, and YAML has several words for it.
    if value is not None and (type(value) is not int or value < 0):
        raise DataError(f"{key} of {where} must be a whole number of 0 or more, not {value!r}")
    return value


def _names(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else () if value is None else (str(value),)


def _few_shot(keys: Mapping[str, Any], text: Mapping[str, str | None], where: str) -> FewShotSettings:
    """What ``fewshot_config`` leaves out is that of the task itself."""
    given = _mapping(keys, "fewshot_config", where)
    sampler = given.get("sampler", "default")
    if sampler not in SAMPLERS:
        raise UnknownNameError(f"sampler of {where}", str(sampler), SAMPLERS)
    samples = given.get("samples")
    if samples is not None and not (isinstance(samples, list) and all(isinstance(each, dict) for each in samples)):
        raise DataError(f"fewshot_config.samples of {where} must be a list of mappings")

    def taken(key: str, default: Any) -> Any:
        return given[key] if key in given else keys.get(key, default)

    return FewShotSettings(
        sampler=sampler,
        split=given.get("split", text["fewshot_split"]),
        samples=samples,
        doc_to_text=taken("doc_to_text", None),
        doc_to_target=taken("doc_to_target", None),
        doc_to_choice=taken("doc_to_choice", None),
        gen_prefix=taken("gen_prefix", None),
        delimiter=str(taken("fewshot_delimiter", "\n\n")),
        target_delimiter=str(taken("target_delimiter", " ")),
    )


def _generation(keys: Mapping[str, Any], output_type: str, delimiter: str, where: str) -> dict[str, Any]:
    """The settings of generation; without any, greedy text up to the delimiter of few-shot examples."""
    if output_type != "generate_until":
        return {}
    given = keys.get("generation_kwargs")
    if given is None:
        return {"temperature": 0.0, "do_sample": False, "max_gen_toks": DEFAULT_MAX_TOKENS, "until": [delimiter]}
    settings = _mapping(keys, "generation_kwargs", where)
    # Without a stop string a model writes the next question itself, and filters would find an answer in that.
    return settings if "until" in settings else settings | {"until": [delimiter]}


def _filters(keys: Mapping[str, Any], where: str) -> tuple[FilterChain, ...]:
    given = keys.get("filter_list")
    if given is None:
        return (make_chain("none", [{"function": "take_first"}], where),)
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        raise DataError(f"filter_list of {where} must be a list of mappings with name and filter, at least one")
    chains = [make_chain(str(each.get("name")), each.get("filter"), where) for each in given]
    # Values are known by this name: of two chains that have it, lm-evaluation-harness keeps the later one.
    return tuple({chain.name: chain for chain in chains}.values())


def _metrics(keys: Mapping[str, Any], output_type: str, where: str) -> tuple[MetricSpec, ...]:
    given = keys.get("metric_list")
    if given is None:
        return default_metrics(output_type)
    if (
        not isinstance(given, list)
        or not given
        or not all(isinstance(each, dict) and "metric" in each for each in given)
    ):
        raise DataError(f"metric_list of {where} must be a list of mappings with metric, at least one")
    # As of filters: of two entries of one metric the later one.
    return tuple({spec.name: spec for spec in (make_metric(each, where) for each in given)}.values())
