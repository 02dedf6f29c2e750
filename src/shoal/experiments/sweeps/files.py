"""Sweep files: TOML to a `SweepPlan`, with the recipe found from where the file lies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ExperimentFileError, UnknownNameError
from shoal.experiments.loading import read_named_table, validated
from shoal.experiments.pretraining import load_recipe
from shoal.experiments.settings_file import flatten
from shoal.experiments.sweeps.objective import locate_objective
from shoal.experiments.sweeps.space import check_comparable, check_keys
from shoal.experiments.sweeps.sweep import Sweep, SweepPlan

if TYPE_CHECKING:
    import os

    from shoal.experiments.pretraining import Recipe


def load_sweep(path: str | os.PathLike[str], *, data: str | os.PathLike[str] | None = None) -> SweepPlan:
    """Read a sweep and its recipe.

    Args:
        path: a TOML file, with the keys of `Sweep`, ``recipe`` (a file, from where this one lies) and ``[values]``
            (changes to the recipe that all trials share).
        data: the folder from which the recipe's sources are found; by default the one that the recipe lies in.

    Raises:
        ExperimentFileError: a file cannot be read, is broken, or has an unknown key or a value out of range.
        UsageError: a grid that is too large.
    """
    file = Path(path)
    table = read_named_table(file, kind="a sweep", default_name="sweep")
    recipe_file = table.pop("recipe", None)
    if not isinstance(recipe_file, str):
        raise ExperimentFileError(
            f"{file}: the key 'recipe' is missing; name the recipe's file, as in recipe = 'r.toml'"
        )
    values = table.pop("values", {})
    if not isinstance(values, dict):
        raise ExperimentFileError(f"{file}: values = {values!r}: give a table, as in [values]")
    if isinstance(objective := table.get("objective"), str):
        table["objective"] = locate_objective(objective, file.parent)
    sweep = sweep_from(table, str(file))
    recipe = load_recipe(file.parent / recipe_file, data=data, values=flatten(values))
    return plan_sweep(sweep, recipe, str(file))


def plan_sweep(sweep: Sweep, recipe: Recipe, source: str = "the sweep") -> SweepPlan:
    """A sweep with its recipe, checked against each other.

    Numbers that are to be compared are made alike: a precision that would be measured again for each trial is float32.

    Args:
        sweep: what is swept.
        recipe: from what.
        source: what an error message calls the sweep.

    Raises:
        ExperimentFileError: a key or value that the recipe does not take, or an objective that it cannot give.
        UsageError: a grid that is too large.
    """
    # Measured for each training, it could be another one in trials that are compared.
    if recipe.training.precision == "auto":
        recipe = recipe.with_values({"training.precision": "float32"})
    check_keys(sweep, recipe, source)
    check_comparable(sweep, source)
    _check_objective(sweep, recipe, source)
    return SweepPlan(sweep=sweep, recipe=recipe)


def sweep_from(table: dict[str, Any], source: str) -> Sweep:
    """A sweep from plain values.

    Args:
        table: what the TOML file holds.
        source: what an error message calls it.

    Raises:
        ExperimentFileError: an unknown key, or a value out of range.
    """
    return validated(Sweep, table, source)


def _check_objective(sweep: Sweep, recipe: Recipe, source: str) -> None:
    objective = sweep.objective
    if ":" in objective:
        if sweep.pruning is not None:
            raise ExperimentFileError(f"{source}: pruning needs scores on the way, which {objective} does not give")
        return
    if sweep.direction == "maximize":
        raise ExperimentFileError(
            f"{source}: of {objective} less is better; leave direction out, or name another score"
        )
    known = ["bits_per_byte", *(f"bits_per_byte.{corpus.name}" for corpus in recipe.corpus)]
    if objective not in known:
        raise UnknownNameError(f"objective of {source}", objective, [*known, "FILE.py:FUNCTION"])
    judged = [corpus for corpus in recipe.corpus if objective in ("bits_per_byte", f"bits_per_byte.{corpus.name}")]
    if recipe.evaluation.held_out_ids is None and not any(corpus.held_out for corpus in judged):
        raise ExperimentFileError(f"{source}: no document is held out for {objective}; set held_out of a corpus")
