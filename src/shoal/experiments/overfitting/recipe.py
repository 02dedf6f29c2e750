"""What a file for `shoal overfit` holds: a pretraining recipe, the methods that are compared, and what is claimed."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from shoal.errors import ExperimentFileError
from shoal.experiments.loading import read_named_table, validated, with_changes
from shoal.experiments.overfitting.ensembles import Ensembling, ensemble_folder
from shoal.experiments.pretraining import Recipe, load_recipe
from shoal.experiments.settings_file import flatten
from shoal.experiments.tables import Name, Positive, RunPlan, SettingsTable, registered_name
from shoal.wording import short_number

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

BASELINE = "baseline"
"""The row that all others are compared with: the recipe as it is."""

CHOSEN = "chosen"
"""Behind the name of an axis: the value of it with the best validation text."""

Values = Annotated[dict[str, Any], BeforeValidator(lambda given: flatten(given) if isinstance(given, dict) else given)]
"""Changes to the recipe by dotted key; ``training = { dropout = 0.1 }`` is ``training.dropout = 0.1``."""

_CHANGED_KEYS = re.compile(r"(?:training|model)\..+|corpus\..+\.passes")
"""What a row may change: other documents, tokens or held-out texts would make the losses of two rows those of two
texts."""

Members = Annotated[int, Field(ge=2, le=12)]


class AxisTable(SettingsTable):
    """One key of the recipe over several values; each is a row, and the best on validation text is one more."""

    key: str
    values: Annotated[tuple[float | int | str, ...], Field(strict=False, min_length=2)]


class EnsembleTable(SettingsTable):
    """Several models as one mixture of probabilities."""

    kind: Annotated[str, registered_name(lambda: Ensembling.registry)]
    rows: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] = (BASELINE,)
    """The rows whose settings the members have; several are taken in turn."""

    compute: Literal["equal", "members"] = "equal"
    """``equal``: the members share the tokens of one training; ``members``: each has all of them."""


class DistilledTable(SettingsTable):
    """One model that learns from an ensemble of this file."""

    teacher: str
    temperature: Positive = 1.0
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """How much of the loss is the teacher's."""

    sampled: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the student's tokens that the teacher has written."""


class GrowthTable(SettingsTable):
    """What the asymptotes are fitted to."""

    # A mixture for every choice of members is scored, and of twelve there are 4,095.
    members: Annotated[int, Field(ge=3, le=12)] | None = None
    """Losses of mixtures of 1 to so many models, each trained on all tokens."""

    rows: Annotated[tuple[str, ...], Field(strict=False)] = (BASELINE,)
    """The rows whose settings those models have."""

    sizes: Annotated[tuple[Values, ...], Field(strict=False)] = ()
    """Models of other sizes: changes such as ``{ "model.width" = 96 }``; at least three, or none."""


class ClaimTable(SettingsTable):
    """A claim that the run supports or refutes: the loss of one row, or of one asymptote, is below another."""

    claim: str
    better: str
    """A row; or ``members of ROW`` and ``sizes of ROW`` for an asymptote."""

    than: str
    smallest_effect: Positive
    """Bits per byte that would matter."""


