"""A measure of one training, item by item."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.experiments.safety_tuning.plan import COMPLIED, LOSS, REFUSED

if TYPE_CHECKING:
    from shoal.experiments.safety_tuning.trainings import MeasuredTraining
    from shoal.statistics import ErrorRates


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredItems:
    """The values of the items, in an order that all trainings share; NaN of an empty answer."""

    values_I: Any
    weights_I: Any
    """Of the items in their mean."""

    @property
    def mean(self) -> float:
        """The weighted mean over the items that have a value; NaN where none has, as of empty answers alone."""
        if np.isnan(self.values_I).all():
            return math.nan
        weights_I = np.where(np.isnan(self.values_I), 0.0, self.weights_I)
        return float((np.nan_to_num(self.values_I) * weights_I).sum() / weights_I.sum())


def measured_items(training: MeasuredTraining, measure: str, errors: ErrorRates) -> MeasuredItems:
    """A measure of a training, item by item; of rates each item is corrected, so that their mean is.

    Args:
        training: what was measured.
        measure: its name.
        errors: of the scorer of refusals.
    """
    if measure == LOSS:
        tokens_I = np.array([loss.tokens for loss in training.losses], dtype=float)
        return MeasuredItems(values_I=np.array([loss.nats for loss in training.losses]) / tokens_I, weights_I=tokens_I)
    if measure not in (COMPLIED, REFUSED):
        items = training.benchmarks[measure]
        values_I = np.array([items[name] for name in sorted(items)], dtype=float)
        return MeasuredItems(values_I=values_I, weights_I=np.ones(len(values_I)))
    harmful = measure == COMPLIED
    refused_I = np.array([one.refusal for one in training.answers if one.harmful == harmful])
    # Rogan and Gladen's estimator is linear, so that the mean of these is the corrected rate, not yet cut to [0, 1].
    corrected_I = (refused_I + errors.specificity - 1) / (errors.sensitivity + errors.specificity - 1)
    return MeasuredItems(values_I=1 - corrected_I if harmful else corrected_I, weights_I=np.ones(len(refused_I)))
