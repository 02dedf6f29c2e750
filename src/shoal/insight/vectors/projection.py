"""Projection onto a plane: along the directions of most variance (PCA), or such that neighbours stay close (t-SNE).

Source: Pearson (1901) and Hotelling (1933); van der Maaten and Hinton (2008), JMLR 9:2579-2605.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError, MissingExtraError, UnknownNameError

if TYPE_CHECKING:
    import numpy.typing as npt

METHODS = ("pca", "tsne")
_NEAREST = 5
"""Neighbours of a point that are compared: about as many as a reader takes in around a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Points in a plane, and how far they can be trusted."""

    method: str
    points_N2: npt.NDArray[np.float64]

    explained_variance: float | None
    """Share of the variance that lies in the plane; None for t-SNE, which keeps no distances."""

    neighbours_preserved: float
    """Mean share of the five nearest neighbours of a point that are among its five nearest in the plane."""


def project(vectors_ND: npt.NDArray[np.float32], method: str = "pca", *, seed: int = 0) -> Projection:
    """Project vectors onto a plane.

    Args:
        vectors_ND: at least three.
        method: ``pca`` or ``tsne``.
        seed: seed of t-SNE.

    Raises:
        UnknownNameError: another method.
        DataError: fewer than three vectors.
        MissingExtraError: t-SNE without scikit-learn.
    """
    if method not in METHODS:
        raise UnknownNameError("projection", method, METHODS)
    if len(vectors_ND) < 3:
        raise DataError(f"{len(vectors_ND)} vectors cannot be projected; give at least 3")
    centred_ND = vectors_ND.astype(np.float64) - vectors_ND.mean(axis=0, dtype=np.float64)
    variance = None
    if method == "tsne":
        points_N2 = _tsne(centred_ND, seed)
    else:
        left_NK, sizes_K, _ = np.linalg.svd(centred_ND, full_matrices=False)
        total = float((sizes_K**2).sum())
        variance = float((sizes_K[:2] ** 2).sum()) / total if total else 1.0
        points_N2 = left_NK[:, :2] * sizes_K[:2]
    return Projection(
        method=method,
        points_N2=points_N2,
        explained_variance=variance,
        neighbours_preserved=_neighbours_preserved(centred_ND, points_N2),
    )


def _tsne(centred_ND: np.ndarray, seed: int) -> np.ndarray:
    """t-SNE initialised by PCA, with a perplexity that the number of points allows."""
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise MissingExtraError("vectors", "t-SNE") from error
    perplexity = min(30.0, max(1.0, (len(centred_ND) - 1) / 3))
    made = TSNE(perplexity=perplexity, init="pca" if centred_ND.shape[1] > 1 else "random", random_state=seed, n_jobs=1)
    points_N2: np.ndarray = made.fit_transform(centred_ND.astype(np.float32)).astype(np.float64)
    return points_N2


def _neighbours_preserved(before_ND: np.ndarray, after_N2: np.ndarray) -> float:
    count = min(_NEAREST, len(before_ND) - 1)
    near = [_nearest(points, count) for points in (before_ND, after_N2)]
    return float(np.mean([np.isin(one, other).mean() for one, other in zip(*near, strict=True)]))


def _nearest(points: np.ndarray, count: int) -> np.ndarray:
    """The nearest others of each point (N × count) by Euclidean distance."""
    squares = (points**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    nearest: np.ndarray = np.argsort(distances, axis=1, kind="stable")[:, :count]
    return nearest
