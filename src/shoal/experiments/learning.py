"""What the tables ``[training]`` of experiments and of recipes have in common, and the settings that they say."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from shoal.errors import UnknownNameError
from shoal.experiments.table import Positive, Table
from shoal.training import RANGES, Precision, Schedule, TrainSettings, check_optimizer

if TYPE_CHECKING:
    from collections.abc import Mapping


def in_range(name: str) -> Any:
    """The bounds that `shoal.training.TrainSettings` has for a number.

    Args:
        name: of the setting.
    """
    bounds: dict[str, Any] = dict(RANGES[name])
    return Field(**bounds)


def _known_optimizer(name: str) -> str:
    try:
        return check_optimizer(name)
    except UnknownNameError as error:
        raise ValueError(f"training.optimizer: {error}") from error


class LearningTable(Table):
    """How a model is trained; the words are those of `shoal.training.TrainSettings`.

    A value that suits fine-tuning on few examples does not suit training from scratch; those have no default here.
    """

    learning_rate: Positive
    batch_tokens: Annotated[int, in_range("batch_tokens")]
    micro_tokens: Annotated[int, in_range("micro_tokens")] = 0
    optimizer: Annotated[str, AfterValidator(_known_optimizer)] = "adamw"
    matrix_learning_rate: Positive | None = None
    beta2: Annotated[float, in_range("beta2")] | None
    weight_decay: Annotated[float, in_range("weight_decay")]
    dropout: Annotated[float, in_range("dropout")] = 0.0
    schedule: Schedule = "cosine"
    warmup: Annotated[float, in_range("warmup")]
    decay: Annotated[float, in_range("decay")] = 0.2
    gradient_clip: Annotated[float, in_range("gradient_clip")] = 1.0
    precision: Precision = "auto"
    """``auto`` is measured once; all arms of an experiment share what was found."""

    checkpoint_seconds: Annotated[float, in_range("checkpoint_seconds")] = 60.0


def settings_of(table: LearningTable, chosen: Mapping[str, Any]) -> TrainSettings:
    """The settings of the training loop: what was chosen beside the table, and the table for all else."""
    return TrainSettings(
        **{
            item.name: chosen[item.name] if item.name in chosen else getattr(table, item.name)
            for item in fields(TrainSettings)
        }
    )
