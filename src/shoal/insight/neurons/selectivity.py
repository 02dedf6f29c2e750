"""Whether a neuron fires on some tokens rather than others.

Of every neuron at once, its separation: on one half of the corpus the tokens are sorted by their mean activation, and
the class of the neuron ends where the means fall furthest. On the other half its separation is (mean inside - mean
outside) / sqrt((variance inside + variance outside) / 2). Only sums by token are stored: memory is buckets × neurons,
whatever the length of the corpus; above 1,024 tokens several share a bucket.

Of a chosen neuron, its tokens: they are found in the same way, token by token, and how well its activation separates
them from all other tokens is measured on the other half, as the area under the ROC curve with the p-value of Mann and
Whitney (1947). So a set that was only lucky is not confirmed.

Shapes: C neurons, S buckets of tokens, L positions of a text, N positions, V token ids, Z the two halves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

MAX_CLASS = 12
"""Tokens (or buckets of tokens) of a class at most."""

MIN_COUNT = 3
"""How often a token must occur in each half that is used: the mean of fewer activations is mostly noise."""

_BUCKETS = 1024
_CHUNK = 4096
"""Neurons whose sums are sorted at a time, which bounds the memory of float64 copies."""

_SMALLEST_VARIANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectivity:
    """The class of tokens of a neuron."""

    ids: tuple[int, ...]
    """Its tokens, the highest mean activation first."""

    means: tuple[float, ...]
    """Their mean activations."""

    auc: float
    """Area under the ROC curve on the other half: how often a position with one of the tokens has a higher activation
    than one without; 0.5 is chance. Not a number where that half has no such position."""

    p_value: float
    """One-sided, under the hypothesis that the tokens do not matter."""


def selectivity(
    activation_N: torch.Tensor,
    ids_N: torch.Tensor,
    finding_N: torch.Tensor,
    *,
    max_tokens: int = MAX_CLASS,
    min_count: int = MIN_COUNT,
) -> Selectivity | None:
    """Find a neuron's class of tokens and confirm it; None where no token is frequent enough.

    Args:
        activation_N: activations of one neuron.
        ids_N: the token at each position.
        finding_N: true on the half on which the class is found; it is confirmed on the other.
        max_tokens: maximum number of tokens of the class.
        min_count: how often a token must occur in the first half.
    """
    ids, counts = ids_N[finding_N].unique(return_counts=True)
    ids = ids[counts >= min_count]
    if not len(ids):
        return None
    sums = torch.zeros(int(ids_N.max()) + 1, dtype=torch.float64)
    sums.index_add_(0, ids_N[finding_N], activation_N[finding_N].double())
    totals = torch.bincount(ids_N[finding_N], minlength=len(sums))
    means = sums[ids] / totals[ids]
    order = means.argsort(descending=True)
    size = _largest_gap(means[order], max_tokens)
    chosen = ids[order[:size]]
    inside_N = torch.isin(ids_N, chosen)[~finding_N]
    auc, p_value = _mann_whitney(activation_N[~finding_N], inside_N)
    return Selectivity(ids=tuple(chosen.tolist()), means=tuple(means[order[:size]].tolist()), auc=auc, p_value=p_value)


def class_separation(activation_N: torch.Tensor, inside_N: torch.Tensor) -> float:
    """How far a class stands above all other tokens, in standard deviations; 0 where one of the two is empty.

    Args:
        activation_N: activations of one neuron.
        inside_N: true where the token is of the class.
    """
    inside, outside = (activation_N[part].double() for part in (inside_N, ~inside_N))
    if not len(inside) or not len(outside):
        return 0.0
    # Without correction, as the sums of `TokenSums` give it, so that both kinds of separation can be compared.
    spread = ((inside.var(correction=0) + outside.var(correction=0)) / 2).clamp_min(_SMALLEST_VARIANCE).sqrt()
    return float((inside.mean() - outside.mean()) / spread)


class TokenSums:
    """Sums and sums of squares of every neuron by bucket of tokens and half of the corpus.

    Args:
        neurons: C.
        vocabulary: the number of token ids.
    """

    def __init__(self, neurons: int, vocabulary: int) -> None:
        self.buckets = min(_BUCKETS, vocabulary)
        self.sum_ZSC = torch.zeros(2, self.buckets, neurons)
        self.square_ZSC = torch.zeros(2, self.buckets, neurons)
        self.count_ZS = torch.zeros(2, self.buckets)

    def add(self, activation_LC: torch.Tensor, ids_L: torch.Tensor, half: int) -> None:
        """Add one text.

        Args:
            activation_LC: activations of all neurons.
            ids_L: its tokens.
            half: 0 for the half on which classes are found, 1 for the other.
        """
        bucket_L = ids_L % self.buckets  # a hash; neighbouring ids are seldom of one class
        self.sum_ZSC[half].index_add_(0, bucket_L, activation_LC)
        self.square_ZSC[half].index_add_(0, bucket_L, activation_LC.square())
        self.count_ZS[half] += torch.bincount(bucket_L, minlength=self.buckets)

    def separation(self) -> torch.Tensor:
        """The separation of every neuron (C); 0 where fewer than two tokens are frequent enough."""
        # In both halves: a token of the class that the other half lacks could not confirm it.
        usable = (self.count_ZS >= MIN_COUNT).all(0).nonzero()[:, 0]
        neurons = self.sum_ZSC.shape[-1]
        if len(usable) < 2:
            return torch.zeros(neurons)
        return torch.cat([self._of_chunk(usable, first) for first in range(0, neurons, _CHUNK)])

    def _of_chunk(self, usable_S: torch.Tensor, first: int) -> torch.Tensor:
        """The separation of some neurons."""
        chunk = slice(first, first + _CHUNK)
        sum_ZSC, square_ZSC = self.sum_ZSC[:, usable_S, chunk].double(), self.square_ZSC[:, usable_S, chunk].double()
        count_ZS1 = self.count_ZS[:, usable_S, None].double()
        mean_SC, order_SC = (sum_ZSC[0] / count_ZS1[0]).sort(dim=0, descending=True)
        size_C = (mean_SC[:-1] - mean_SC[1:])[:MAX_CLASS].argmax(dim=0)
        inside = [
            sums.gather(0, order_SC).cumsum(0).gather(0, size_C[None])[0]
            for sums in (sum_ZSC[1], square_ZSC[1], count_ZS1[1].expand_as(sum_ZSC[1]))
        ]
        every = (sum_ZSC[1].sum(0), square_ZSC[1].sum(0), count_ZS1[1].sum(0))
        mean_in, variance_in = _moments(*inside)
        mean_out, variance_out = _moments(*(whole - part for whole, part in zip(every, inside, strict=True)))
        # A mean of squares minus a squared mean may also be below 0 by rounding.
        spread = ((variance_in + variance_out) / 2).clamp_min(_SMALLEST_VARIANCE).sqrt()
        return ((mean_in - mean_out) / spread).float()


def _largest_gap(means: torch.Tensor, max_size: int) -> int:
    """The size of the class: it ends where the sorted means fall furthest."""
    gaps = means[:-1] - means[1:]
    return 1 + int(gaps[:max_size].argmax()) if len(gaps) else 1


def _moments(total: torch.Tensor, squares: torch.Tensor, count: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance from sums."""
    mean = total / count
    return mean, squares / count - mean.square()


def _mann_whitney(value_N: torch.Tensor, inside_N: torch.Tensor) -> tuple[float, float]:
    """The area under the ROC curve and its one-sided p-value, by the normal approximation with ties."""
    from scipy.stats import mannwhitneyu

    # In float64: scipy computes in the type that it is given, and small p-values would be 0 in float32.
    inside, outside = (value_N[part].double().numpy() for part in (inside_N, ~inside_N))
    if not len(inside) or not len(outside):
        return math.nan, 1.0
    found = mannwhitneyu(inside, outside, alternative="greater", method="asymptotic", use_continuity=False)
    # Where all values are equal there is no variance, and scipy divides by it.
    p_value = 1.0 if math.isnan(found.pvalue) else float(found.pvalue)
    return float(found.statistic) / (len(inside) * len(outside)), p_value
