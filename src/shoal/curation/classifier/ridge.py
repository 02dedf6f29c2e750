"""Ridge regression in closed form, its penalty chosen by leaving out one row at a time.

One eigendecomposition of the smaller Gram matrix serves all penalties, and the error of each row when it is left out
follows from the fit of all (Golub, Heath and Wahba 1979, Technometrics 21:215-223). Cost: O(min(N, D)^3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.statistics import cluster_places

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

# From hardly any shrinkage to nearly the mean, by factors of 3.2: the error is flat near its minimum.
PENALTIES = tuple(float(10.0**power) for power in np.arange(-4, 4.5, 0.5))
"""Relative to the mean eigenvalue, so that one range does for vectors of any length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RidgeFit:
    """A linear function of vectors."""

    weights_D: NDArray[np.float64]
    bias: float
    penalty: float
    """The chosen λ of |y - Xw - b|² + λ|w|²."""

    left_NR: NDArray[np.float64]
    """The left singular vectors of the centred rows."""

    shrink_R: NDArray[np.float64]
    """s² / (s² + λ) of each."""

    targets_N: NDArray[np.float64]

    def predict(self, vectors_ND: NDArray[np.floating]) -> NDArray[np.float64]:
        """The values at vectors, shape (N,)."""
        found: NDArray[np.float64] = np.asarray(vectors_ND, dtype=np.float64) @ self.weights_D + self.bias
        return found

    def predict_left_out(self, groups: Sequence[Hashable]) -> NDArray[np.float64]:
        """The values of the rows by fits without the row's group, at the same penalty, shape (N,).

        Exact and without another fit: with the hat matrix H, what is left over at the rows G of a group when they are
        left out is (I - H_GG)⁻¹ (y - Hy)_G.

        Args:
            groups: of the rows.
        """
        level = float(self.targets_N.mean())
        fitted_N = level + self.left_NR @ (self.shrink_R * (self.left_NR.T @ (self.targets_N - level)))
        found_N = np.empty_like(self.targets_N)
        cluster_N = cluster_places(groups, len(fitted_N))
        for cluster in range(cluster_N.max() + 1):
            places = np.flatnonzero(cluster_N == cluster)
            left = self.left_NR[places]
            # The intercept fits every row by 1/N of every other.
            hat = (left * self.shrink_R) @ left.T + 1 / len(fitted_N)
            aims = self.targets_N[places]
            found_N[places] = aims - np.linalg.solve(np.eye(len(places)) - hat, aims - fitted_N[places])
        return found_N


def fit_ridge(
    vectors_ND: NDArray[np.floating], targets_N: NDArray[np.floating], *, penalty: float | None = None
) -> RidgeFit:
    """Fit a linear function with an intercept that is not penalised.

    Args:
        vectors_ND: one row per document.
        targets_N: the values to predict.
        penalty: λ; None chooses it by the squared error of rows left out.
    """
    rows = np.asarray(vectors_ND, dtype=np.float64)
    values = np.asarray(targets_N, dtype=np.float64)
    middle_D, level = rows.mean(axis=0), float(values.mean())
    centred, aims = rows - middle_D, values - level
    # U are the left singular vectors with a non-zero singular value, from whichever Gram matrix is the smaller.
    left_NR, squares_R = _left_vectors(centred)
    chosen = _choose(left_NR, squares_R, aims) if penalty is None else penalty
    # w = Xᵀ U (S² + λ)⁻¹ Uᵀ y; Xᵀ times a vector in the span of U needs no right vectors.
    weights_D = centred.T @ (left_NR @ ((left_NR.T @ aims) / (squares_R + chosen)))
    return RidgeFit(
        weights_D=weights_D,
        bias=level - float(middle_D @ weights_D),
        penalty=chosen,
        left_NR=left_NR,
        shrink_R=squares_R / (squares_R + chosen),
        targets_N=values,
    )


def _left_vectors(centred_ND: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count, width = centred_ND.shape
    # Hashed vectors have 4,096 dimensions and a labelled set some hundred rows: the side of the rows is the cheap one.
    if count <= width:
        squares, vectors = np.linalg.eigh(centred_ND @ centred_ND.T)
        stay = squares > _rounding(squares, count)
        return vectors[:, stay], squares[stay]
    squares, right = np.linalg.eigh(centred_ND.T @ centred_ND)
    stay = squares > _rounding(squares, width)
    return centred_ND @ right[:, stay] / np.sqrt(squares[stay]), squares[stay]


def _rounding(squares: NDArray[np.float64], size: int) -> float:
    """What an eigenvalue that is zero may be by rounding."""
    return float(squares.max(initial=0.0)) * size * np.finfo(np.float64).eps


def _choose(left_NR: NDArray[np.float64], squares_R: NDArray[np.float64], aims_N: NDArray[np.float64]) -> float:
    """The penalty with the least squared error of rows that are left out."""
    if not len(squares_R):
        return 1.0  # all vectors are equal, and every penalty gives the mean
    scale = float(squares_R.mean())
    best, best_error = PENALTIES[0] * scale, np.inf
    for relative in PENALTIES:
        shrink_R = squares_R / (squares_R + relative * scale)
        fitted_N = left_NR @ (shrink_R * (left_NR.T @ aims_N))
        # The intercept fits every row by 1/N of itself.
        leverage_N = (left_NR**2) @ shrink_R + 1 / len(aims_N)
        # A row with a leverage of 1 is fitted by itself alone; its error when left out is unknown, and must not be a
        # nan.
        error = float((((aims_N - fitted_N) / np.maximum(1 - leverage_N, 1e-9)) ** 2).mean())
        if error < best_error:
            best, best_error = relative * scale, error
    return best
