"""Tasks on which word vectors are evaluated: ranking pairs by similarity, classifying texts, classifying words.

Each task divides its items once into training, validation and test items. Scores are computed item by item, so that two
sets of vectors can be compared on the same items.

Shapes: N items, D width, L training items, C labels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from shoal.errors import DataError
from shoal.text.vectors import RankCorrelation, split_words
from shoal.textfiles import numbered_lines, read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from shoal.text.vectors import WordPairs, WordVectors

    Statistic = Callable[[np.ndarray], float]

Kind = Literal["similarity", "sentiment", "emotion", "part of speech"]
_STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)
"""Of the ridge; features are scaled to unit spread."""

_MIN_ITEMS = 60
"""Known items of a task at least: a fifth of them is its test part."""


class VectorTask(Protocol):
    """A task on which word vectors are evaluated."""

    @property
    def name(self) -> str:
        """The name of the task."""

    @property
    def kind(self) -> Kind:
        """What is predicted."""

    def judge(self, vectors: WordVectors) -> tuple[TaskOutcome, TaskOutcome]:
        """Score vectors on the validation and on the test items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutcome:
    """The scores of vectors on one part of the items."""

    items: int
    statistic: Statistic
    """From places of items, which may repeat in a bootstrap sample, to the score over them."""

    @property
    def score(self) -> float:
        """The score over every item once."""
        return self.statistic(np.arange(self.items))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTask:
    """Rank pairs of words by similarity; nothing is learned. The score is the rank correlation with people's scores."""

    pairs: WordPairs
    seed: int = 0
    name: str = ""
    kind: Kind = "similarity"

    def judge(self, vectors: WordVectors) -> tuple[TaskOutcome, TaskOutcome]:
        """Score both halves of the pairs of known words."""
        unit, places = vectors.unit(), vectors.places
        known = [(places[a], places[b], score) for a, b, score in self.pairs.pairs if {a, b} <= places.keys()]
        _check_items(self.name, len(known))
        order = np.random.default_rng(self.seed).permutation(len(known))
        firsts, seconds = (np.array([pair[side] for pair in known])[order] for side in (0, 1))
        scores = np.array([score for _, _, score in known])[order]
        cosines = np.einsum("pd,pd->p", unit[firsts], unit[seconds])
        # Nothing is learned here, so that no part is needed for training.
        half = len(known) // 2
        parts = (slice(None, half), slice(half, None))
        chosen, reported = (_ranked(cosines[part], scores[part]) for part in parts)
        return chosen, reported


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTask:
    """Classify a text or a word by the mean of its vectors, with ridge regression on each label.

    Every label has the same weight however often it occurs, so that the score is the mean share of correct items per
    label (balanced accuracy), 1 / labels by chance.
    """

    name: str
    kind: Kind
    items: tuple[tuple[tuple[str, ...], str], ...]
    """(words, label) of each item."""

    seed: int = 0
    labels: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(sorted({label for _, label in self.items})))
        if len(self.labels) < 2:
            raise DataError(f"{self.name} has {len(self.labels)} different labels; give items of at least two")

    def judge(self, vectors: WordVectors) -> tuple[TaskOutcome, TaskOutcome]:
        """Train on three fifths of the items that have a known word, and score the other two fifths."""
        rows = [[vectors.places[word] for word in words if word in vectors.places] for words, _ in self.items]
        known = [place for place, row in enumerate(rows) if row]
        _check_items(self.name, len(known))
        order = np.random.default_rng(self.seed).permutation(known)
        features_ND = np.stack([vectors.matrix[rows[place]].mean(axis=0) for place in order]).astype(np.float64)
        codes = {label: code for code, label in enumerate(self.labels)}
        labels_N = np.array([codes[self.items[place][1]] for place in order])
        learn, choose = (3 * len(order)) // 5, (4 * len(order)) // 5
        guesses_N = _guess(features_ND, labels_N, learn, len(self.labels))
        right = guesses_N == labels_N
        chosen, reported = (
            _balanced(right[part], labels_N[part]) for part in (slice(learn, choose), slice(choose, None))
        )
        return chosen, reported


