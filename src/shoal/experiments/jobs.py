"""Units of work that do not depend on each other, so that workers may take them in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["certificate", "narrowness", "precision", "trial", "arm", "shuffled-labels"]

TRIAL_SEED = 10_000
"""Trials of learning rates have seeds from here on, apart from those of the arms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One unit of work. It is finished when the file that it writes last is there."""

    kind: Kind
    place: str
    """Its folder or file in the run folder."""

    title: str
    """What a person is told of it."""

    spec: str = ""
    arm: str = ""
    seed: int = 0
    learning_rate: float = 0.0
    precision: str = "float32"
    shuffle: bool = False
    """Shuffle the weights within each tensor before anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a job took; kept apart from the records, which are the same for every run."""

    place: str
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    """The most memory that its process had used by its end."""
