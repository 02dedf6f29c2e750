"""Trials and their units: what one training of a sweep is, and its record.

A unit is one trial with one seed, and a folder of its own. Its record holds nothing that differs between two trainings
of the same unit; what a training took stands elsewhere.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

State = Literal["complete", "failed", "pruned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One training that is to be done."""

    trial: int
    seed: int
    settings: Mapping[str, Any]
    """From each key of the sweep to its value."""

    recipe: Mapping[str, Any]
    """The whole recipe, as plain values."""

    shares: tuple[float, ...] = ()
    """Where trials are pruned: the shares of the steps at which the score is recorded."""

    medians: Mapping[str, float] = field(default_factory=dict)
    """And what must be reached there."""

    @property
    def place(self) -> str:
        """Its folder in the sweep's folder."""
        return unit_place(self.trial, self.seed)

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"trial {self.trial}, seed {self.seed}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a worker."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRecord:
    """The outcome of a unit."""

    trial: int
    seed: int
    settings: Mapping[str, Any]
    state: State
    reason: str = ""
    """Why it failed or was pruned, in one line."""

    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    """Held-out bits per byte by corpus."""

    parameters: int | None = None
    tokens: int | None = None
    """That were trained on."""

    milestones: Mapping[str, float] = field(default_factory=dict)
    """From a share of the steps to the objective there, as far as it was measured."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The settings of a trial, and its units taken together."""

    number: int
    settings: Mapping[str, Any]
    units: tuple[UnitRecord, ...]

    @property
    def state(self) -> State:
        """Complete where all of its units are."""
        states = [unit.state for unit in self.units]
        return "failed" if "failed" in states else "pruned" if "pruned" in states else "complete"

    @property
    def reason(self) -> str:
        """Of the first unit that is not complete."""
        return next((unit.reason for unit in self.units if unit.state != "complete"), "")

    @property
    def score(self) -> float | None:
        """The mean over the seeds; None where a unit is not complete."""
        scores = [unit.score for unit in self.units if unit.score is not None]
        return fmean(scores) if self.state == "complete" else None

    @property
    def parameters(self) -> int | None:
        """Of its model."""
        return self.units[0].parameters

    @property
    def tokens(self) -> int | None:
        """That each of its units was trained on."""
        return self.units[0].tokens

    @property
    def compute(self) -> float | None:
        """Floating-point operations of a training: 6 for each parameter and token (Kaplan et al. 2020, section 2.1)."""
        return 6.0 * self.parameters * self.tokens if self.parameters and self.tokens else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "number": self.number,
            "settings": dict(self.settings),
            "state": self.state,
            "reason": self.reason,
            "score": self.score,
            "parameters": self.parameters,
            "tokens": self.tokens,
            "compute": self.compute,
            "seeds": {str(unit.seed): unit.score for unit in self.units},
        }


def unit_place(trial: int, seed: int) -> str:
    """The folder of a unit in the sweep's folder.

    Args:
        trial: its number.
        seed: of the training.
    """
    return f"trials/{trial:04}/seed-{seed}"


def trials_of(records: Sequence[UnitRecord], seeds: Sequence[int]) -> tuple[Trial, ...]:
    """The trials all of whose units have a record, by number.

    Args:
        records: of units, in any order.
        seeds: that each trial has.
    """
    by_trial: dict[int, dict[int, UnitRecord]] = {}
    for record in records:
        by_trial.setdefault(record.trial, {})[record.seed] = record
    return tuple(
        Trial(number=number, settings=units[seeds[0]].settings, units=tuple(units[seed] for seed in seeds))
        for number, units in sorted(by_trial.items())
        if set(seeds) <= set(units)
    )
