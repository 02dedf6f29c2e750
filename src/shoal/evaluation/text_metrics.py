"""Metrics that compare a generated text with a reference: BLEU, chrF, ROUGE and the F1 of tokens.

Each metric is a function of sums over texts: of n-gram counts (BLEU, chrF), or of the values of the texts that have one
and their number (ROUGE, F1). So one text, a corpus, and the thousands of samples of a bootstrap are all scored by one
vectorized formula.

Shapes: N texts, K statistics, D samples.
"""

from __future__ import annotations

import math
import re
import string
from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shoal.evaluation.rouge import rouge_l, rouge_lsum, rouge_n

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ORDERS = 4
_LETTERS = 6
_RECALL_WEIGHT = 4.0
"""beta squared: chrF2 gives recall twice the weight."""


def normalized_words(text: str) -> list[str]:
    """Words as SQuAD compares them: lower case, without ASCII punctuation and the articles a, an, the.

    Source: Rajpurkar et al. (2016), arXiv:1606.05250, section 6.1, as in the evaluation script.

    Args:
        text: any text.
    """
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def token_f1(prediction: str, reference: str) -> float:
    """The F1 of the words that two texts share, each as often as both have it, 0 to 1 (Rajpurkar et al. 2016).

    Not a number where the reference has no word but articles.

    Args:
        prediction: what the model generated.
        reference: the text that is due.
    """
    found, due = (Counter(normalized_words(text)) for text in (prediction, reference))
    if not due:
        return math.nan
    shared = (found & due).total()
    return 2 * shared / (found.total() + due.total())


class TextMetric(ABC):
    """A metric of texts, 0 to 100; a subclass registers itself by its ``name``."""

    name: ClassVar[str]
    registry: ClassVar[dict[str, TextMetric]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            TextMetric.registry[cls.name] = cls()

    @abstractmethod
    def statistics(self, prediction: str, reference: str) -> tuple[float, ...]:
        """What a text adds to the sums (K numbers)."""

    @abstractmethod
    def score(self, sums_DK: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of each row of sums; not a number where it is not defined."""


class _Bleu(TextMetric):
    """Corpus BLEU by sacrebleu's counts (Papineni et al. 2002; Post 2018), with its exponential smoothing.

    The order is 4, or the number of words of the longest text where all are shorter.
    """

    name = "BLEU"

    def __init__(self) -> None:
        self._counter: Any = None

    def statistics(self, prediction: str, reference: str) -> tuple[float, ...]:
        from sacrebleu.metrics import BLEU

        # The import takes a tenth of a second, and the tokenizer keeps a cache.
        self._counter = self._counter or BLEU(effective_order=True)
        found = self._counter.sentence_score(prediction, [reference])
        return (*found.counts, *found.totals, found.sys_len, found.ref_len, bool(reference.strip()))

    def score(self, sums_DK: NDArray[np.float64]) -> NDArray[np.float64]:
        hits_DO, totals_DO = sums_DK[:, :_ORDERS], sums_DK[:, _ORDERS : 2 * _ORDERS]
        found_D, due_D, defined_D = sums_DK[:, 2 * _ORDERS :].T
        counted_DO = totals_DO > 0
        # The k-th order without a hit counts as 1 / 2^k of one.
        misses_DO = np.cumsum(counted_DO & (hits_DO == 0), axis=1)
        smoothed_DO = np.where(hits_DO > 0, hits_DO, 0.5**misses_DO)
        logs_DO = np.where(counted_DO, np.log(smoothed_DO / np.maximum(totals_DO, 1)), 0.0)
        orders_D = np.maximum(counted_DO.sum(axis=1), 1)
        brevity_D = np.where(found_D < due_D, 1 - due_D / np.maximum(found_D, 1), 0.0)
        score_D = 100 * np.exp(brevity_D + logs_DO.sum(axis=1) / orders_D)
        return np.where(defined_D > 0, np.where(hits_DO.any(axis=1), score_D, 0.0), np.nan)


class _Chrf(TextMetric):
    """Corpus chrF2 as sacrebleu has it (Popović 2015): n-grams of one to six characters, spaces left out."""

    name = "chrF"

    def statistics(self, prediction: str, reference: str) -> tuple[float, ...]:
        found, due = ("".join(text.split()) for text in (prediction, reference))
        counts: list[float] = []
        for size in range(1, _LETTERS + 1):
            own, other = (Counter(text[at : at + size] for at in range(len(text) - size + 1)) for text in (found, due))
            # Where the reference is too short for an order, the text is not held against it.
            counts += [own.total() if other else 0, other.total(), (own & other).total()]
        return (*counts, bool(due))

    def score(self, sums_DK: NDArray[np.float64]) -> NDArray[np.float64]:
        found_DO, due_DO, hits_DO = (sums_DK[:, part : 3 * _LETTERS : 3] for part in range(3))
        counted_DO = (found_DO > 0) & (due_DO > 0)
        orders_D = np.maximum(counted_DO.sum(axis=1), 1)
        precision_D, recall_D = (
            np.where(counted_DO, hits_DO / np.maximum(totals_DO, 1), 0.0).sum(axis=1) / orders_D
            for totals_DO in (found_DO, due_DO)
        )
        below_D = _RECALL_WEIGHT * precision_D + recall_D
        score_D = 100 * (1 + _RECALL_WEIGHT) * precision_D * recall_D / np.where(below_D > 0, below_D, 1)
        return np.where(sums_DK[:, -1] > 0, score_D, np.nan)


class _MeanMetric(TextMetric):
    """The mean over the texts that have a value."""

    @abstractmethod
    def value(self, prediction: str, reference: str) -> float:
        """The value of one text, 0 to 1; not a number where it has none."""

    def statistics(self, prediction: str, reference: str) -> tuple[float, ...]:
        value = self.value(prediction, reference)
        return (0.0, 0.0) if math.isnan(value) else (value, 1.0)

    def score(self, sums_DK: NDArray[np.float64]) -> NDArray[np.float64]:
        values_D, texts_D = sums_DK.T
        return np.where(texts_D > 0, 100 * values_D / np.where(texts_D > 0, texts_D, 1), np.nan)


class _Rouge1(_MeanMetric):
    name = "ROUGE-1"

    def value(self, prediction: str, reference: str) -> float:
        return rouge_n(prediction, reference, 1).f1


class _Rouge2(_MeanMetric):
    name = "ROUGE-2"

    def value(self, prediction: str, reference: str) -> float:
        return rouge_n(prediction, reference, 2).f1


class _RougeL(_MeanMetric):
    name = "ROUGE-L"

    def value(self, prediction: str, reference: str) -> float:
        return rouge_l(prediction, reference).f1


class _RougeLsum(_MeanMetric):
    name = "ROUGE-Lsum"

    def value(self, prediction: str, reference: str) -> float:
        return rouge_lsum(prediction, reference).f1


class _TokenF1(_MeanMetric):
    name = "token F1"

    def value(self, prediction: str, reference: str) -> float:
        return token_f1(prediction, reference)
