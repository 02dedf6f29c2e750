"""What the file of a crossed experiment holds, and its cells: one combination of levels each."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from shoal.experiments.controls import CeilingTable  # noqa: TC001 - pydantic reads the annotation
from shoal.experiments.crossed.factors import FACTORS, changes_of
from shoal.experiments.crossed.hypotheses import Hypotheses, Hypothesis, LevelName, level_name
from shoal.experiments.experiment import EvaluationTable, SplitTable, TaskTable, TrainingTable
from shoal.experiments.measures import MEASURES, MeasureName
from shoal.experiments.tables import Confidence, Count, Name, Positive, SettingsTable, ShareOrZero, fault_line

PLAN = "crossed.toml"
"""The file of settings in the run folder of a crossed experiment."""

MAX_CELLS = 1000
"""More combinations than this are a mistake: each is trained for several seeds."""


class BalanceTable(SettingsTable):
    """The shares that the values of a tag have in the training data."""

    tag: str
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]]

    @model_validator(mode="after")
    def _adds_up(self) -> BalanceTable:
        # Thirds in decimals add up to 0.999999.
        if abs(sum(self.shares.values()) - 1) > 1e-6:
            raise ValueError(f"the shares of balance add up to {sum(self.shares.values()):g}; they must add up to 1")
        return self


class DataTable(SettingsTable):
    """What a training sees of the seen examples."""

    examples: Count | None = None
    """How many of them, drawn by each training's seed; None for all."""

    label_noise: ShareOrZero = 0.0
    repeats: ShareOrZero = 0.0
    balance: BalanceTable | None = None


class DesignTable(SettingsTable):
    """Which combinations are trained, and what is assumed before the run."""

    leave_out: Annotated[tuple[dict[str, LevelName], ...], Field(strict=False)] = ()
    """Combinations that are not trained: each table fixes some levels, and all cells that have them are left out."""

    assumed_sd: Positive | None = None
    """Standard deviation of the measure between trainings of one cell, for the effect that can be detected."""

    pilot: str | None = None
    """Run folder of an earlier crossed experiment, whose spread is assumed."""

    @model_validator(mode="after")
    def _one_of_both(self) -> DesignTable:
        if self.assumed_sd is not None and self.pilot is not None:
            raise ValueError("design.assumed_sd and design.pilot both state the spread; give one of them")
        return self


class CrossedMeasure(SettingsTable):
    """What the verdicts rest on."""

    primary: MeasureName
    confidence: Confidence = 0.95
    correction: Literal["holm", "none"] = "holm"
    """Of the p-values, over all hypotheses of the file."""

    mixed_model: bool = False
    """Fit a linear mixed model of the items too, as a check (``pip install 'shoal[mixed]'``)."""


class CrossedControls(SettingsTable):
    """The controls that can make a comparison worthless; floor, ceiling and leakage are always looked at."""

    training_ceiling: CeilingTable | None = None
    """What the trainings of each side must reach on the seen examples; None where they need not fit them."""

    shuffled_labels: bool = False
    """For each task, train one cell once on completions that were dealt to other prompts."""


class Cell(SettingsTable):
    """One combination of levels, as the settings of its trainings."""

    name: str
    levels: dict[str, str]
    """From factor to level."""

    model: str
    fresh_weights: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    task: TaskTable
    split: SplitTable
    data: DataTable = DataTable()
    training: TrainingTable = TrainingTable()
    evaluation: EvaluationTable = EvaluationTable()

    @property
    def spec(self) -> str:
        """The model spec that its trainings start from."""
        return f"random:{self.model}" if self.fresh_weights and not self.model.startswith("random:") else self.model


