"""A linear mixed model of the items, as a check of the tests that decide: its assumptions are stronger than theirs."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from shoal.errors import MissingExtraError
from shoal.experiments.crossed.result import SecondView

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "mixed model"


def import_statsmodels() -> Any:
    """The module of mixed models.

    Raises:
        MissingExtraError: statsmodels is not installed.
    """
    try:
        from statsmodels.regression import mixed_linear_model
    except ImportError as error:
        raise MissingExtraError("mixed", "measure.mixed_model") from error
    return mixed_linear_model


def mixed_view(
    scores: Sequence[float], columns: Sequence[Sequence[float]], trainings: Sequence[str], confidence: float
) -> SecondView:
    """Fit a mixed model with a random intercept for each training.

    Args:
        scores: one per item of each training.
        columns: the fixed effects of each score; the last one is the effect in question.
        trainings: which training each score is of.
        confidence: of the interval.

    Returns:
        The last coefficient with its interval and p-value; where the model does not converge, only a note of it.
    """
    import numpy as np

    model = import_statsmodels().MixedLM(np.asarray(scores), np.asarray(columns), groups=list(trainings))
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit = model.fit(reml=True)
    # A singular matrix, or a likelihood that is no number: both are how statsmodels says that there is no fit.
    except (np.linalg.LinAlgError, ValueError) as error:
        return _unfitted(f"it could not be fitted ({error})")
    if not fit.converged:
        return _unfitted("it did not converge")
    # Behind the fixed effects stand the parameters of the random ones.
    at = len(fit.fe_params) - 1
    low, high = np.asarray(fit.conf_int(alpha=1 - confidence))[at]
    boundary = any("boundary" in str(warning.message) for warning in caught)
    return SecondView(
        name=NAME,
        estimate=float(fit.fe_params[at]),
        low=float(low),
        high=float(high),
        p_value=float(fit.pvalues[at]),
        note="the spread between trainings was estimated as 0" if boundary else "items within trainings, by REML",
    )


def _unfitted(note: str) -> SecondView:
    return SecondView(name=NAME, estimate=None, low=None, high=None, p_value=None, note=note)
