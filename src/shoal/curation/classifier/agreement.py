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
            f"F1 {at}": f"{self.f1} (all taken as positive: {self.f1_of_all:.3f})",
            "F1, mean of both sides": str(self.f1_macro),
            "quadratic weighted kappa": str(self.kappa),
            "same label": str(self.accuracy),
        }
        return "\n".join(f"{name:26} {value}" for name, value in rows.items())


def measure_agreement(
    labels: Sequence[int],
    scores: Sequence[float],
    *,
    threshold: int,
    groups: Sequence[str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> LabelAgreement:
    """Measure how well scores agree with labels.

    A score counts as the nearest label, so a document is taken as positive from half below the threshold on (as in
    FineWeb-Edu, Penedo et al. 2024, section 4).

    Args:
        labels: whole numbers.
        scores: predictions of them, of documents that were not trained on.
        threshold: the label from which on a document is positive.
        groups: of the documents, which are resampled as a whole; None makes each its own.
        draws: bootstrap samples.
        seed: of the drawing.

    Raises:
        DataError: the labels are all of one kind, or none or all reach the threshold.
    """
    truth, classes = check_labels(labels, threshold), sorted(set(labels))
    low, high = classes[0], classes[-1]
    guess = np.clip(np.floor(np.asarray(scores, dtype=np.float64) + 0.5), low, high).astype(np.int64)
    tables = resample_confusion(truth - low, guess - low, classes=high - low + 1, groups=groups, draws=draws, seed=seed)
    cut = threshold - low
    share = float((truth >= threshold).mean())
    return LabelAgreement(
        documents=len(truth),
        positive=int((truth >= threshold).sum()),
        threshold=threshold,
        f1=tables.estimate(lambda counts: _f1(counts, cut)[0]),
        f1_macro=tables.estimate(lambda counts: _f1(counts, cut)[1]),
        f1_of_all=2 * share / (1 + share),
        kappa=tables.estimate(weighted_kappa),
        accuracy=tables.estimate(accuracy),
    )


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
