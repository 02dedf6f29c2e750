"""Grammar by minimal pairs: does the model find the good sentence likelier than the bad one?

The sum of log-probabilities of all tokens decides, without a correction for length, as in Warstadt et al. (2020),
section 5.1. The figure of a whole set is the mean over its paradigms, so that each point of grammar counts the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.evaluation.likelihoods import log_likelihoods, text_rows
from shoal.statistics import Interval, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.stories.pairs import MinimalPair
    from shoal.models.fast import FastModel
    from shoal.progress import Progress
    from shoal.text import PlainTokenizer

_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class ParadigmScore:
    """One point of grammar."""

    paradigm: str
    pairs: int
    right: float
    """Pairs whose good sentence is the likelier one; a pair of equal likelihood counts half."""

    ties: int
    interval: Interval
    """Wilson's, of the share."""

    @property
    def accuracy(self) -> float:
        """The share of right pairs."""
        return self.right / self.pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScores:
    """All paradigms, and the margin of every pair."""

    paradigms: tuple[ParadigmScore, ...]
    margins: tuple[float, ...]
    """log p(good) - log p(bad) in nats, in the order of the pairs."""

    @property
    def accuracy(self) -> float:
        """The mean over paradigms; chance is one half."""
        return math.fsum(part.accuracy for part in self.paradigms) / len(self.paradigms)

    @property
    def interval(self) -> Interval:
        """Of the mean over these paradigms at 95 %, the pairs of each being a sample (a stratified mean)."""
        spread = math.fsum(part.accuracy * (1 - part.accuracy) / part.pairs for part in self.paradigms)
        half = _Z_95 * math.sqrt(spread) / len(self.paradigms)
        return Interval(max(0.0, self.accuracy - half), min(1.0, self.accuracy + half), 0.95)


def minimal_pairs(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    pairs: Sequence[MinimalPair],
    *,
    token_budget: int = 4096,
    progress: Progress | None = None,
) -> PairScores:
    """Score a model on minimal pairs.

    Args:
        model: a causal language model, or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        pairs: as `read_pairs` gives them; at least one.
        token_budget: tokens of a batch, padding included.
        progress: called with (what, done, total).

    Raises:
        DataError: there are no pairs, or a sentence cannot be encoded.
        TooLongError: a sentence is longer than the model's context.
        ModelError: the model's logits are not numbers.
    """
    if not pairs:
        raise DataError("there are no minimal pairs to score; give at least one")
    sentences = [sentence for pair in pairs for sentence in (pair.good, pair.bad)]
    rows = text_rows(model, tokenizer, sentences)
    nats = log_likelihoods(model, rows, token_budget=token_budget, progress=progress, what="minimal pairs")
    margins = tuple(good - bad for good, bad in zip(nats[::2], nats[1::2], strict=True))
    return PairScores(paradigms=_by_paradigm(pairs, margins), margins=margins)


def _by_paradigm(pairs: Sequence[MinimalPair], margins: Sequence[float]) -> tuple[ParadigmScore, ...]:
    found: dict[str, list[float]] = {}
    for pair, margin in zip(pairs, margins, strict=True):
        found.setdefault(pair.paradigm, []).append(margin)
    return tuple(_score(paradigm, of_one) for paradigm, of_one in found.items())


def _score(paradigm: str, margins: Sequence[float]) -> ParadigmScore:
    wins, ties = sum(margin > 0 for margin in margins), sum(margin == 0 for margin in margins)
    right = wins + ties / 2
    interval = wilson_interval(round(right), len(margins))
    return ParadigmScore(paradigm=paradigm, pairs=len(margins), right=right, ties=ties, interval=interval)
