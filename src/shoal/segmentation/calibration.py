"""How far a head's evidence may be trusted where nothing changes: on texts of one class that it was not trained on.

Texts of one class differ among themselves by more than chance. So a head is given as much weight as leaves documents of
one class, each made of stretches of different texts, almost whole.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError
from shoal.segmentation.features import Features
from shoal.segmentation.reading import read_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.segmentation.heads import Head
    from shoal.segmentation.training import LabelledText

FACTORS = tuple(round(0.5 * 2 ** (step / 4), 3) for step in range(15))
_SHORTEST, _LONGEST = 25, 45
_PIECES = 5
_FEWEST_TEXTS = 3
_MIN_LENGTH = 2


def quiet_factor(
    head: Head, texts: Sequence[LabelledText], *, allowed: float = 0.4, documents: int = 40, seed: int = 0
) -> float:
    """The greatest factor of the head's evidence at which documents of one class get few cuts.

    Args:
        head: trained on other texts.
        texts: of known class; a class needs three of at least 25 sentences.
        allowed: cuts a document, at most, on average.
        documents: how many are made, each of five stretches of 25 to 45 sentences.
        seed: of how they are made.

    Raises:
        DataError: no class has enough texts.
    """
    read = [head.likelihoods(sentences) for sentences in one_class_documents(texts, documents, seed)]
    best = FACTORS[0]
    for factor in FACTORS:
        if _cuts_each(read, factor) > allowed:
            break
        best = factor
    return best


def _cuts_each(read: Sequence[NDArray[np.float64]], factor: float) -> float:
    """The mean number of cuts in documents whose sentences have been judged, the evidence scaled."""
    scaled = (Features(likelihoods=factor * likelihoods) for likelihoods in read)
    return float(np.mean([len(read_whole(features, _MIN_LENGTH).cuts) for features in scaled]))


def calibrated(head: Head, factor: float) -> Head:
    """The same head with its evidence scaled."""
    return dataclasses.replace(head, discount=head.discount * factor)


def one_class_documents(texts: Sequence[LabelledText], documents: int, seed: int) -> list[list[str]]:
    """Documents of one class each, made of stretches of different texts in turn.

    Raises:
        DataError: no class has enough texts.
    """
    by_class: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for text in texts:
        if len(text.sentences) >= _SHORTEST:
            by_class[text.label].append(text.sentences)
    enough = sorted(label for label, found in by_class.items() if len(found) >= _FEWEST_TEXTS)
    if not enough:
        raise DataError(f"no class has {_FEWEST_TEXTS} texts of {_SHORTEST} sentences to calibrate a head on")
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(documents):
        found = by_class[enough[rng.integers(len(enough))]]
        order = rng.permutation(len(found))
        chosen = [found[order[piece % len(order)]] for piece in range(_PIECES)]
        made.append([sentence for sentences in chosen for sentence in _stretch(sentences, rng)])
    return made


def _stretch(sentences: Sequence[str], rng: np.random.Generator) -> Sequence[str]:
    length = min(len(sentences), int(rng.integers(_SHORTEST, _LONGEST + 1)))
    start = int(rng.integers(len(sentences) - length + 1))
    return sentences[start : start + length]