class OverfitTable(SettingsTable):
    """One comparison, but for its recipe."""

    name: Name
    seeds: Annotated[int, Field(ge=2, le=20)] = 3
    """Trainings of each row; the interval is over them."""

    members: Members = 4
    """Models of each ensemble."""

    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    documents: Annotated[int, Field(ge=2)] = 200
    """The most documents that are scored of each corpus and part."""

    threads: Annotated[int, Field(ge=1)] = 1
    methods: dict[str, Values] = Field(default_factory=dict)
    """From the name of a row to changes of the recipe."""

    axes: dict[str, AxisTable] = Field(default_factory=dict)
    ensembles: dict[str, EnsembleTable] = Field(default_factory=dict)
    distilled: dict[str, DistilledTable] = Field(default_factory=dict)
    growth: GrowthTable = GrowthTable()
    claims: Annotated[tuple[ClaimTable, ...], Field(strict=False)] = ()
    max_weight: Annotated[float, Field(gt=1, lt=math.inf)] = 8.0
    """How many times the mean a token may count in boosting."""

    @model_validator(mode="after")
    def _fits(self) -> OverfitTable:
        singles = self.single_names
        names = [*singles, *self.ensembles, *self.distilled]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            raise ValueError(f"two rows are called {repeated!r}; each needs its own name")
        if curve := next((name for name in self.curve_names if name in names), None):
            raise ValueError(f"a row and an asymptote of growth are called {curve!r}; give the row another name")
        known = [*names, *self.curve_names]
        folders: dict[str, str] = {}
        for ensemble, table in self.ensembles.items():
            _check_known(f"ensembles.{ensemble}.rows", table.rows, singles)
            if len(table.rows) > self.members:
                raise ValueError(
                    f"ensembles.{ensemble}.rows: of {len(table.rows)} rows {self.members} members take "
                    f"{self.members} alone; raise members, or name fewer"
                )
            if (other := folders.setdefault(ensemble_folder(ensemble), ensemble)) != ensemble:
                raise ValueError(
                    f"the ensembles {other!r} and {ensemble!r} would have one folder; give names that differ in "
                    "letters or digits"
                )
        for student, taught in self.distilled.items():
            _check_known(f"distilled.{student}.teacher", (taught.teacher,), self.ensembles)
        _check_known("growth.rows", self.growth.rows, singles)
        if 0 < len(self.growth.sizes) < 3:
            raise ValueError(
                f"growth.sizes: {len(self.growth.sizes)} sizes cannot show an asymptote; give three or more, or none"
            )
        for place, size in enumerate(self.growth.sizes):
            if size in self.growth.sizes[:place]:
                raise ValueError(f"growth.sizes: {size} stands there twice; models of equal sizes show no asymptote")
        for claim in self.claims:
            _check_known("claims.better", (claim.better,), known)
            _check_known("claims.than", (claim.than,), known)
        return self

    @property
    def single_names(self) -> list[str]:
        """The rows of one model trained in the usual way."""
        return [
            BASELINE,
            *self.methods,
            *(name for axis, table in self.axes.items() for name in axis_names(axis, table)),
            *(f"{axis}, {CHOSEN}" for axis in self.axes),
        ]

    def chosen_axis(self, row: str) -> str | None:
        """The axis whose best value is the row; None for any other row.

        Args:
            row: its name; a method may be called so too.
        """
        return next((axis for axis in self.axes if row == f"{axis}, {CHOSEN}"), None)

    @property
    def curve_names(self) -> list[str]:
        """The asymptotes."""
        return [
            *(f"members of {row}" for row in dict.fromkeys(self.growth.rows) if self.growth.members),
            *(f"sizes of {row}" for row in dict.fromkeys(self.growth.rows) if self.growth.sizes),
        ]


def axis_names(axis: str, table: AxisTable) -> list[str]:
    """The rows of an axis.

    Args:
        axis: its name.
        table: its values.
    """
    return [f"{axis} {value if isinstance(value, str) else short_number(value)}" for value in table.values]


class OverfitPlan(RunPlan):
    """A comparison with its recipe, as its folder keeps both."""

    plan_file = "overfit.toml"
    holds = "comparison"
    written_by = "shoal overfit"

    overfit: OverfitTable
    recipe: Recipe

    def values_of(self, row: str) -> Values:
        """The changes of the recipe that a row of one model has.

        Args:
            row: a method, or a value of an axis.
        """
        if row in self.overfit.methods:
            return dict(self.overfit.methods[row])
        for axis, table in self.overfit.axes.items():
            for name, value in zip(axis_names(axis, table), table.values, strict=True):
                if name == row:
                    return {table.key: value}
        return {}


