"""The geometry of a cloud of vectors: anisotropy, hubness, and its projection onto a plane.

The plane is that of most variance (PCA: Pearson 1901, Hotelling 1933), or one in which neighbours stay close (t-SNE:
van der Maaten and Hinton 2008, JMLR 9:2579-2605).

Shapes: V or N vectors, D width, R vectors that take part in hubness.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError, MissingExtraError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

_PAIRS = 20_000
"""Random pairs: the mean cosine of independent ones then has a standard error below 0.01."""

_HUB_ROWS = 4000
"""Vectors that take part in hubness: its cost grows with their square."""

_HUBS = 5

METHODS = ("pca", "tsne")
_NEAREST = 5
"""Neighbours of a point that are compared: about as many as a reader takes in around a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """The shape of a cloud of vectors."""

    space: str
    """Name of the vectors."""

    count: int
    dimension: int
    mean_cosine: float
    """Mean cosine of random pairs: 0 where directions are even, 1 where all are the same (Ethayarajh 2019,
    arXiv:1909.00512, section 3.3)."""

    mean_cosine_error: float
    """Its standard error: other vectors would have another mean (delete-one jackknife), and other pairs too."""

    centred_cosine: float
    """The same after the mean vector is subtracted, so that the common direction does not count."""

    iso_score: float
    """How evenly the variance is spread over the dimensions, 0 to 1 (Rudman et al. 2022, arXiv:2108.07344, 3)."""

    partition_ratio: float
    """Smallest over largest sum of exp(c · w) over unit directions c, the eigenvectors of WᵀW and their opposites; 1 is
    even (Mu and Viswanath 2018, arXiv:1702.01417, section 2.2)."""

    hub_skewness: float | None
    """Skewness of how often a vector is among the ten nearest (cosine) of the others: about 0 without hubs (Radovanović
    et al. 2010, JMLR 11:2487-2531, section 2); None with too few vectors."""

    orphans: float | None
    """Share of vectors that are among the nearest of no other (anti-hubs)."""

    hubs: tuple[tuple[str, int], ...]
    """The most frequent neighbours, each with the number of vectors it is a neighbour of."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Points in a plane, and how far they can be trusted."""

    method: str
    points_N2: npt.NDArray[np.float64]

    explained_variance: float | None
    """Share of the variance that lies in the plane; None for t-SNE, which keeps no distances."""

    neighbours_preserved: float
    """Mean share of the five nearest neighbours of a point that are among its five nearest in the plane."""

    trustworthiness: float
    """1 where no point is near in the plane that is far in the space, about 1/2 for a random map: one less the mean
    rank by which the five nearest in the plane lie too far (Venna and Kaski 2001, ICANN, eq. 1)."""


def measure_geometry(
    vectors_VD: Vectors, names: Sequence[str], *, space: str, neighbours: int = 10, seed: int = 0
) -> Geometry:
    """Measure anisotropy and hubness.

    Args:
        vectors_VD: at least three vectors.
        names: the name of each.
        space: name of the cloud.
        neighbours: number of nearest neighbours for hubness; at most 4000 vectors, drawn by the seed, take part.
        seed: draws pairs and vectors.

    Raises:
        DataError: fewer than three vectors.
    """
    if len(vectors_VD) < 3:
        raise DataError(f"the geometry of {len(vectors_VD)} vectors means nothing; give a text of at least 3 tokens")
    random = np.random.default_rng(seed)
    wide_VD = vectors_VD.astype(np.float64)
    centred_VD = wide_VD - wide_VD.mean(axis=0)
    mean, error = _mean_cosine(wide_VD, random)
    skewness, orphans, hubs = _hubness(wide_VD, names, neighbours, random)
    return Geometry(
        space=space,
        count=len(wide_VD),
        dimension=wide_VD.shape[1],
        mean_cosine=mean,
        mean_cosine_error=error,
        centred_cosine=_mean_cosine(centred_VD, random)[0],
        iso_score=iso_score(centred_VD),
        partition_ratio=partition_ratio(wide_VD),
        hub_skewness=skewness,
        orphans=orphans,
        hubs=hubs,
    )


def iso_score(vectors_VD: np.ndarray) -> float:
    """Compute the IsoScore: 1 where all directions have the same variance, 0 where one direction has all of it.

    Source: Rudman et al. (2022), arXiv:2108.07344, section 3.
    """
    width = vectors_VD.shape[1]
    variances_D = np.linalg.eigvalsh(np.atleast_2d(np.cov(vectors_VD, rowvar=False)))
    length = np.linalg.norm(variances_D)
    if width < 2 or length == 0:
        return 0.0
    defect = np.linalg.norm(np.sqrt(width) * variances_D / length - 1) / np.sqrt(2 * (width - np.sqrt(width)))
    used = (width - defect**2 * (width - np.sqrt(width))) ** 2 / width**2
    return float((width * used - 1) / (width - 1))


