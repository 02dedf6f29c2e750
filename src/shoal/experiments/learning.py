"""What the tables ``[training]`` of experiments and of recipes have in common, and the settings that they say."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from shoal.experiments.table import Count, NotNegative, Positive, ShareOrZero, Table, Whole
from shoal.training import Optimizer, Precision, Schedule, TrainSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


class LearningTable(Table):
    """How a model is trained; the words are those of `shoal.training.TrainSettings`.

    A value that suits fine-tuning on few examples does not suit training from scratch; those have no default here.
    """

    learning_rate: Positive
    batch_tokens: Count
    micro_tokens: Whole = 0
    optimizer: Optimizer = "adamw"
    matrix_learning_rate: Positive | None = None
    beta2: ShareOrZero | None
    weight_decay: NotNegative
    dropout: ShareOrZero = 0.0
    schedule: Schedule = "cosine"
    warmup: ShareOrZero
    decay: Annotated[float, Field(ge=0, le=1)] = 0.2
    gradient_clip: NotNegative = 1.0
    precision: Precision = "auto"
    """``auto`` is measured once; all arms of an experiment share what was found."""

    checkpoint_seconds: Positive = 60.0


def settings_of(table: LearningTable, chosen: Mapping[str, Any]) -> TrainSettings:
    """The settings of the training loop: what was chosen beside the table, and the table for all else."""
    return TrainSettings(
        **{
            item.name: chosen[item.name] if item.name in chosen else getattr(table, item.name)
            for item in fields(TrainSettings)
        }
    )
