"""Which trainings each row needs; what hangs on results (the best of an axis, a teacher's weights) comes later.

A row asks for its trainings by seed; it gives None for as long as a choice that it needs has not been made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING

from shoal.experiments.overfitting.ensembles import NO_WEIGHT, Ensembling
from shoal.experiments.overfitting.recipe import axis_names
from shoal.experiments.overfitting.texts import mixture_table
from shoal.experiments.overfitting.trainings import Lesson, PlannedTraining
from shoal.experiments.overfitting.units import read_tables, read_training
from shoal.experiments.settings_file import flatten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from shoal.experiments.overfitting.recipe import EnsembleTable, OverfitPlan, Values
    from shoal.experiments.overfitting.trainings import TrainingRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The trainings of one row and seed, and their shares of the mixture."""

    trainings: tuple[PlannedTraining, ...]
    fits_weights: bool = False


@dataclass
class Planning:
    """The rows of a comparison, as far as they are known from what is done."""

    plan: OverfitPlan
    folder: Path
    assume_first: bool = False
    """Take the first value of an axis for the chosen one, and equal weights, for as long as results do not say it, so
    that all trainings can be counted before any is done."""

    # A record is written once, and the rows ask for the same ones again and again.
    _records: dict[str, TrainingRecord] = field(default_factory=dict)
    _weights: dict[tuple[str, ...], tuple[float, ...]] = field(default_factory=dict)

    def record(self, training: PlannedTraining) -> TrainingRecord | None:
        """The record of a training; None where it is not done."""
        return self.record_of(training.key)

    def record_of(self, key: str) -> TrainingRecord | None:
        """The record of a training by its key."""
        if key not in self._records:
            found = read_training(self.folder, key)
            if found is None:
                return None
            self._records[key] = found
        return self._records[key]

    @cached_property
    def tokens(self) -> int:
        """That every row is trained on, over all of its models."""
        tokens = self.plan.recipe.training.tokens
        assert tokens is not None  # checked when the plan was made
        return tokens

    @property
    def seeds(self) -> range:
        """The replicates of each row."""
        return range(self.plan.overfit.seeds)

    def trainings(self) -> list[PlannedTraining]:
        """All that are known to be needed, each once, in the order of the rows."""
        found: dict[str, PlannedTraining] = {}
        for training in self._all():
            found.setdefault(training.key, training)
        return list(found.values())

    def choice(self, axis: str) -> str | None:
        """The row of an axis with the fewest bits per byte of validation text; None where one is not done yet."""
        names = axis_names(axis, self.plan.overfit.axes[axis])
        means: dict[str, float] = {}
        for name in names:
            records = [self.record(self.single(name, seed)) for seed in self.seeds]
            if any(record is None for record in records):
                # A forecast counts the trainings, whose number hardly depends on the value that is chosen.
                return names[0] if self.assume_first else None
            complete = [record.bits("validation") for record in records if record and record.state == "complete"]
            # A value with which some training fails is not one to choose.
            if len(complete) == len(records):
                means[name] = fmean(complete)
        return min(means, key=means.__getitem__) if means else None

    def values(self, row: str) -> Values | None:
        """The changes of the recipe of a row of one model; None where it is still to be chosen."""
        axis = self.plan.overfit.chosen_axis(row)
        if axis is None:
            return self.plan.values_of(row)
        chosen = self.choice(axis)
        return None if chosen is None else self.plan.values_of(chosen)

    def single(self, row: str, seed: int) -> PlannedTraining:
        """The training of a row whose values are known."""
        return self._plain(self.plan.values_of(row), seed)

    def of_row(self, row: str, seed: int) -> Members | None:
        """The trainings of a row of any kind.

        Args:
            row: its name.
            seed: of the replicate.
        """
        table = self.plan.overfit
        if row in table.ensembles:
            return self._ensemble(table.ensembles[row], seed)
        if row in table.distilled:
            student = self._student(row, seed)
            return None if student is None else Members(trainings=(student,))
        values = self.values(row)
        if values is None:
            return None
        return Members(trainings=(self._plain(values, seed),))

    def grown(self, row: str, seed: int) -> tuple[PlannedTraining, ...] | None:
        """The models of a growing ensemble, each trained on all tokens."""
        values, count = self.values(row), self.plan.overfit.growth.members
        if values is None or count is None:
            return None
        return tuple(self._plain(values, self.member_seed(seed, place)) for place in range(count))

    def sized(self, row: str, seed: int) -> tuple[PlannedTraining, ...] | None:
        """The models of each size."""
        values = self.values(row)
        if values is None:
            return None
        return tuple(self._plain(values | size, seed) for size in self.plan.overfit.growth.sizes)

    def member_seed(self, seed: int, place: int) -> int:
        """The seed of a member: the first has that of the replicate, and no two replicates share one."""
        return seed + place * self.plan.overfit.seeds

    def weights(self, members: Members) -> tuple[float, ...]:
        """The members' shares of the mixture; where they are fitted, on validation text.

        Args:
            members: all of them done.
        """
        count = len(members.trainings)
        if not members.fits_weights:
            return (1 / count,) * count
        from shoal.statistics import fit_mixture

        keys = tuple(training.key for training in members.trainings)
        # A fit reads the tables of all members, and rows, teachers and ensembles ask for the same one.
        if keys not in self._weights:
            tables = [read_tables(self.folder, key) for key in keys]
            self._weights[keys] = fit_mixture(mixture_table(tables, "validation")).weights
        return self._weights[keys]

    def is_done(self, trainings: Sequence[PlannedTraining]) -> bool:
        """Whether all of them came to a good end."""
        records = [self.record(training) for training in trainings]
        return all(record is not None and record.state == "complete" for record in records)

    def _all(self) -> Iterator[PlannedTraining]:
        table = self.plan.overfit
        for row in [*table.single_names, *table.ensembles, *table.distilled]:
            for seed in self.seeds:
                members = self.of_row(row, seed)
                if members is not None:
                    yield from members.trainings
        for row in table.growth.rows:
            for seed in self.seeds:
                yield from self.grown(row, seed) or ()
                yield from self.sized(row, seed) or ()

    def _plain(self, values: Values, seed: int) -> PlannedTraining:
        """A training on all documents and all tokens."""
        return PlannedTraining(values=self._changed(values), seed=seed, tokens=self.tokens)

    def _changed(self, values: Values) -> Values:
        """The values that the recipe does not have already, so that a row that changes nothing shares the baseline."""
        return {key: value for key, value in values.items() if self._own.get(key) != value}

    @cached_property
    def _own(self) -> Values:
        """The recipe's own values by dotted key."""
        return flatten(self.plan.recipe.model_dump(mode="json"))

    def _ensemble(self, table: EnsembleTable, seed: int) -> Members | None:
        kind, count = Ensembling.registry[table.kind], self.plan.overfit.members
        tokens = self.tokens if table.compute == "members" else max(1, self.tokens // count)
        made: list[PlannedTraining] = []
        for place in range(count):
            values = self.values(table.rows[place % len(table.rows)])
            if values is None:
                return None
            made.append(
                PlannedTraining(
                    values=self._changed(values),
                    seed=self.member_seed(seed, place),
                    tokens=tokens,
                    draw=kind.draw,
                    earlier=tuple(training.key for training in made) if kind.draw == "boosted" else (),
                )
            )
        return Members(trainings=tuple(made), fits_weights=kind.fits_weights)

    def _student(self, row: str, seed: int) -> PlannedTraining | None:
        """The training of a distilled model, whose teacher must be done."""
        table = self.plan.overfit.distilled[row]
        members = self._ensemble(self.plan.overfit.ensembles[table.teacher], seed)
        if members is None:
            return None
        count = len(members.trainings)
        if self.is_done(members.trainings):
            weights = self.weights(members)
        elif self.assume_first:
            weights = (1 / count,) * count
        else:
            return None
        # A member without weight teaches nothing.
        taught = [
            (one.key, weight) for one, weight in zip(members.trainings, weights, strict=True) if weight > NO_WEIGHT
        ]
        total = sum(weight for _, weight in taught)
        lesson = Lesson(
            members=tuple(key for key, _ in taught),
            weights=tuple(weight / total for _, weight in taught),
            temperature=table.temperature,
            share=table.share,
            sampled=table.sampled,
        )
        return PlannedTraining(values={}, seed=seed, tokens=self.tokens, lesson=lesson)