def partition_ratio(vectors_VD: np.ndarray) -> float:
    """Divide the smallest by the largest partition function along the eigenvectors of WᵀW and their opposites.

    Source: Mu and Viswanath (2018), arXiv:1702.01417, section 2.2.
    """
    _, directions_DD = np.linalg.eigh(vectors_VD.T @ vectors_VD)
    products_VD = vectors_VD @ directions_DD
    sums = np.concatenate([_log_sum(products_VD), _log_sum(-products_VD)])
    return float(np.exp(sums.min() - sums.max()))


def _log_sum(products_VD: np.ndarray) -> np.ndarray:
    top_D = products_VD.max(axis=0)  # exp overflows from 710 on
    sums: np.ndarray = top_D + np.log(np.exp(products_VD - top_D).sum(axis=0))
    return sums


def _mean_cosine(vectors_VD: np.ndarray, random: np.random.Generator) -> tuple[float, float]:
    """Over random pairs of different vectors, with its standard error."""
    count = len(vectors_VD)
    first = random.integers(count, size=_PAIRS)
    # Shifted by 1 to count - 1: never the same vector twice.
    second = (first + random.integers(1, count, size=_PAIRS)) % count
    unit_VD = vectors_VD / np.maximum(np.linalg.norm(vectors_VD, axis=1, keepdims=True), 1e-30)
    cosines = np.einsum("pd,pd->p", unit_VD[first], unit_VD[second])
    # Pairs share vectors, so that their own spread says nothing of what other vectors would give.
    return float(cosines.mean()), float(np.hypot(_jackknife_error(unit_VD), cosines.std(ddof=1) / np.sqrt(_PAIRS)))


def _jackknife_error(unit_VD: np.ndarray) -> float:
    """The standard error of the mean cosine over all pairs, as a sample of vectors (Efron and Stein 1981)."""
    count, whole_D = len(unit_VD), unit_VD.sum(axis=0)
    squares_V = np.einsum("vd,vd->v", unit_VD, unit_VD)
    # The mean without each vector, by |sum|² = squares + twice all pairs, in place of V sums over pairs.
    sums_V = whole_D @ whole_D - 2 * unit_VD @ whole_D + squares_V - (squares_V.sum() - squares_V)
    means_V = sums_V / ((count - 1) * (count - 2))
    return float(np.sqrt((count - 1) * means_V.var()))


def _hubness(
    vectors_VD: np.ndarray, names: Sequence[str], neighbours: int, random: np.random.Generator
) -> tuple[float | None, float | None, tuple[tuple[str, int], ...]]:
    """Skewness of the k-occurrence, the share of anti-hubs, and the largest hubs."""
    rows = np.sort(random.permutation(len(vectors_VD))[:_HUB_ROWS])
    if len(rows) <= 2 * neighbours:
        return None, None, ()
    unit_RD = vectors_VD[rows] / np.maximum(np.linalg.norm(vectors_VD[rows], axis=1, keepdims=True), 1e-30)
    # float32 halves the memory of the R × R matrix; ranks hardly change.
    closeness_RR = unit_RD.astype(np.float32) @ unit_RD.astype(np.float32).T
    np.fill_diagonal(closeness_RR, -np.inf)
    nearest = np.argpartition(-closeness_RR, neighbours - 1, axis=1)[:, :neighbours]
    occurrences_R = np.bincount(nearest.ravel(), minlength=len(rows))
    apart = occurrences_R - occurrences_R.mean()
    spread = occurrences_R.std()
    skewness = float((apart**3).mean() / spread**3) if spread else 0.0
    greatest = np.argsort(-occurrences_R, kind="stable")[:_HUBS]
    hubs = tuple((names[rows[place]], int(occurrences_R[place])) for place in greatest)
    return skewness, float((occurrences_R == 0).mean()), hubs


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
        trustworthiness=trustworthiness(centred_ND, points_N2),
    )


def trustworthiness(before_ND: np.ndarray, after_N2: np.ndarray, *, neighbours: int = _NEAREST) -> float:
    """Whether what is near in a map is near in the space (Venna and Kaski 2001, ICANN, eq. 1).

    Args:
        before_ND: at least three points of the space.
        after_N2: the same in the map.
        neighbours: how many of each point are looked at; fewer where the points are fewer than twice as many.
    """
    size = len(before_ND)
    count = max(1, min(neighbours, (size - 1) // 2))
    order_NN = _nearest(before_ND, size - 1)
    # Rank 1 is the nearest other point.
    ranks_NN = np.zeros((size, size), dtype=np.int64)
    np.put_along_axis(ranks_NN, order_NN, np.broadcast_to(np.arange(1, size), order_NN.shape), axis=1)
    shown_NC = np.take_along_axis(ranks_NN, _nearest(after_N2, count), axis=1)
    excess = np.maximum(shown_NC - count, 0).sum()
    return 1.0 - float(excess) * 2 / (size * count * (2 * size - 3 * count - 1))


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
