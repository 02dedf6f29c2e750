"""Scores over the text that models say, beside those over tokens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def bleu(said: Sequence[str], wanted: Sequence[str]) -> float:
    """Corpus BLEU of texts against one reference each, 0 to 100, as sacrebleu computes it with its defaults.

    (Papineni et al. 2002, with the 13a tokenizer and exponential smoothing; Post 2018.)

    Args:
        said: what the model said.
        wanted: the completions, in the same order; at least one.
    """
    from sacrebleu.metrics import BLEU

    return float(BLEU().corpus_score(list(said), [list(wanted)]).score)


def sentence_bleus(said: Sequence[str], wanted: Sequence[str]) -> list[float]:
    """BLEU of each text by itself, 0 to 100, with the effective order that short texts need."""
    from sacrebleu.metrics import BLEU

    metric = BLEU(effective_order=True)
    return [float(metric.sentence_score(one, [other]).score) for one, other in zip(said, wanted, strict=True)]


def perplexity(log_likelihood: float, tokens: int) -> float:
    """The exponential of the mean negative log-likelihood of a token; infinite where the likelihood is 0."""
    mean = -log_likelihood / tokens
    return math.inf if mean > 700 else math.exp(mean)


def bits_per_byte(log_likelihood: float, completion: str, *, ends: bool) -> float:
    """-log₂ p of a completion over its bytes in UTF-8, an end token counting as one byte."""
    return -log_likelihood / math.log(2) / (len(completion.encode()) + ends)
