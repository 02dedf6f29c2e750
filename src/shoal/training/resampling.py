"""Bagging: each member of an ensemble learns from a bootstrap sample of the units, and their predictions are averaged.

Source: Breiman (1996), "Bagging predictors", Machine Learning 24:123-140. A unit is a document of a corpus or a group
of examples: what is drawn and left out as a whole, so that a member really lacks what it did not draw. About 37% of the
units are left out of each sample.

Shapes: U units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def bootstrap_counts(units: int, seed: int, weights_U: NDArray[Any] | None = None) -> NDArray[np.int64]:
    """How often each unit is in a sample of as many units, drawn with replacement (U).

    Args:
        units: U, at least one.
        seed: equal seeds give equal samples.
        weights_U: how likely each is drawn, not below 0; None for all alike.

    Raises:
        DataError: there are no units.
        UsageError: weights that are no distribution over the units.
    """
    if units < 1:
        raise DataError("there is nothing to draw a bootstrap sample from; give at least one unit")
    if weights_U is None:
        shares_U = np.full(units, 1 / units)
    else:
        given_U = np.asarray(weights_U, dtype=np.float64)
        if given_U.shape != (units,) or not np.isfinite(given_U).all() or (given_U < 0).any() or not given_U.sum() > 0:
            raise UsageError(f"a bootstrap sample of {units} units needs a weight of 0 or more for each, not all 0")
        shares_U = given_U / given_U.sum()
    return np.random.default_rng(seed).multinomial(units, shares_U)
