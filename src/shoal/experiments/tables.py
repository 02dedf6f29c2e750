"""What every table of a settings file is made of, the table ``[training]`` of all of them, and faults in one line."""

from __future__ import annotations

import difflib
import math
import re
import types
import typing
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from shoal.errors import StoreError
from shoal.experiments.settings_file import read_settings
from shoal.training import RANGES, ChangesActsOn, Precision, Schedule, TrainSettings, optimizer_names
from shoal.wording import uncapital

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import Self


_TRIED = re.compile(r"int|float|str|bool|constrained-\w+|literal\[.*\]")

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
"""A name that may stand in a path."""

Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=RANGES["seed"]["ge"], lt=RANGES["seed"]["lt"])]
Share = Annotated[float, Field(gt=0, lt=1)]
ShareOrZero = Annotated[float, Field(ge=0, lt=1)]
"""A share that may be 0."""

Confidence = Annotated[float, Field(ge=0.5, lt=1)]
"""Of intervals: below one half whoever gives it means the level of a test."""

Positive = Annotated[float, Field(gt=0, lt=math.inf)]
NotNegative = Annotated[float, Field(ge=0, lt=math.inf)]


def registered_name(
    registry: Callable[[], Iterable[str]], *, shown: Callable[[], Iterable[str]] | None = None
) -> AfterValidator:
    """A check that a value is a registered name, whose error reads as that of a ``Literal``.

    Args:
        registry: gives the names; called at each check, so that what is registered later is known too.
        shown: gives those that the error lists, where they are not all.
    """

    def check(name: str) -> str:
        if name not in registry():
            names = [repr(one) for one in (shown or registry)()]
            expected = " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
            raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})
        return name

    return AfterValidator(check)


class SettingsTable(BaseModel):
    """A table of the file: frozen, without coercion, and with no key but those named."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RunPlan(SettingsTable):
    """The settings of a run whose folder keeps them whole, in a file by which its kind is known."""

    plan_file: ClassVar[str]
    """Its name in the folder."""

    holds: ClassVar[str]
    """What such a folder holds, for messages."""

    written_by: ClassVar[str]
    """The command that makes such folders."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The settings that a folder was made by, validated.

        Args:
            folder: of the run.

        Raises:
            StoreError: the folder holds nothing of the kind, or its file is damaged.
        """
        file = folder / cls.plan_file
        if not file.is_file():
            raise StoreError(f"{folder} holds no {cls.holds}; give a folder that {cls.written_by} has written")
        try:
            return cls.model_validate(read_settings(file))
        except ValidationError as error:
            raise StoreError(f"{file}: {fault_line(error, cls)}; it was written by another version") from error


def as_table(settings: SettingsTable) -> dict[str, Any]:
    """A table as the run folder keeps it: plain values, no None."""
    # TOML has no null, so that a key without a value is left out.
    table: dict[str, Any] = settings.model_dump(mode="json", exclude_none=True)
    return table


def in_range(name: str) -> Any:
    """The bounds that `shoal.training.TrainSettings` has for a number.

    Args:
        name: of the setting.
    """
    bounds: dict[str, Any] = dict(RANGES[name])
    return Field(**bounds)


class LearningTable(SettingsTable):
    """How a model is trained; the words are those of `shoal.training.TrainSettings`.

    A value that suits fine-tuning on few examples does not suit training from scratch; those have no default here.
    """

    learning_rate: Positive
    batch_tokens: Annotated[int, in_range("batch_tokens")]
    micro_tokens: Annotated[int, in_range("micro_tokens")] = 0
    optimizer: Annotated[str, registered_name(optimizer_names)] = "adamw"
    matrix_learning_rate: Positive | None = None
    beta2: Annotated[float, in_range("beta2")] | None
    weight_decay: Annotated[float, in_range("weight_decay")]
    l1: Annotated[float, in_range("l1")] | None = None
    l2: Annotated[float, in_range("l2")] | None = None
    label_smoothing: Annotated[float, in_range("label_smoothing")] | None = None
    ema_decay: Annotated[float, in_range("ema_decay")] | None = None
    swa_start: Annotated[float, in_range("swa_start")] | None = None
    early_stopping_patience: Annotated[int, in_range("early_stopping_patience")] | None = None
    early_stopping_alpha: Annotated[float, in_range("early_stopping_alpha")] | None = None
    keep_best: bool | None = None
    freeze: Annotated[tuple[str, ...] | None, Field(strict=False)] = None
    dropout: Annotated[float, in_range("dropout")] = 0.0
    schedule: Schedule = "cosine"
    changes_acts_on: ChangesActsOn | None = None
    warmup: Annotated[float, in_range("warmup")]
    decay: Annotated[float, in_range("decay")] = 0.2
    gradient_clip: Annotated[float, in_range("gradient_clip")] = 1.0
    precision: Precision = "auto"
    """``auto`` is measured once; all arms of an experiment share what was found."""

    checkpoint_seconds: Annotated[float, in_range("checkpoint_seconds")] = 60.0


def train_settings_of(table: LearningTable, chosen: Mapping[str, Any]) -> TrainSettings:
    """The settings of the training loop.

    Args:
        table: the values of the file.
        chosen: values that take precedence over the table's, or that it does not have.
    """
    values = {item.name: getattr(table, item.name, None) for item in fields(TrainSettings)} | dict(chosen)
    # What is off has no value in the table, and so no key in the run folder, which may be older than the setting.
    return TrainSettings(**{name: value for name, value in values.items() if value is not None})


def fault_line(error: ValidationError, root: type[BaseModel]) -> str:
    """The gravest fault, and how many there are besides.

    Args:
        error: what the validation raised.
        root: the model of the whole file.
    """
    # A misspelt key is also a missing one; the misspelling is the more helpful error.
    faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    return _fault(faults[0], len(faults), root)


def _fault(fault: Any, faults: int, root: type[BaseModel]) -> str:
    place = tuple(str(step) for step in fault["loc"])
    # Where a key takes several types, pydantic puts the one that it tried behind the key.
    if len(place) > 1 and _TRIED.fullmatch(place[-1]) and fault["type"] not in ("extra_forbidden", "missing"):
        place = place[:-1]
    key = ".".join(place)
    more = f" (and {faults - 1} more)" if faults > 1 else ""
    if fault["type"] == "extra_forbidden":
        known = _keys_at(place[:-1], root)
        near = difflib.get_close_matches(place[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"unknown key {key!r}; {hint}{more}"
    if fault["type"] == "missing":
        return f"the key {key!r} is missing; add it{more}"
    if fault["type"] == "value_error":
        return f"{fault['ctx']['error']}{more}"
    return f"{key} = {_short(fault['input'])}: {uncapital(fault['msg'])}{more}"


def _keys_at(place: tuple[str, ...], root: type[BaseModel]) -> list[str]:
    """The keys that are known in a table of the file."""
    model = root
    for step in place:
        if not step.isdecimal():  # the place in a list of tables
            model = _table_of(model.model_fields[step].annotation)
    return list(model.model_fields)


def _table_of(annotation: Any) -> type[BaseModel]:
    """The table's model among the types of an annotation."""
    kinds = [annotation]
    while kinds:
        kind = kinds.pop(0)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
        if typing.get_origin(kind) in (Union, types.UnionType, tuple, typing.Annotated):
            kinds += typing.get_args(kind)
    raise AssertionError(f"{annotation} holds no table")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
