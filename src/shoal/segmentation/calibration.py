"""How far a head's evidence may be trusted, fitted on texts that it was not trained on.

`calibrate_false_alarms` is for cutting: texts of one class differ among themselves by more than chance, so a head gets
as much weight as leaves documents of one class, each made of passages of different texts, almost whole.
`fit_open_set` is for naming: how probable each class is of a segment, and that it is of none of them.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from shoal.errors import DataError
from shoal.segmentation.channels import Features
from shoal.segmentation.heads import OpenSet
from shoal.segmentation.segmenter import segment_features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.segmentation.heads import ClassifierHead
    from shoal.segmentation.training import LabelledText

FACTORS = tuple(round(0.5 * 2 ** (step / 4), 3) for step in range(15))
"""From a half to 5.7, each a fifth more than the one before."""

# Sentences of a passage, as in the documents of `benchmarks/registers.py`.
_SHORTEST, _LONGEST = 25, 45
_PASSAGES = 5
_MIN_TEXTS = 3

_OPEN_SHORTEST, _OPEN_LONGEST = 5, 400
"""Sentences of a passage: segments are from a scene to a whole article long."""

_OPEN_PASSAGES = 6

_OUTSIDE_WEIGHT = 0.5
"""The weight of texts of no class, which are few and of two kinds alone in the recipe, relative to texts of classes."""


def calibrate_false_alarms(
    head: ClassifierHead, texts: Sequence[LabelledText], *, target_rate: float = 0.4, documents: int = 40, seed: int = 0
) -> float:
    """The greatest factor of the head's evidence at which documents of one class get few false cuts.

    Args:
        head: trained on other texts.
        texts: of known class; a class needs three of at least 25 sentences.
        target_rate: the maximum mean number of cuts per document.
        documents: the number of documents made, each of five passages of 25 to 45 sentences.
        seed: random seed of the documents.

    Raises:
        DataError: no class has enough texts, or the smallest factor leaves too many false cuts.
    """
    read = [head.likelihoods(sentences) for sentences in one_class_documents(texts, documents, seed)]
    best = None
    for factor in FACTORS:
        # More evidence makes more cuts, so no greater factor can do.
        if (found := _cuts_per_document(read, factor)) > target_rate:
            break
        best = factor
    if best is None:
        raise DataError(
            f"with {FACTORS[0]} of its evidence the head still cuts documents of one class {found:.2g} times each, and "
            f"{target_rate:g} times are wanted at most; train it on more texts, or take a higher target_rate"
        )
    return best


def _cuts_per_document(read: Sequence[NDArray[np.float64]], factor: float) -> float:
    """The mean number of cuts in documents of given likelihoods, the evidence scaled."""
    scaled = (Features(likelihoods=factor * likelihoods) for likelihoods in read)
    return float(np.mean([len(segment_features(features).cuts) for features in scaled]))


def scale_evidence(head: ClassifierHead, factor: float) -> ClassifierHead:
    """The same head with its evidence multiplied by a factor.

    Args:
        head: any head.
        factor: from `calibrate_false_alarms`.
    """
    return dataclasses.replace(head, evidence_scale=head.evidence_scale * factor)


def one_class_documents(texts: Sequence[LabelledText], documents: int, seed: int) -> list[list[str]]:
    """Documents of one class each, made of passages of different texts in turn.

    Args:
        texts: of known class.
        documents: their number.
        seed: random seed.

    Raises:
        DataError: no class has enough texts.
    """
    by_class: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for text in texts:
        if len(text.sentences) >= _SHORTEST:
            by_class[text.label].append(text.sentences)
    enough = sorted(label for label, found in by_class.items() if len(found) >= _MIN_TEXTS)
    if not enough:
        raise DataError(f"no class has {_MIN_TEXTS} texts of {_SHORTEST} sentences to calibrate a head on")
    rng = np.random.default_rng(seed)
    made: list[list[str]] = []
    for _ in range(documents):
        found = by_class[enough[rng.integers(len(enough))]]
        order = rng.permutation(len(found))
        # A class has at least three texts, so one that is used twice never follows itself.
        chosen = [found[order[piece % len(order)]] for piece in range(_PASSAGES)]
        made.append([sentence for sentences in chosen for sentence in _passage(sentences, rng)])
    return made


def _passage(sentences: Sequence[str], rng: np.random.Generator) -> Sequence[str]:
    length = min(len(sentences), int(rng.integers(_SHORTEST, _LONGEST + 1)))
    start = int(rng.integers(len(sentences) - length + 1))
    return sentences[start : start + length]


def fit_open_set(
    head: ClassifierHead, known: Sequence[LabelledText], others: Sequence[Sequence[str]], *, seed: int = 0
) -> OpenSet:
    """The numbers at which passages of 5 to 400 sentences are predicted best; those of no class weigh half as much.

    Args:
        head: not trained on any of the texts.
        known: texts of its classes.
        others: the sentences of texts of none of them.
        seed: random seed of the passages.

    Raises:
        DataError: no text of a class has a passage, or a text is of a class that the head does not have.
    """
    strange = next((text.label for text in known if text.label not in head.classes), None)
    if strange is not None:
        raise DataError(f"a text is of the class {strange!r}; the head knows {', '.join(head.classes)}")
    rng = np.random.default_rng(seed)
    texts = [(head.classes.index(text.label), text.sentences) for text in known]
    texts += [(len(head.classes), tuple(sentences)) for sentences in others]
    rows = [(label, mean_C) for label, sentences in texts for mean_C in _mean_likelihoods(head, sentences, rng)]
    inside = np.array([label < len(head.classes) for label, _ in rows], dtype=bool)
    if not inside.any():
        raise DataError(f"no text of a class has {_OPEN_SHORTEST} sentences to fit an open set on; give longer ones")
    weights = np.where(inside, 1 / inside.sum(), _OUTSIDE_WEIGHT / max(1, (~inside).sum()))

    def loss(numbers: NDArray[np.float64]) -> float:
        # The scale is searched as its logarithm, which keeps it above 0.
        given = OpenSet(scale=float(np.exp(numbers[0])), none=float(numbers[1]))
        # A probability that underflows to 0 would make the loss infinite and stop the search.
        logs = [np.log(given.probabilities(mean_C)[label] + 1e-300) for label, mean_C in rows]
        return -float(weights @ np.array(logs))

    best = minimize(loss, np.array([4.0, 3.0]), method="Nelder-Mead", options={"maxiter": 300}).x
    return OpenSet(scale=round(float(np.exp(best[0])), 3), none=round(float(best[1]), 3))


def _mean_likelihoods(
    head: ClassifierHead, sentences: Sequence[str], rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """The mean log-likelihoods of passages of a text."""
    if len(sentences) < _OPEN_SHORTEST:
        return []
    likelihoods = head.likelihoods(sentences)
    found = []
    for _ in range(_OPEN_PASSAGES):
        # Evenly on a logarithmic scale, so that short segments count as much as long ones.
        count = int(min(len(sentences), np.exp(rng.uniform(np.log(_OPEN_SHORTEST), np.log(_OPEN_LONGEST)))))
        start = int(rng.integers(len(sentences) - count + 1))
        found.append(likelihoods[start : start + count].mean(axis=0))
    return found
