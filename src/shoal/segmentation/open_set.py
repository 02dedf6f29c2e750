"""How probable each class is of a whole segment, and that it is of none: a head knows nothing beside its classes.

Sentences of a text are alike, so the evidence of n of them does not grow with n: what counts is the mean log-likelihood
of a sentence, times ``scale``. A further class whose score is always ``none`` stands for every text
of no class; a segment that no class explains better than the others do falls to it. The two numbers are fitted on
texts that the head was not trained on, some of its classes and some of none.

Source: Guo et al. (2017), ICML, for the scale (temperature); Bendale and Boult (2016), CVPR, for open sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.segmentation.heads import Head
    from shoal.segmentation.training import LabelledText

NONE = "none of these"
_PIECES = 6
_SHORTEST, _LONGEST = 5, 400
_WEIGHT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSet:
    """What turns the likelihoods of a segment's sentences into probabilities."""

    scale: float
    none: float

    def probabilities(self, mean_C: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each class, and at the end of none of them (C + 1).

        Args:
            mean_C: the mean log-likelihood of a sentence under each class, as a head gives it.
        """
        scores = self.scale * (mean_C - mean_C.mean())
        found: NDArray[np.float64] = softmax(np.append(scores, self.none))
        return found


def fit_open_set(
    head: Head, known: Sequence[LabelledText], others: Sequence[Sequence[str]], *, seed: int = 0
) -> OpenSet:
    """The numbers at which stretches of 5 to 400 sentences are predicted best; those of no class weigh half as much.

    Args:
        head: not trained on any of the texts.
        known: texts of its classes.
        others: the sentences of texts of none of them.
        seed: of the stretches.
    """
    rng = np.random.default_rng(seed)
    texts = [(head.classes.index(text.label), text.sentences) for text in known]
    texts += [(len(head.classes), tuple(sentences)) for sentences in others]
    rows = [(label, mean_C) for label, sentences in texts for mean_C in _stretches(head, sentences, rng)]
    inside = np.array([label < len(head.classes) for label, _ in rows])
    weights = np.where(inside, 1 / inside.sum(), _WEIGHT / max(1, (~inside).sum()))

    def loss(numbers: NDArray[np.float64]) -> float:
        given = OpenSet(scale=float(np.exp(numbers[0])), none=float(numbers[1]))
        logs = [np.log(given.probabilities(mean_C)[label] + 1e-300) for label, mean_C in rows]
        return -float(weights @ np.array(logs))

    best = minimize(loss, np.array([4.0, 3.0]), method="Nelder-Mead", options={"maxiter": 300}).x
    return OpenSet(scale=round(float(np.exp(best[0])), 3), none=round(float(best[1]), 3))


def _stretches(head: Head, sentences: Sequence[str], rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """The mean log-likelihoods of stretches of a text."""
    if len(sentences) < _SHORTEST:
        return []
    likelihoods = head.likelihoods(sentences)
    found = []
    for _ in range(_PIECES):
        count = int(min(len(sentences), np.exp(rng.uniform(np.log(_SHORTEST), np.log(_LONGEST)))))
        start = int(rng.integers(len(sentences) - count + 1))
        found.append(likelihoods[start : start + count].mean(axis=0))
    return found
