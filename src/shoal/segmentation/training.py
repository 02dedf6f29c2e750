"""`train_head`: from labelled texts to a head.

Multinomial logistic regression on passages (runs of sentences of a text), every class weighing the same, with a ridge.
The ridge and the scale of the evidence are chosen on texts that were held out whole: a text's sentences are alike in
more than their class, and only other texts show how far a head may be trusted. The scale is the factor on the
log-likelihoods at which the held-out passages are predicted best (temperature scaling: Guo et al. 2017, ICML, section
4.2).
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.segmentation.heads import ClassifierHead, feature_matrix
from shoal.segmentation.sentence_features import READERS
from shoal.statistics import fit_softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RIDGES = (3e-4, 1e-3, 3e-3, 1e-2)
"""Half a decade apart: features are scaled, so one range does for texts of any size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A text of one class."""

    label: str

    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedHead:
    """A head, and how it did on texts that were held out."""

    head: ClassifierHead

    ridge: float
    """The chosen one of `RIDGES`."""

    accuracy: float
    """Share of held-out passages whose most likely class is theirs, each class weighing the same."""


def train_head(
    texts: Sequence[LabelledText],
    *,
    reader: str,
    source: str,
    passage: int = 1,
    held_out_passage: int | None = None,
    min_count: int = 10,
    max_features: int = 30_000,
    seed: int = 0,
) -> TrainedHead:
    """Train a head on texts of known class.

    Args:
        texts: at least two of each of at least two classes.
        reader: how a sentence is read: ``"style"`` or ``"phrases"``.
        source: what the texts are, with their licence; it is saved with the head.
        passage: the number of sentences of a training row.
        held_out_passage: the number of sentences of a held-out row, on which the ridge and the scale of the evidence
            are chosen; about as many as segments will have. By default the same.
        min_count: the minimum number of sentences that a feature must be in.
        max_features: only this many of the most frequent features are used.
        seed: random seed of the texts that are held out.

    Raises:
        DataError: too few classes or texts.
        UnknownNameError: there is no such reader.
        UsageError: a passage of fewer than one sentence.
    """
    if reader not in READERS:
        raise UnknownNameError("reader", reader, READERS)
    held_out_passage = passage if held_out_passage is None else held_out_passage
    if min(passage, held_out_passage) < 1:
        raise UsageError(f"passage = {passage} and held_out_passage = {held_out_passage}: give one sentence or more")
    classes = _classes(texts)
    features = _vocabulary(texts, reader, min_count, max_features)
    is_held_out = _held_out(texts, classes, seed)
    seen = [text for text, out in zip(texts, is_held_out, strict=True) if not out]
    unseen = [text for text, out in zip(texts, is_held_out, strict=True) if out]
    rows, labels, _ = _passages(seen, classes, features, reader, passage)
    held_out = _passages(unseen, classes, features, reader, held_out_passage)
    fits = [_fit(rows, labels, len(classes), ridge) for ridge in RIDGES]
    losses = [_scaled(weights, bias, *held_out) for weights, bias in fits]
    best = int(np.argmin([loss for _, loss in losses]))
    weights, bias = fits[best]
    accuracy = _accuracy(held_out[0] @ weights + bias, held_out[1])
    # The head itself learns from all texts; only the ridge and the scale come from those held out.
    rows, labels, _ = _passages(texts, classes, features, reader, passage)
    weights, bias = _fit(rows, labels, len(classes), RIDGES[best])
    head = ClassifierHead(
        classes=classes,
        features=features,
        # Rounded as in its file, so that a head that was saved and read gives the same evidence.
        weights_FC=weights.astype(np.float16).astype(np.float32),
        bias_C=bias.astype(np.float32),
        reader=reader,
        evidence_scale=losses[best][0],
        source=source,
    )
    return TrainedHead(head=head, ridge=RIDGES[best], accuracy=accuracy)


def _classes(texts: Sequence[LabelledText]) -> tuple[str, ...]:
    counts = Counter(text.label for text in texts)
    few = [name for name, count in counts.items() if count < 2]
    if len(counts) < 2 or few:
        what = f"class {few[0]!r} has {counts[few[0]]} texts" if few else f"there are {len(counts)} classes"
        raise DataError(f"{what}; a head needs at least two classes with two texts each")
    return tuple(sorted(counts))


def _vocabulary(texts: Sequence[LabelledText], reader: str, min_count: int, max_features: int) -> tuple[str, ...]:
    counts: Counter[str] = Counter()
    for text in texts:
        for sentence in text.sentences:
            # The keys alone: what counts is in how many sentences a feature is, not its shares.
            counts.update(READERS[reader](sentence).keys())
    frequent = [name for name, count in counts.most_common(max_features) if count >= min_count]
    return tuple(sorted(frequent))


def _held_out(texts: Sequence[LabelledText], classes: Sequence[str], seed: int) -> list[bool]:
    """A fifth of each class's texts, at least one."""
    rng = np.random.default_rng(seed)
    chosen: set[int] = set()
    for name in classes:
        places = [place for place, text in enumerate(texts) if text.label == name]
        chosen.update(rng.choice(places, size=max(1, len(places) // 5), replace=False).tolist())
    return [place in chosen for place in range(len(texts))]


def _passages(
    texts: Sequence[LabelledText], classes: Sequence[str], features: Sequence[str], reader: str, length: int
) -> tuple[Any, NDArray[np.intp], NDArray[np.float64]]:
    """Means of the square roots over passages, their classes, and their numbers of sentences."""
    sentences = [sentence for text in texts for sentence in text.sentences]
    roots = feature_matrix(sentences, features, reader).sqrt()
    groups, labels, group = [], [], -1
    for text in texts:
        count = len(text.sentences)
        parts = max(1, round(count / length))
        edges = [count * part // parts for part in range(parts + 1)]
        for start, stop in itertools.pairwise(edges):
            group += 1
            groups += [group] * (stop - start)
            labels.append(classes.index(text.label))
    sizes = np.bincount(groups, minlength=group + 1).astype(float)
    mean = sparse.csr_array((1 / sizes[groups], (groups, np.arange(len(groups)))), shape=(group + 1, len(groups)))
    return mean @ roots, np.array(labels), sizes


def _fit(
    rows: Any, labels: NDArray[np.intp], classes: int, ridge: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and bias that minimise the weighted log loss and the ridge.

    A feature is divided by the fourth root of its mean square, half the way to features of equal size.
    """
    scale = 1 / np.sqrt(np.maximum(np.asarray(rows.power(2).mean(axis=0)).ravel(), 1e-12)) ** 0.5
    scaled_rows = rows @ sparse.diags_array(scale)
    weight = 1 / np.bincount(labels, minlength=classes)[labels] / classes
    weights, bias = fit_softmax(scaled_rows, labels, classes=classes, ridge=ridge, weights_N=weight)
    return weights * scale[:, None], bias


def _scaled(
    weights: NDArray[np.float64],
    bias: NDArray[np.float64],
    rows: Any,
    labels: NDArray[np.intp],
    sizes: NDArray[np.float64],
) -> tuple[float, float]:
    """The scale of one sentence's evidence at which the rows are predicted best, and their log loss with it."""
    # Rows are means, while the evidence of a passage is the sum over its sentences.
    scores = (rows @ weights + bias) * sizes[:, None]
    weight = 1 / np.bincount(labels, minlength=len(bias))[labels] / len(bias)

    def loss(log_scale: float) -> float:
        logs = np.exp(log_scale) * scores
        return float((weight * (logsumexp(logs, axis=1) - logs[np.arange(len(labels)), labels])).sum())

    found = minimize_scalar(loss, bounds=(np.log(1e-3), np.log(10)), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def _accuracy(scores: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    right = scores.argmax(axis=1) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))
