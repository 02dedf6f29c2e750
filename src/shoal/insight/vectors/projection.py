"""Many dimensions drawn in two: the directions of most variance (PCA), or neighbourhoods kept together (t-SNE).

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Points of a plane."""

    method: str
    points_N2: npt.NDArray[np.float64]
    faithful: float
    """PCA: the share of the variance that is drawn. t-SNE: the share of each point's five nearest that stay so."""


def project(vectors_ND: npt.NDArray[np.float32], method: str = "pca", *, seed: int = 0) -> Projection:
    """Project vectors onto a plane.

    Args:
        vectors_ND: at least three.
        method: ``pca`` or ``tsne``.
        seed: of t-SNE.

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
    if method == "tsne":
        return _tsne(centred_ND, seed)
    left_NK, sizes_K, _ = np.linalg.svd(centred_ND, full_matrices=False)
    total = float((sizes_K**2).sum())
    share = float((sizes_K[:2] ** 2).sum()) / total if total else 1.0
    return Projection(method=method, points_N2=left_NK[:, :2] * sizes_K[:2], faithful=share)


def _tsne(centred_ND: np.ndarray, seed: int) -> Projection:
    """t-SNE from the PCA, with a perplexity that the number of points allows."""
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise MissingExtraError("vectors", "t-SNE") from error
    perplexity = min(30.0, max(1.0, (len(centred_ND) - 1) / 3))
    made = TSNE(perplexity=perplexity, init="pca" if centred_ND.shape[1] > 1 else "random", random_state=seed, n_jobs=1)
    points_N2 = made.fit_transform(centred_ND.astype(np.float32)).astype(np.float64)
    return Projection(method="tsne", points_N2=points_N2, faithful=_kept_neighbours(centred_ND, points_N2))


def _kept_neighbours(before_ND: np.ndarray, after_N2: np.ndarray) -> float:
    """The mean share of the nearest that stay nearest."""
    count = min(5, len(before_ND) - 1)
    near = [_nearest(points, count) for points in (before_ND, after_N2)]
    return float(np.mean([np.isin(one, other).mean() for one, other in zip(*near, strict=True)]))


def _nearest(points: np.ndarray, count: int) -> np.ndarray:
    squares = (points**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    nearest: np.ndarray = np.argsort(distances, axis=1, kind="stable")[:, :count]
    return nearest
