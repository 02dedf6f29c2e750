"""Scores over the text that models generate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def bleu(predictions: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU of texts against one reference each, 0 to 100, with sacrebleu's defaults and its effective order.

    (Papineni et al. 2002, with the 13a tokenizer and exponential smoothing; Post 2018.) The order is 4, or the number
    of words of the longest text where all of them are shorter: four words in a row cannot be right where none has
    four, and without this the very completions would have a BLEU of 0.

    Args:
        predictions: what the model generated.
        references: the completions, in the same order; at least one.

    Returns:
        The score; not a number where no completion holds a word, so that there is nothing to find again.
    """
    from sacrebleu.metrics import BLEU

    if not any(map(str.strip, references)):
        return math.nan
    score = float(BLEU(effective_order=True).corpus_score(list(predictions), [list(references)]).score)
    return round(score, 9)  # a geometric mean of ones is 1.0000000000000004


def chrf(predictions: Sequence[str], references: Sequence[str]) -> float:
    """Corpus chrF2 of texts against one reference each, 0 to 100, with sacrebleu's defaults.

    (Popovic 2015: the F-score of character n-grams up to 6 with twice the weight on recall, spaces left out.) It needs
    no words, so that it measures single words and numbers, and scripts without spaces.

    Args:
        predictions: what the model generated.
        references: the completions, in the same order; at least one.

    Returns:
        The score; not a number where no completion holds a character other than spaces.
    """
    from sacrebleu.metrics import CHRF

    if not any(map(str.strip, references)):
        return math.nan
    return float(CHRF().corpus_score(list(predictions), [list(references)]).score)


def sentence_bleus(predictions: Sequence[str], references: Sequence[str]) -> list[float]:
    """BLEU of each text by itself, 0 to 100, with the effective order that short texts need.

    Args:
        predictions: what the model generated.
        references: the completions, in the same order.
    """
    from sacrebleu.metrics import BLEU

    metric = BLEU(effective_order=True)
    return [
        float(metric.sentence_score(one, [other]).score) for one, other in zip(predictions, references, strict=True)
    ]
