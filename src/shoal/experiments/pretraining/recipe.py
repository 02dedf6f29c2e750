"""What a recipe holds: the corpora, the tokenizer, the model, the training and what is measured of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from shoal.errors import ExperimentFileError
from shoal.experiments.pretraining.tables import (
    CheckpointsTable,
    CorpusTable,
    EvaluationTable,
    ModelTable,
    StageTable,
    TokenizerTable,
    Tracker,
    TrainingTable,
)
from shoal.experiments.tables import Name, Table, Whole, fault_line

if TYPE_CHECKING:
    from collections.abc import Mapping


class Recipe(Table):
    """From a corpus to a small model."""

    name: Name
    seed: Whole = 0
    corpus: Annotated[tuple[CorpusTable, ...], Field(strict=False, min_length=1)]
    tokenizer: TokenizerTable = TokenizerTable()
    model: ModelTable = ModelTable()
    training: TrainingTable = TrainingTable()
    stages: Annotated[tuple[StageTable, ...], Field(strict=False)] = ()
    evaluation: EvaluationTable = EvaluationTable()
    checkpoints: CheckpointsTable = CheckpointsTable()
    trackers: Annotated[tuple[Tracker, ...], Field(strict=False)] = ()
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _fits(self) -> Recipe:
        names = [corpus.name for corpus in self.corpus]
        if len(set(names)) != len(names):
            raise ValueError("two corpora have the same name; each needs its own")
        told = [("stages", name) for stage in self.stages for name in stage.shares]
        for table, name in [*told, *(("tokenizer.corpora", name) for name in self.tokenizer.corpora)]:
            if name not in names:
                raise ValueError(f"{table}: {name!r} is none of the corpora: {', '.join(names)}")
        if self.training.context is not None and self.training.context > self.model.context:
            raise ValueError(
                f"training.context = {self.training.context} is longer than model.context = {self.model.context}"
            )
        return self

    def with_values(self, values: Mapping[str, Any]) -> Recipe:
        """A copy with some values changed, validated as the file was.

        Args:
            values: by dotted key: ``model.width``, ``training.learning_rate``, ``corpus.NAME.documents``.

        Raises:
            ExperimentFileError: an unknown key, or a value out of range.
        """
        table = self.model_dump(mode="json")
        for key, value in values.items():
            _put(table, key, value)
        return recipe_from(table, "the changed recipe")


def recipe_from(table: Mapping[str, Any], source: str) -> Recipe:
    """A recipe from plain values.

    Args:
        table: what the TOML file holds.
        source: what an error message calls it.

    Raises:
        ExperimentFileError: an unknown key, or a value out of range.
    """
    try:
        return Recipe.model_validate(table)
    except ValidationError as error:
        raise ExperimentFileError(f"{source}: {fault_line(error, Recipe)}") from error


def _put(table: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    place: Any = table
    for depth, step in enumerate(path):
        if isinstance(place, list):
            place = _in_list(place, step, key)
        elif isinstance(place, dict) and isinstance(place.get(step), (dict, list)):
            place = place[step]
        elif isinstance(place, dict) and (step not in place or place[step] is None):
            place[step] = {}  # an unknown table is found by the validation, with the nearest name
            place = place[step]
        else:
            raise ExperimentFileError(f"{'.'.join(path[: depth + 1])} is no table, so {key!r} cannot be set")
    if isinstance(place, list):
        raise ExperimentFileError(f"{key!r} names a whole entry; say which of its keys, as {key}.KEY")
    place[last] = value


def _in_list(entries: list[Any], step: str, key: str) -> Any:
    """An entry by its name or its place."""
    named = [entry for entry in entries if entry.get("name") == step]
    if named:
        return named[0]
    if step.isdecimal() and int(step) < len(entries):
        return entries[int(step)]
    known = ", ".join(str(entry.get("name", place)) for place, entry in enumerate(entries))
    raise ExperimentFileError(f"{key!r}: there is no entry {step!r}; there are {known}")
