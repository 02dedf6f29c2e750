"""What a sweep file holds: a recipe, the keys that are swept, and how trials are chosen and judged."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from shoal.experiments.pretraining import Recipe  # noqa: TC001 - pydantic reads it
from shoal.experiments.tables import Count, Name, RunPlan, SettingsTable, fault_line

Value = bool | int | float | str
Setting = Value | Annotated[tuple[Value, ...], Field(strict=False, min_length=2)]
"""One value, or one for each of several keys that are set together."""


class RangeTable(SettingsTable):
    """The values of a key from the lowest to the highest: whole numbers where both ends are."""

    low: int | float
    high: int | float
    log: bool = False
    """Whether equal ratios are equally likely."""

    step: Annotated[int | float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> RangeTable:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"a range goes from low to a higher high, not from {self.low} to {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a range with log = true begins above 0, not at {self.low}")
        if self.log and self.step is not None:
            raise ValueError("a range has either log or step; give one of them")
        return self

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int) and not isinstance(self.step, float)


def _values(key: str, given: Any) -> Any:
    """What the file gives for a key; whether it is a list or a range is checked here, where the key is known."""
    if isinstance(given, dict):
        try:
            return RangeTable.model_validate(given)
        except ValidationError as error:
            raise ValueError(f"keys: {key}: {fault_line(error, RangeTable)}") from error
    if isinstance(given, RangeTable) or (isinstance(given, list | tuple) and given):
        return given
    raise ValueError(f"keys: {key} = {given!r}: give a list of values, or a table with low and high")


Values = RangeTable | Annotated[tuple[Setting, ...], Field(strict=False, min_length=1)]


def identity(setting: Setting) -> tuple[tuple[bool, Value], ...]:
    """What tells a setting from others: ``true`` equals 1 in Python, but not in a recipe.

    Args:
        setting: one value, or those of several keys.
    """
    values = setting if isinstance(setting, tuple) else (setting,)
    return tuple((isinstance(value, bool), value) for value in values)


class PruningTable(SettingsTable):
    """When a trial is given up: it is worse than the median of the finished ones at the same share of its steps."""

    after: Annotated[int, Field(ge=2)] = 4
    """Finished trials that there must be."""

    at: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(strict=False, min_length=1)] = (0.3, 0.6)
    """Shares of the steps at which it is judged."""


class Sweep(SettingsTable):
    """One sweep, but for its recipe."""

    name: Name
    objective: str = "bits_per_byte"
    """``bits_per_byte`` (the mean over the corpora), ``bits_per_byte.CORPUS``, or a function of a
    `PretrainResult` that gives a number: ``MODULE:FUNCTION`` or ``FILE.py:FUNCTION``."""

    direction: Literal["minimize", "maximize"] = "minimize"
    sampler: Literal["grid", "random", "tpe"] = "grid"
    trials: Count | None = None
    """None for the whole grid."""

    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False, min_length=1)] = (0,)
    """Each trial is trained once for each; in the file a list, or a number n for 0 to n - 1."""

    sampler_seed: Annotated[int, Field(ge=0)] = 0
    at_once: Count = 4
    """Trials that ``tpe`` chooses before it has seen how they went. What is chosen depends on this number and not on
    the number of workers, so that a sweep is the same everywhere."""

    threads: Count = 1
    """Of torch in each training: sums in another number of threads are rounded otherwise."""

    gpus: Annotated[float, Field(ge=0)] = 0.0
    """Of a Ray cluster, for each training; a half lets two share one."""

    keys: Annotated[dict[str, Values], Field(min_length=1)]
    """From a key of the recipe to its values: a list, or a table with ``low`` and ``high``. Keys that are set together
    stand side by side: ``"model.width, model.heads" = [[32, 2], [64, 4]]``."""

    pruning: PruningTable | None = None

    @model_validator(mode="before")
    @classmethod
    def _made_plain(cls, data: Any) -> Any:
        """A number of seeds becomes a list, and keys are sorted: the numbers of the trials depend on their order."""
        if not isinstance(data, dict):
            return data
        plain = dict(data)
        # By type and not `isinstance`: true is an int in Python.
        if type(plain.get("seeds")) is int and plain["seeds"] >= 1:
            plain["seeds"] = tuple(range(plain["seeds"]))
        if isinstance(plain.get("keys"), dict):
            plain["keys"] = {key: _values(key, given) for key, given in sorted(plain["keys"].items())}
        return plain

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Sweep:
        for key, values in self.keys.items():
            names = [name.strip() for name in key.split(",")]
            if not all(names):
                raise ValueError(f"keys: {key!r} names nothing at one place; write it as in 'model.width, model.heads'")
            if isinstance(values, RangeTable):
                self._check_range(key, names, values)
            else:
                self._check_list(key, names, values)
        every = [name.strip() for key in self.keys for name in key.split(",")]
        if "seed" in every:
            raise ValueError("keys: the seed is the sweep's; give seeds = 3 or a list of seeds")
        for name in every:
            if every.count(name) > 1:
                raise ValueError(f"keys: {name!r} is swept twice; each key may stand once")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("a seed stands twice in seeds; each may stand once")
        if self.sampler != "grid" and self.trials is None:
            raise ValueError(f"sampler = {self.sampler!r} needs a number of trials; add a line such as: trials = 20")
        return self

    def _check_range(self, key: str, names: list[str], values: RangeTable) -> None:
        if len(names) > 1:
            raise ValueError(f"keys: {key!r} are set together and need a list of lists, as [[32, 2], [64, 4]]")
        if self.sampler == "grid" and values.step is None:
            raise ValueError(f"keys.{key}: a grid needs a list of values or a step; or take sampler = 'random'")

    @staticmethod
    def _check_list(key: str, names: list[str], values: tuple[Setting, ...]) -> None:
        for value in values:
            given = len(value) if isinstance(value, tuple) else 1
            if given != len(names):
                raise ValueError(f"keys.{key}: {value!r} holds {given} values for {len(names)} keys")
        if len(set(map(identity, values))) != len(values):
            raise ValueError(f"keys.{key}: a value stands twice; each may stand once")


class SweepPlan(RunPlan):
    """A sweep with the recipe that it starts from, as its folder keeps both."""

    plan_file = "sweep.toml"
    holds = "sweep"
    written_by = "shoal sweep"

    sweep: Sweep
    recipe: Recipe