def read_label_task(
    file: str | os.PathLike[str], *, name: str, kind: Kind, max_rows: int | None = None, seed: int = 0
) -> LabelTask:
    """Read lines of text, tab, label (what follows a second tab is left out); a .gz file is unpacked.

    A row with several labels (separated by commas) is left out.

    Args:
        file: UTF-8 text.
        name: name of the task.
        kind: what the labels are.
        max_rows: use this many rows at most, drawn by the seed.
        seed: seed of the drawing and of the division.

    Raises:
        DataError: a line without a tab, or fewer than two labels.
    """
    file = Path(file)
    items = []
    for number, line in numbered_lines(read_text(file)):
        parts = line.split("\t")
        if len(parts) < 2:
            raise DataError(f"{file}, line {number}: expected a text, a tab and a label, not {line[:60]!r}")
        if "," not in parts[1]:
            items.append((tuple(split_words(parts[0])), parts[1].strip()))
    if max_rows is not None and len(items) > max_rows:
        items = [items[place] for place in np.random.default_rng(seed).permutation(len(items))[:max_rows]]
    return LabelTask(name=name, kind=kind, items=tuple(items), seed=seed)


def _check_items(name: str, items: int) -> None:
    if items < _MIN_ITEMS:
        raise DataError(
            f"{name}: the vectors know {items} items, at least {_MIN_ITEMS} are needed; give more items or more text"
        )


def _ranked(cosines: np.ndarray, scores: np.ndarray) -> TaskOutcome:
    return TaskOutcome(items=len(scores), statistic=RankCorrelation(cosines, scores).over)


def _balanced(right: np.ndarray, labels: np.ndarray) -> TaskOutcome:
    """Correct items, each weighted by one over the frequency of its label in the part."""
    counts = np.bincount(labels)
    weights = len(labels) / (np.count_nonzero(counts) * counts[labels])
    gained = right * weights
    return TaskOutcome(items=len(right), statistic=lambda draw: float(gained[draw].mean()))


def _guess(features_ND: np.ndarray, labels_N: np.ndarray, learn: int, labels: int) -> np.ndarray:
    """Predict labels by ridge regression, with the strength chosen on the last fifth of the training items."""
    inner = (4 * learn) // 5
    own = labels_N[inner:learn]
    shares = [
        _balanced(_fit(features_ND, labels_N, inner, labels, strength)[inner:learn] == own, own).score
        for strength in _STRENGTHS
    ]
    return _fit(features_ND, labels_N, learn, labels, _STRENGTHS[int(np.argmax(shares))])


def _fit(features_ND: np.ndarray, labels_N: np.ndarray, learn: int, labels: int, strength: float) -> np.ndarray:
    """Predictions for every row from the first ``learn``: weighted least squares in closed form."""
    known_LD, own = features_ND[:learn], labels_N[:learn]
    # Every label has the same total weight, so that a rare one is not ignored.
    counts = np.bincount(own, minlength=labels)
    weights_L = 1.0 / (np.maximum(counts, 1)[own] * labels)
    mean_D = weights_L @ known_LD / weights_L.sum()
    # One spread for all dimensions: scaling each would give weight to those that hardly vary.
    spread = np.sqrt(weights_L @ (known_LD - mean_D) ** 2).mean() or 1.0
    scaled_ND = (features_ND - mean_D) / spread
    targets_LC = np.eye(labels)[own] - 1.0 / labels
    weighted_LD = scaled_ND[:learn] * weights_L[:, None]
    products_DD = weighted_LD.T @ scaled_ND[:learn]
    products_DD[np.diag_indices_from(products_DD)] += strength
    guesses: np.ndarray = (scaled_ND @ np.linalg.solve(products_DD, weighted_LD.T @ targets_LC)).argmax(axis=1)
    return guesses
