"""Multinomial logistic regression with a ridge, on sparse or dense rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def fit_softmax(
    rows_NF: Any,
    labels_N: NDArray[np.integer],
    *,
    classes: int,
    ridge: float,
    weights_N: NDArray[np.float64],
    max_iterations: int = 200,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The weights (F × C) and the bias (C) that minimise the weighted log loss plus the ridge.

    Args:
        rows_NF: the features, an array or a SciPy sparse array.
        labels_N: the class of each row, from 0.
        classes: how many there are.
        ridge: the factor on the sum of squared weights; the bias is free.
        weights_N: of the rows; they add up to 1, so that one ridge does for samples of any size.
        max_iterations: of L-BFGS.
    """
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    target = np.eye(classes)[labels_N]
    shape = (rows_NF.shape[1], classes)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = flat[:-classes].reshape(shape), flat[-classes:]
        scores = rows_NF @ weights + bias
        logs = scores - logsumexp(scores, axis=1, keepdims=True)
        error = (np.exp(logs) - target) * weights_N[:, None]
        slope = rows_NF.T @ error + 2 * ridge * weights
        value = -(weights_N * logs[np.arange(len(labels_N)), labels_N]).sum() + ridge * (weights**2).sum()
        return float(value), np.concatenate([slope.ravel(), error.sum(axis=0)])

    # The loss is convex, so any start leads to the same minimum.
    found = minimize(
        loss,
        np.zeros(shape[0] * classes + classes),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iterations},
    )
    return found.x[:-classes].reshape(shape), found.x[-classes:]