def load_overfit(
    path: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    values: Mapping[str, Any] | None = None,
) -> OverfitPlan:
    """Read a comparison and its recipe.

    Args:
        path: a TOML file with the keys of `OverfitTable`, ``recipe`` (a file, from where this one lies) and
        ``[values]``
            (changes to the recipe that all rows share).
        data: the folder from which the recipe's sources are found; by default the one that the recipe lies in.
        values: changes by dotted key: of the recipe (``training.tokens``), or of the comparison (``overfit.seeds``,
            ``overfit.growth.members``).

    Raises:
        ExperimentFileError: a file cannot be read, is broken, or has an unknown key or a value out of range.
    """
    file = Path(path)
    table = read_named_table(file, kind="a comparison, such as examples/overfit_tiny.toml", default_name="overfit")
    recipe_file = table.pop("recipe", None)
    if not isinstance(recipe_file, str):
        raise ExperimentFileError(f"{file}: the key 'recipe' is missing; name the recipe's file: recipe = 'r.toml'")
    shared = table.pop("values", {})
    if not isinstance(shared, dict):
        raise ExperimentFileError(f"{file}: values = {shared!r}: give a table, as in [values]")
    changes = flatten(shared)
    own = {key: value for key, value in (values or {}).items() if key.startswith("overfit.")}
    changes |= {key: value for key, value in (values or {}).items() if key not in own}
    if "seed" in changes:
        raise ExperimentFileError(
            f"{file}: the seed of the recipe is that of each training, from 0 on; set how many there are "
            "(overfit.seeds), and leave it out"
        )
    table = with_changes(table, {key.removeprefix("overfit."): value for key, value in own.items()})
    overfit = validated(OverfitTable, table, str(file))
    return plan_overfit(overfit, load_recipe(file.parent / recipe_file, data=data, values=changes), str(file))


def plan_overfit(overfit: OverfitTable, recipe: Recipe, source: str = "the comparison") -> OverfitPlan:
    """A comparison with its recipe, checked against each other before anything is trained.

    Args:
        overfit: what is compared.
        recipe: what all rows begin from; a precision that would be measured for each training becomes float32.
        source: what an error message calls the comparison.

    Raises:
        ExperimentFileError: a row that the recipe cannot have, tokens that are not stated, stages, or nothing held out.
    """
    # Measured for each training, it could be another one in each of the rows that are compared.
    if recipe.training.precision == "auto":
        recipe = recipe.with_values({"training.precision": "float32"})
    if recipe.training.tokens is None:
        raise ExperimentFileError(
            f"{source}: the recipe does not state training.tokens, which all rows have alike; add it under [values]"
        )
    if recipe.stages:
        raise ExperimentFileError(
            f"{source}: the recipe has stages, and the rows read their corpora in passes; leave them out"
        )
    if recipe.evaluation.held_out_ids is None and not all(corpus.held_out for corpus in recipe.corpus):
        raise ExperimentFileError(f"{source}: a corpus of the recipe holds nothing out; set its held_out")
    plan = OverfitPlan(overfit=overfit, recipe=recipe)
    for row in overfit.single_names:
        _check_row(plan, row, plan.values_of(row), source)
    for size in overfit.growth.sizes:
        _check_row(plan, "growth.sizes", size, source)
    return plan


def _check_row(plan: OverfitPlan, row: str, values: Values, source: str) -> None:
    forbidden = next((key for key in values if not _CHANGED_KEYS.fullmatch(key)), None)
    if forbidden is not None:
        raise ExperimentFileError(
            f"{source}: {row} changes {forbidden}, so that its loss could not be compared with the others'; change "
            "keys of [training] and [model] alone"
        )
    if "training.tokens" in values:
        raise ExperimentFileError(
            f"{source}: {row} changes training.tokens, which all rows have alike; change it under [values] for all"
        )
    if values.get("training.precision") == "auto":
        raise ExperimentFileError(
            f"{source}: {row} has training.precision = 'auto', which could be another in each training; state one"
        )
    try:
        plan.recipe.with_values(values)
    except ExperimentFileError as error:
        raise ExperimentFileError(f"{source}: {row}: {error}") from error


def _check_known(key: str, given: tuple[str, ...], known: Any) -> None:
    for name in given:
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"
            raise ValueError(f"{key}: there is no {name!r}; {hint}")
