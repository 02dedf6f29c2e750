"""What a recipe holds (the corpora, the tokenizer, the model, the training, what is measured), read from TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from shoal.errors import UsageError
from shoal.experiments.loading import read_named_table, validated, with_changes
from shoal.experiments.pretraining.tables import (
    CheckpointsTable,
    CorpusTable,
    ModelTable,
    PretrainEvaluationTable,
    PretrainTable,
    StageTable,
    TokenizerTable,
    TrackerName,
)
from shoal.experiments.tables import Name, Seed, SettingsTable

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping


class Recipe(SettingsTable):
    """From a corpus to a small model."""

    name: Name
    seed: Seed = 0
    corpus: Annotated[tuple[CorpusTable, ...], Field(strict=False, min_length=1)]
    tokenizer: TokenizerTable = TokenizerTable()
    model: ModelTable = ModelTable()
    training: PretrainTable = PretrainTable()
    stages: Annotated[tuple[StageTable, ...], Field(strict=False)] = ()
    evaluation: PretrainEvaluationTable = PretrainEvaluationTable()
    checkpoints: CheckpointsTable = CheckpointsTable()
    trackers: Annotated[tuple[TrackerName, ...], Field(strict=False)] = ()
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _fits(self) -> Recipe:
        names = [corpus.name for corpus in self.corpus]
        if len(set(names)) != len(names):
            raise ValueError("two corpora have the same name; each needs its own")
        named = [("stages", name) for stage in self.stages for name in stage.shares]
        for table, name in [*named, *(("tokenizer.corpora", name) for name in self.tokenizer.corpora)]:
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
        return recipe_from(with_changes(self.model_dump(mode="json"), values), "the changed recipe")


def recipe_from(table: Mapping[str, Any], source: str) -> Recipe:
    """A recipe from plain values.

    Args:
        table: what the TOML file holds.
        source: what an error message calls it.

    Raises:
        ExperimentFileError: an unknown key, or a value out of range.
    """
    return validated(Recipe, table, source)


def load_recipe(
    path: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Recipe:
    """Read a recipe.

    Args:
        path: a TOML file.
        data: the folder from which the recipe's sources are found; by default the one that the file lies in.
        values: changes by dotted key, as in ``{"model.width": 96}``.

    Raises:
        ExperimentFileError: the file cannot be read, is broken, or has an unknown key or a value out of range.
    """
    file = Path(path)
    recipe = recipe_from(read_named_table(file, kind="a recipe", default_name="run"), str(file))
    if values:
        recipe = recipe.with_values(values)
    return _located(recipe, Path(data) if data is not None else file.parent, file.parent)


def parse_setting(text: str) -> tuple[str, Any]:
    """``KEY=VALUE`` of the command line; the value as TOML has it, or else a string.

    Raises:
        UsageError: there is no ``=``.
    """
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise UsageError(f"--set {text!r} sets nothing; give KEY=VALUE, as in --set model.width=96")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _located(recipe: Recipe, data: Path, home: Path) -> Recipe:
    """The recipe with absolute paths."""
    from shoal.corpora import HUB

    values: dict[str, Any] = {}
    for place, corpus in enumerate(recipe.corpus):
        if corpus.source is not None and not corpus.source.startswith(HUB):
            values[f"corpus.{place}.source"] = str(data.resolve() / Path(corpus.source).expanduser())
    if recipe.evaluation.held_out_ids is not None:
        values["evaluation.held_out_ids"] = str(home.resolve() / recipe.evaluation.held_out_ids)
    # A spec may also name a bundled model or one of the hub; only a folder next to the recipe is a path.
    spec = recipe.tokenizer.source
    if spec is not None and (home / spec).is_dir():
        values["tokenizer.source"] = str((home / spec).resolve())
    return recipe.with_values(values) if values else recipe
