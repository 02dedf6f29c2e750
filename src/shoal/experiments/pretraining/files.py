"""Recipe files: TOML to `Recipe`, with paths found from where the file lies."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ExperimentFileError, UsageError
from shoal.experiments.loading import parse_toml
from shoal.experiments.pretraining.recipe import Recipe, recipe_from

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping


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
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ExperimentFileError(f"{file}: {error.strerror or error}; give a TOML file with a recipe") from error
    table = {"name": _name_of(file)} | parse_toml(str(file), text)
    recipe = recipe_from(table, str(file))
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


def _name_of(file: Path) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in file.stem).strip("-") or "run"


def _located(recipe: Recipe, data: Path, beside: Path) -> Recipe:
    """The recipe with absolute paths."""
    from shoal.corpora import HUB

    values: dict[str, Any] = {}
    for place, corpus in enumerate(recipe.corpus):
        if corpus.source is not None and not corpus.source.startswith(HUB):
            values[f"corpus.{place}.source"] = str(data.resolve() / Path(corpus.source).expanduser())
    if recipe.evaluation.held_out_ids is not None:
        values["evaluation.held_out_ids"] = str(beside.resolve() / recipe.evaluation.held_out_ids)
    spec = recipe.tokenizer.source
    if spec is not None and (beside / spec).is_dir():
        values["tokenizer.source"] = str((beside / spec).resolve())
    return recipe.with_values(values) if values else recipe
