"""Which documents to label next: those that a head is least sure of, and that are unlike each other.

The choice covers the pool (k-center greedy: Sener and Savarese 2018, ICLR, algorithm 1), beginning from what is
labelled. Where there are labels, each distance is multiplied by the doubt about the document: the predictive deviation
of a ridge regression (Bishop 2006, equation 3.59), which grows in directions that the labels do not fix, less where the
prediction is far from the threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.curation.classifier.ridge import fit_ridge
from shoal.curation.cover import farthest_first
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


_LEAST_DOUBT = 1e-200
"""Far below any doubt that matters, and far enough above 0 for its product with a distance."""


def choose_documents(
    pool_ND: NDArray[np.floating],
    count: int,
    *,
    labelled_MD: NDArray[np.floating] | None = None,
    labels: Sequence[int] = (),
    threshold: float = 2.5,
    seed: int = 0,
) -> list[int]:
    """Places of the documents of a pool to label next.

    Args:
        pool_ND: vectors of documents without a label.
        count: how many to choose.
        labelled_MD: vectors of the documents with a label; None where there are none.
        labels: theirs; none to cover the pool alone.
        threshold: the score at which a document becomes good, where sureness matters most.
        seed: of the first document, where nothing is labelled.

    Raises:
        UsageError: more are wanted than there are, or the labels do not fit their vectors.
    """
    if not 0 < count <= len(pool_ND):
        raise UsageError(f"{count} of {len(pool_ND)} documents cannot be chosen; give 1 to {len(pool_ND)}")
    if labelled_MD is None or not labels:
        return farthest_first(pool_ND, count, start=labelled_MD, seed=seed)
    if len(labelled_MD) != len(labels):
        raise UsageError(f"there are {len(labels)} labels for {len(labelled_MD)} vectors; give one for each")
    doubt_N = doubts(pool_ND, labelled_MD, labels, threshold)
    return farthest_first(pool_ND, count, start=labelled_MD, weights_N=doubt_N, seed=seed)


def doubts(
    pool_ND: NDArray[np.floating], labelled_MD: NDArray[np.floating], labels: Sequence[int], threshold: float
) -> NDArray[np.float64]:
    """How unsure a ridge regression on the labels is of each document of a pool, shape (N,).

    Args:
        pool_ND: vectors of documents.
        labelled_MD: vectors of the documents with a label.
        labels: theirs.
        threshold: the score at which a document becomes good.
    """
    known = np.asarray(labelled_MD, dtype=np.float64)
    targets = np.asarray(labels, dtype=np.float64)
    fit = fit_ridge(known, targets)
    middle_D = known.mean(axis=0)
    centred_MD, others_ND = known - middle_D, np.asarray(pool_ND, dtype=np.float64) - middle_D
    # By Woodbury: x'(X'X + λ)⁻¹x = (|x|² - k'(XX' + λ)⁻¹k) / λ with k = Xx, which takes labels and not dimensions.
    kernel_MN = centred_MD @ others_ND.T
    solved_MN = np.linalg.solve(centred_MD @ centred_MD.T + fit.penalty * np.eye(len(known)), kernel_MN)
    variance_N = ((others_ND**2).sum(axis=1) - (kernel_MN * solved_MN).sum(axis=0)) / fit.penalty
    # Of few labels in many dimensions the fit has hardly any error, by which every document would be as sure as those
    # that are labelled; the error of rows that are left out is that of a new document.
    noise = float(np.mean((targets - fit.predict_left_out(range(len(known)))) ** 2)) or 1.0
    # Rounding can bring the variance of a labelled document just below 0.
    deviation_N = np.sqrt(noise * (1 + np.maximum(variance_N, 0.0)))
    distance_N = np.abs(fit.predict(np.asarray(pool_ND)) - threshold)
    found: NDArray[np.float64] = deviation_N * np.exp(-0.5 * (distance_N / deviation_N) ** 2)
    # Where all doubts vanish (a factor of 0 would hide every distance) the farthest document is still the next one.
    return np.maximum(found, _LEAST_DOUBT)
