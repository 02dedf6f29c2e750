"""What is found of the trainings of a comparison: losses of models and of mixtures, by row and seed.

Shapes: N scored tokens, K members, S seeds.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.experiments.overfitting.ensembles import NO_WEIGHT
from shoal.experiments.overfitting.texts import mixture_table
from shoal.experiments.overfitting.trainings import PARTS
from shoal.experiments.overfitting.units import read_tables
from shoal.statistics import mixture_log_likelihoods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.experiments.overfitting.planning import Members, Planning
    from shoal.experiments.overfitting.trainings import PlannedTraining, TrainingRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedScore:
    """A row with one seed."""

    bits: Mapping[str, float]
    """Bits per byte by part of the text."""

    training_compute: float
    """Floating-point operations of all trainings that it took, teachers' included."""

    inference_compute: float
    """Floating-point operations per token: 2 for each parameter that is used."""

    parameters: int
    tokens: int
    """That its models were trained on, together."""

    weights: tuple[float, ...]
    """Of its members; one of 1 for a single model."""

    notes: Mapping[str, float]


def score_row(planning: Planning, row: str, seed: int) -> SeedScore | str:
    """The score of a row with one seed, or why there is none.

    Args:
        planning: the comparison.
        row: its name.
        seed: of the replicate.
    """
    members = planning.of_row(row, seed)
    if members is None:
        return "what it is chosen from is not done"
    records = []
    for training in members.trainings:
        record = planning.record(training)
        if record is None:
            return "its trainings are not done"
        if record.state == "failed":
            return record.reason
        records.append(record)
    return _score(planning, members, records, taught_by=_taught_by(planning, row, seed))


def _score(planning: Planning, members: Members, records: Sequence[TrainingRecord], *, taught_by: float) -> SeedScore:
    weights = planning.weights(members)
    if len(records) == 1:
        bits = {part: records[0].bits(part) for part in PARTS}
    else:
        tables = [read_tables(planning.folder, record.key) for record in records]
        bits = {part: mixture_bits(tables, part, weights, records[0].sizes[part]) for part in PARTS}
    # A member without weight costs nothing when the mixture is used.
    used = sum(record.parameters for record, weight in zip(records, weights, strict=True) if weight > NO_WEIGHT)
    return SeedScore(
        bits=bits,
        # A student costs what its teacher cost, since without one it would not be.
        training_compute=sum(record.compute for record in records) + taught_by,
        # A multiplication and an addition for each parameter and token (Kaplan et al. 2020, section 2.1).
        inference_compute=2.0 * used,
        parameters=sum(record.parameters for record in records),
        tokens=sum(record.tokens for record in records),
        weights=weights,
        notes={name: value for record in records for name, value in record.notes.items()},
    )


def _taught_by(planning: Planning, row: str, seed: int) -> float:
    """The training compute of the teacher of a distilled model; 0 for other rows."""
    if row not in planning.plan.overfit.distilled:
        return 0.0
    teacher = planning.of_row(planning.plan.overfit.distilled[row].teacher, seed)
    assert teacher is not None  # the student learns from it
    # All of its members: one without weight teaches nothing, but was trained to find that out.
    return sum(record.compute for one in teacher.trainings if (record := planning.record(one)) is not None)


def mixture_bits(tables: Sequence[Mapping[str, Any]], part: str, weights: Sequence[float], size: int) -> float:
    """Bits per byte of a mixture of probabilities.

    Args:
        tables: log p of each token by part of the text, of each member.
        part: of the text.
        weights: of the members.
        size: bytes of the part.
    """
    log_p_N = mixture_log_likelihoods(mixture_table(tables, part), weights)
    return -math.fsum(log_p_N.tolist()) / math.log(2) / size


def growth_curve(planning: Planning, trainings: Sequence[PlannedTraining]) -> list[float]:
    """Test bits per byte of mixtures of 1, 2, ... of these models, with equal weights, over all choices of so many.

    Args:
        planning: the comparison.
        trainings: all of them done.
    """
    tables = [read_tables(planning.folder, training.key) for training in trainings]
    record = planning.record(trainings[0])
    assert record is not None
    size = record.sizes["test"]
    # A mixture is a mean of probabilities; a mean of logarithms would be another model, and not normalised.
    p_NK = np.exp(mixture_table(tables, "test"))
    found = []
    for count in range(1, len(trainings) + 1):
        # All choices, so that which models come first plays no part.
        choices = itertools.combinations(range(len(trainings)), count)
        with np.errstate(divide="ignore"):
            found.append(fmean(float(-np.log2(p_NK[:, list(chosen)].mean(axis=1)).sum()) / size for chosen in choices))
    return found
