"""`train_quality_head`: from labelled documents to a head, with how it did on documents that were left out.

A ridge regression on the labels as numbers, as FineWeb-Edu's head (Penedo et al. 2024, arXiv:2406.17557, section 4).
Every document is scored by a head that was trained without its group, and without any other of the same text; the
penalty, and the score from which on a document is good, are chosen inside each training part.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.curation.classifier.agreement import LabelAgreement, check_labels, choose_cut, measure_agreement
from shoal.curation.classifier.head import QualityHead
from shoal.curation.classifier.ridge import RidgeFit, fit_ridge
from shoal.curation.classifier.vectorizers import Vectorizer, make_vectorizer
from shoal.errors import DataError, UsageError
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.curation.classifier.labels import LabelledDocument
    from shoal.progress import Progress

# Texts between two reports of the progress; a vectorizer batches by length within them.
_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityHeadReport:
    """A head, and how it did on documents that were left out."""

    head: QualityHead
    agreement: LabelAgreement
    """Of scores by heads that were trained without the document's group."""

    counts: dict[int, int]
    """Documents of each label from the lowest to the highest; 0 where there are none."""

    groups: int
    folds: int
    penalty: float
    """Of the head's ridge regression."""

    @property
    def empty_classes(self) -> list[int]:
        """Labels within the scale that no document has; the head was never shown one."""
        return [label for label, count in self.counts.items() if not count]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the weights."""
        rest = {name: getattr(self, name) for name in ("groups", "folds", "penalty", "empty_classes")}
        head = {name: getattr(self.head, name) for name in ("vectors", "low", "high", "threshold", "cut", "source")}
        return {"head": head, "agreement": asdict(self.agreement), "counts": self.counts, **rest}

    def __str__(self) -> str:
        """The agreement, and what a reader must know of the labels."""
        counts = ", ".join(f"{label}: {count:,}" for label, count in self.counts.items())
        lines = [
            f"labels                     {counts}",
            f"left out                   {self.folds} folds of {self.groups:,} groups",
            f"taken as good              from a score of {self.head.cut:.2f} on",
            str(self.agreement),
        ]
        if self.empty_classes:
            names = ", ".join(map(str, self.empty_classes))
            lines.append(f"No document has the label {names}: scores near it are guesses between its neighbours.")
        return "\n".join(lines)


def train_quality_head(
    documents: Sequence[LabelledDocument],
    *,
    vectors: str | Vectorizer = "hashed",
    threshold: int = 3,
    folds: int = 5,
    source: str = "labels of the user",
    seed: int = 0,
    progress: Progress = no_progress,
) -> QualityHeadReport:
    """Train a head on labelled documents.

    Args:
        documents: 300 to 2,000 of them give useful intervals; fewer are taken, down to two groups per fold.
        vectors: the spec of the vectors, or what makes them.
        threshold: the label from which on a document is good (3 of 0 to 5 in FineWeb-Edu).
        folds: parts that are left out in turn.
        source: what the labels are; it is saved with the head.
        seed: of the folds and of the bootstrap.
        progress: called with (what, done, total).

    Raises:
        DataError: labels of one kind, none or all at the threshold, or fewer than two groups per fold.
        UsageError: fewer than two folds.
        ShoalError: the vectors cannot be had.
    """
    if folds < 2:
        raise UsageError(f"there are {folds} folds; give at least 2")
    labels = [one.label for one in documents]
    targets_N = check_labels(labels, threshold).astype(np.float64)
    groups = _groups(documents)
    names = list(dict.fromkeys(groups))
    if len(names) < 2 * folds:
        raise DataError(
            f"{len(documents)} documents in {len(names)} groups are too few for {folds} folds; "
            f"label documents of at least {2 * folds} groups, or give fewer folds"
        )
    reader = make_vectorizer(vectors) if isinstance(vectors, str) else vectors
    vectors_ND = encode_all(reader, [one.text for one in documents], progress=progress)
    # Shuffled, since files come sorted by source or by label, and a fold of one kind would measure nothing.
    fold_of = dict(zip(np.random.default_rng(seed).permutation(names).tolist(), _deal(len(names), folds), strict=True))
    fold_N, group_N = np.array([fold_of[group] for group in groups]), np.array(groups)
    scores_N, good_N = np.zeros(len(documents)), np.zeros(len(documents), dtype=bool)
    for fold in range(folds):
        progress("folds", fold, folds)
        out_N = fold_N == fold
        fit, cut = _fit(vectors_ND[~out_N], targets_N[~out_N], group_N[~out_N].tolist(), threshold)
        scores_N[out_N] = np.clip(fit.predict(vectors_ND[out_N]), min(labels), max(labels))
        good_N[out_N] = scores_N[out_N] >= cut
    progress("folds", folds, folds)
    # The head that is given out learns from all; what is reported of it is what the heads of the folds reached.
    fit, cut = _fit(vectors_ND, targets_N, group_N.tolist(), threshold)
    counts = Counter(labels)
    head = QualityHead(
        weights_D=fit.weights_D.astype(np.float32),
        bias=fit.bias,
        vectors=reader.spec,
        digest=reader.digest,
        low=min(labels),
        high=max(labels),
        threshold=threshold,
        cut=cut,
        source=source,
    )
    return QualityHeadReport(
        head=head,
        agreement=measure_agreement(
            labels,
            scores_N.tolist(),
            threshold=threshold,
            good=good_N.tolist(),
            groups=groups,
            seed=seed,
        ),
        counts={label: counts[label] for label in range(min(labels), max(labels) + 1)},
        groups=len(names),
        folds=folds,
        penalty=fit.penalty,
    )


def encode_all(reader: Vectorizer, texts: Sequence[str], *, progress: Progress = no_progress) -> NDArray[np.float32]:
    """The vectors of many texts, shape (texts, dimensions).

    Args:
        reader: what makes them.
        texts: at least one.
        progress: called with (what, done, total).
    """
    parts = []
    for start in range(0, len(texts), _AT_ONCE):
        progress("vectors", start, len(texts))
        parts.append(reader.encode(texts[start : start + _AT_ONCE]))
    progress("vectors", len(texts), len(texts))
    return np.concatenate(parts)


def _fit(
    vectors_ND: NDArray[np.float32], targets_N: NDArray[np.float64], groups: Sequence[str], threshold: int
) -> tuple[RidgeFit, float]:
    """The fit, and the score from which on a document is good, chosen by scores of fits without the document's group.

    A fold without a document at the threshold gives no evidence of a better cut than rounding.
    """
    fit = fit_ridge(vectors_ND, targets_N)
    positive_N = targets_N >= threshold
    if not positive_N.any():
        return fit, threshold - 0.5
    scores_N = np.clip(fit.predict_left_out(groups), targets_N.min(), targets_N.max())
    return fit, choose_cut(positive_N, scores_N)


def _groups(documents: Sequence[LabelledDocument]) -> list[str]:
    """The group of each document, groups that share a text being one, since a fold must not know its texts."""
    first: dict[str, str] = {}
    joined = {one.group: one.group for one in documents}

    def root(group: str) -> str:
        while joined[group] != group:
            group = joined[group]
        return group

    for one in documents:
        joined[root(one.group)] = root(first.setdefault(" ".join(one.text.split()), one.group))
    return [root(one.group) for one in documents]


def _deal(count: int, folds: int) -> list[int]:
    """Folds of as equal sizes as can be."""
    return [place % folds for place in range(count)]
