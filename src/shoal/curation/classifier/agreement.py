"""How well scores agree with labels: F1 at a threshold and quadratic weighted kappa, with bootstrap intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.statistics import DRAWS, Estimate, accuracy, resample_confusion, weighted_kappa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgreement:
    """How well scores agree with labels."""

    documents: int
    positive: int
    """Documents with a label of at least the threshold."""

    threshold: int
    f1: Estimate
    """Of the documents at or above the threshold."""

    f1_macro: Estimate
    """The mean of that and of the F1 of the documents below it."""

    f1_rounded: Estimate
    """`f1` if documents whose rounded score reaches the threshold are taken as good, as FineWeb-Edu does."""

    f1_of_all: float
    """The F1 of taking every document as positive: what knows nothing reaches this."""

    kappa: Estimate
    """Quadratic weighted (Cohen 1968, Psychological Bulletin 70:213-220) between rounded scores and labels."""

    accuracy: Estimate
    """The share of rounded scores that equal the label."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """The numbers, one a line."""
        at = f"at {self.threshold} or above"
        rows = {
            "documents": f"{self.documents:,}, of which {self.positive:,} {at}",
            f"F1 {at}": f"{self.f1:.3f} (all taken as positive: {self.f1_of_all:.3f})",
            "F1, mean of both sides": f"{self.f1_macro:.3f}",
            "F1 of rounded scores": f"{self.f1_rounded:.3f}",
            "quadratic weighted kappa": f"{self.kappa:.3f}",
            "same label": f"{self.accuracy:.3f}",
        }
        return "\n".join(f"{name:26} {value}" for name, value in rows.items())


def measure_agreement(
    labels: Sequence[int],
    scores: Sequence[float],
    *,
    threshold: int,
    good: Sequence[bool] | None = None,
    groups: Sequence[str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> LabelAgreement:
    """Measure how well scores agree with labels.

    For kappa a score counts as the nearest label.

    Args:
        labels: whole numbers.
        scores: predictions of them, of documents that were not trained on.
        threshold: the label from which on a document is positive.
        good: whether each document is taken as positive, by what was not trained on it; None takes those whose rounded
            score reaches the threshold (FineWeb-Edu, Penedo et al. 2024, arXiv:2406.17557, section 4).
        groups: of the documents, which are resampled as a whole; None makes each its own.
        draws: bootstrap samples.
        seed: of the drawing.

    Raises:
        DataError: the labels are all of one kind, or none or all reach the threshold.
    """
    truth, classes = check_labels(labels, threshold), sorted(set(labels))
    low, high = classes[0], classes[-1]
    # Halves go up, where NumPy's rounding to even would take 2.5 for 2 and 3.5 for 4.
    guess = np.clip(np.floor(np.asarray(scores, dtype=np.float64) + 0.5), low, high).astype(np.int64)
    tables = resample_confusion(truth - low, guess - low, classes=high - low + 1, groups=groups, draws=draws, seed=seed)
    sides = resample_confusion(
        (truth >= threshold).astype(np.int64),
        (guess >= threshold if good is None else np.asarray(good, dtype=bool)).astype(np.int64),
        classes=2,
        groups=groups,
        draws=draws,
        seed=seed,
    )
    share = float((truth >= threshold).mean())
    return LabelAgreement(
        documents=len(truth),
        positive=int((truth >= threshold).sum()),
        threshold=threshold,
        f1=sides.estimate(lambda counts: _f1(counts, 1)[0]),
        f1_macro=sides.estimate(lambda counts: _f1(counts, 1)[1]),
        f1_rounded=tables.estimate(lambda counts: _f1(counts, threshold - low)[0]),
        # Precision is the share, recall 1.
        f1_of_all=2 * share / (1 + share),
        kappa=tables.estimate(weighted_kappa),
        accuracy=tables.estimate(accuracy),
    )


def choose_cut(positive_N: NDArray[np.bool_], scores_N: NDArray[np.float64]) -> float:
    """The score from which on documents are best taken as positive: the one with the highest F1.

    A regression on labels that are mostly low predicts few high ones, so that rounding its scores finds few of the
    documents that have them.

    Args:
        positive_N: whether each document is positive; at least one is.
        scores_N: by heads that were not trained on the document.
    """
    order_N = np.argsort(-scores_N, kind="stable")
    scores_N, hits_N = scores_N[order_N], np.cumsum(positive_N[order_N])
    # F1 of taking the first n: twice the hits over those taken plus all positive ones.
    f1_N = 2 * hits_N / (np.arange(1, len(scores_N) + 1) + hits_N[-1])
    # Documents of one score are taken together.
    f1_N[:-1][scores_N[1:] == scores_N[:-1]] = -1
    best = int(f1_N.argmax())
    # Halfway to the next score, so that rounding of another machine does not move a document across the cut.
    below = scores_N[best + 1] if best + 1 < len(scores_N) else scores_N[best]
    return float((scores_N[best] + below) / 2)


def check_labels(labels: Sequence[int], threshold: int) -> NDArray[np.int64]:
    """The labels as an array.

    Args:
        labels: whole numbers.
        threshold: the label from which on a document is positive.

    Raises:
        DataError: they are all of one kind, or none or all reach the threshold.
    """
    found = np.asarray(labels, dtype=np.int64)
    if len(set(labels)) < 2:
        what = f"all {len(labels)} labels are {labels[0]}" if len(labels) else "there are no labels"
        raise DataError(f"{what}; give labels of at least two kinds")
    above = int((found >= threshold).sum())
    if above in (0, len(found)):
        what = "none" if above == 0 else "all"
        raise DataError(
            f"{what} of the {len(found)} labels ({found.min()} to {found.max()}) reach the threshold {threshold}; "
            "give a threshold that parts them, or label more documents"
        )
    return found


def _f1(tables: NDArray[np.floating], cut: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """F1 of the classes from ``cut`` on, and the mean of it and that of the others."""
    hit = tables[..., cut:, cut:].sum(axis=(-2, -1))
    miss, alarm = tables[..., cut:, :cut].sum(axis=(-2, -1)), tables[..., :cut, cut:].sum(axis=(-2, -1))
    rest = tables[..., :cut, :cut].sum(axis=(-2, -1))
    wrong = miss + alarm
    sides = [2 * right / np.maximum(2 * right + wrong, 1) for right in (hit, rest)]
    return sides[0], (sides[0] + sides[1]) / 2