class CrossedExperiment(SettingsTable):
    """One crossed experiment, its preset resolved."""

    name: Name
    preset: Name = "default"
    question: str = ""
    """What the experiment is about, in a sentence."""

    seeds: Annotated[int, Field(ge=2, le=1000)]
    """Trainings of each cell; no two of the experiment share a seed."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    model: str | None = None
    task: TaskTable | None = None
    split: SplitTable | None = None
    data: DataTable = DataTable()
    training: TrainingTable = TrainingTable()
    evaluation: EvaluationTable = EvaluationTable()
    factors: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]
    """From factor to its levels, by name; in the file a list of values or a table of named ones."""

    hypotheses: Hypotheses
    design: DesignTable = DesignTable()
    measure: CrossedMeasure
    controls: CrossedControls = CrossedControls()

    @model_validator(mode="before")
    @classmethod
    def _plain_seeds_and_levels(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        if type(data.get("seeds")) is int and data["seeds"] < 2:
            raise ValueError(
                f"seeds = {data['seeds']} leaves no degrees of freedom: the spread between trainings cannot be seen; "
                "give 2 or more, 5 are usual"
            )
        factors = data.get("factors")
        if isinstance(factors, dict):
            data = data | {"factors": {name: _named_levels(name, levels) for name, levels in factors.items()}}
        return data

    @model_validator(mode="after")
    def _cells_and_hypotheses_hold(self) -> CrossedExperiment:
        for name, levels in self.factors.items():
            if len(levels) < 2:
                raise ValueError(
                    f"the factor {name!r} has one level ({next(iter(levels), 'none')}), and nothing to compare it "
                    f"with; give two or more, or write it outside of [factors]"
                )
        for number, combination in enumerate(self.design.leave_out):
            _check_levels(self.factors, combination, f"design.leave_out[{number}]")
        names = [hypothesis.name for hypothesis in self.hypotheses]
        if len(set(names)) != len(names):
            raise ValueError("two hypotheses have one name; each needs its own")
        for hypothesis in self.hypotheses:
            _check_hypothesis(self.factors, hypothesis, self.measure.primary)
        if not self.cells:
            raise ValueError("design.leave_out leaves no cell to train")
        self._check_measures()
        return self

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The combinations that are trained, the last factor changing fastest."""
        names = list(self.factors)
        combinations = itertools.product(*(self.factors[name] for name in names))
        found = []
        for combination in combinations:
            levels = dict(zip(names, combination, strict=True))
            if not any(_matches(levels, left_out) for left_out in self.design.leave_out):
                found.append(self._cell(levels))
            # Within the loop: the product of a mistyped file may have billions of combinations.
            if len(found) > MAX_CELLS:
                raise ValueError(f"the factors have more than {MAX_CELLS} combinations; take fewer levels")
        return tuple(found)

    @property
    def trainings(self) -> int:
        """How many trainings the experiment has, its controls aside."""
        return len(self.cells) * self.seeds

    @property
    def folder_name(self) -> str:
        """How its run folder is called by default: ``crossed-default``."""
        return f"{self.name}-{self.preset}"

    def _check_measures(self) -> None:
        """Refuse a measure that belongs to another task than one of the cells': it would have no meaning there."""
        ceiling = self.controls.training_ceiling
        used = {"measure.primary": self.measure.primary}
        if ceiling is not None:
            used["controls.training_ceiling.measure"] = ceiling.measure
        for key, name in used.items():
            for cell in self.cells:
                if name not in cell.task.measures:
                    raise ValueError(
                        f"{key} = {name!r} is a measure of {', '.join(sorted(MEASURES[name].tasks or ()))} alone, and "
                        f"the task of {cell.name} is {cell.task.name!r}; give one of {', '.join(cell.task.measures)}"
                    )

    def _cell(self, levels: dict[str, str]) -> Cell:
        keys = ("device", "model", "task", "split", "data", "training", "evaluation")
        table: dict[str, Any] = self.model_dump(include=set(keys), exclude_none=True)
        for factor, level in levels.items():
            for key, value in changes_of(factor, self.factors[factor][level]).items():
                _put(table, key, value)
        # Measured once for each cell it could differ between them, by chance.
        if table["training"]["precision"] == "auto":
            table["training"]["precision"] = "float32"
        name = ",".join(f"{factor.rpartition('.')[2]}={level}" for factor, level in levels.items())
        try:
            return Cell.model_validate(table | {"name": name, "levels": levels})
        except ValidationError as error:
            raise ValueError(f"with {name}: {fault_line(error, Cell)}") from error


def _named_levels(factor: str, levels: Any) -> dict[str, Any]:
    if factor not in FACTORS and "." not in factor:
        raise ValueError(
            f"unknown factor {factor!r}; known are {', '.join(FACTORS)}, and every key of a training's settings by its "
            "dotted name, such as training.epochs"
        )
    if isinstance(levels, list):
        if not all(isinstance(level, str | int | float) for level in levels):
            raise ValueError(
                f"levels of {factor!r} that are tables need names: {factor} = {{ first = ..., second = ... }}"
            )
        named = {level_name(level): level for level in levels}
        if len(named) != len(levels):
            raise ValueError(f"a level stands twice in the factor {factor!r}; each may stand once")
    elif isinstance(levels, dict):
        named = levels
    else:
        raise ValueError(f"the factor {factor!r} needs a list of levels, or a table of named ones")  # noqa: TRY004
    for name, value in named.items():
        # A level is a part of folders' names.
        if not all(letter.isalnum() or letter in "._+-" for letter in name):
            raise ValueError(
                f"the level {name!r} of {factor!r} needs a name of letters and digits, as in "
                f"{factor} = {{ NAME = {value!r} }}"
            )
        try:
            changes_of(factor, value)
        except ValueError as error:
            raise ValueError(f"the level {name!r} of {factor!r}: {error}") from error
    return named


def _check_levels(factors: dict[str, dict[str, Any]], levels: dict[str, LevelName], place: str) -> None:
    for factor, level in levels.items():
        if factor not in factors:
            raise ValueError(f"{place} names the factor {factor!r}; the factors are {', '.join(factors)}")
        if level_name(level) not in factors[factor]:
            raise ValueError(
                f"{place} names the level {level_name(level)!r} of {factor!r}; its levels are "
                f"{', '.join(factors[factor])}"
            )


def _check_hypothesis(factors: dict[str, dict[str, Any]], hypothesis: Hypothesis, measure: str) -> None:
    place = f"the hypothesis {hypothesis.name!r}"
    at = hypothesis.moderator
    compared = [(hypothesis.factor, hypothesis.treatment), (hypothesis.factor, hypothesis.baseline)]
    if at is not None:
        compared += [(at.factor, at.treatment), (at.factor, at.baseline)]
    for factor, level in [*compared, *hypothesis.where.items()]:
        _check_levels(factors, {factor: level}, place)
    # The difference of two differences of shares may reach 2.
    most = 1 if at is None else 2
    if MEASURES[measure].bounded and hypothesis.smallest_effect >= most:
        raise ValueError(
            f"{place}: smallest_effect = {hypothesis.smallest_effect:g}, and no effect in {measure} is larger than "
            f"{most}"
        )


def _matches(levels: dict[str, str], fixed: dict[str, LevelName]) -> bool:
    return all(levels[factor] == level_name(level) for factor, level in fixed.items())


def _put(table: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key in nested tables."""
    *path, last = key.split(".")
    inner = table
    for step in path:
        inner = inner.setdefault(step, {})
        if not isinstance(inner, dict):
            raise ValueError(f"the factor {key!r} names no key of a training's settings")  # noqa: TRY004
    inner[last] = value
