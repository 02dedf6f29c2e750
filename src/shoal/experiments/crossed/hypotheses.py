"""Hypotheses as a file states them: whose effect, which way, how large it must be to matter, and by which test."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shoal.experiments.tables import Name, Positive, SettingsTable
from shoal.wording import short_number

LevelName = str | int | float | bool
"""A level as a file names it: its name, or its value."""

Direction = Literal["better", "worse", "different"]
TestName = Literal["permutation", "cluster"]


def level_name(level: LevelName) -> str:
    """What a level is called: 40 and "40" are one, true is ``true`` as in TOML."""
    if isinstance(level, bool):
        return str(level).lower()
    return short_number(level) if isinstance(level, float) else str(level)


class Moderator(SettingsTable):
    """The second factor of an interaction: the effect is compared between two of its levels."""

    factor: str
    treatment: LevelName
    """Where the effect is said to be the larger one."""

    baseline: LevelName


class Hypothesis(SettingsTable):
    """One effect of one factor, or the interaction of two."""

    name: Name
    claim: str
    """A sentence that the verdict supports or refutes."""

    factor: str
    treatment: LevelName
    """The level that the claim is about."""

    baseline: LevelName
    """The level that it is compared with."""

    smallest_effect: Positive
    """The smallest difference that would matter, in the units of the measure."""

    direction: Direction = "better"
    """Which way the treatment differs, by the claim. Of a measure of which less is better, less is ``better``."""

    test: TestName = "permutation"
    """``permutation``: within blocks, over trainings. ``cluster``: over trainings and items, by Student's t."""

    where: dict[str, LevelName] = Field(default_factory=dict)
    """Levels of other factors that the claim is limited to; empty for all."""

    moderator: Moderator | None = None
    """For an interaction: between which levels of another factor the effect is compared."""

    @model_validator(mode="after")
    def _names_two_levels(self) -> Hypothesis:
        pairs = [(self.factor, self.treatment, self.baseline)]
        if self.moderator is not None:
            pairs.append((self.moderator.factor, self.moderator.treatment, self.moderator.baseline))
            if self.moderator.factor == self.factor:
                raise ValueError(f"the hypothesis {self.name!r} has {self.factor!r} as factor and as moderator")
        for factor, treatment, baseline in pairs:
            if level_name(treatment) == level_name(baseline):
                raise ValueError(
                    f"the hypothesis {self.name!r} compares {factor} = {level_name(treatment)} with itself; "
                    "name two levels"
                )
            if factor in self.where:
                raise ValueError(f"the hypothesis {self.name!r} fixes {factor!r} in where, and compares its levels too")
        return self

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors whose levels it compares."""
        return (self.factor,) if self.moderator is None else (self.factor, self.moderator.factor)

    @property
    def comparison(self) -> str:
        """What is compared, in short: ``model: pretrained - random``."""
        text = f"{self.factor}: {level_name(self.treatment)} - {level_name(self.baseline)}"
        if self.moderator is not None:
            at = self.moderator
            text += f", at {at.factor} {level_name(at.treatment)} - at {level_name(at.baseline)}"
        if self.where:
            text += f", where {' and '.join(f'{key} is {level_name(level)}' for key, level in self.where.items())}"
        return text


Hypotheses = Annotated[tuple[Hypothesis, ...], Field(strict=False, min_length=1)]
