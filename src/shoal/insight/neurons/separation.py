"""How far a neuron on a class of tokens stands above itself on all others, for every neuron at once.

On one half of the corpus the tokens are sorted by their mean activation, and the class ends where the means fall
furthest. On the other half its separation is (mean inside - mean outside) / sqrt((variance inside + variance outside) /
2). Sums by token are all that is kept: memory is buckets × neurons, whatever the length of the corpus; above 1,024
tokens several share a bucket.

Shapes: C neurons, S buckets of tokens, L positions, Z the two halves.
"""

from __future__ import annotations

import torch

_BUCKETS = 1024
_MOST = 12
"""Buckets of a class."""

_LEAST = 3
"""How often a bucket must stand in each half."""

_CHUNK = 4096


class TokenSums:
    """Sums and squares of every neuron by bucket and half.

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
        """Take in one text."""
        bucket_L = ids_L % self.buckets
        self.sum_ZSC[half].index_add_(0, bucket_L, activation_LC)
        self.square_ZSC[half].index_add_(0, bucket_L, activation_LC.square())
        self.count_ZS[half] += torch.bincount(bucket_L, minlength=self.buckets)

    def separation(self) -> torch.Tensor:
        """Of every neuron (C); 0 where no token is frequent enough."""
        usable = (self.count_ZS >= _LEAST).all(0).nonzero()[:, 0]
        neurons = self.sum_ZSC.shape[-1]
        if len(usable) < 2:
            return torch.zeros(neurons)
        return torch.cat([self._of(usable, first) for first in range(0, neurons, _CHUNK)])

    def _of(self, usable_S: torch.Tensor, first: int) -> torch.Tensor:
        """Of one run of neurons."""
        part = slice(first, first + _CHUNK)
        sum_ZSC, square_ZSC = self.sum_ZSC[:, usable_S, part].double(), self.square_ZSC[:, usable_S, part].double()
        count_ZS1 = self.count_ZS[:, usable_S, None].double()
        mean_SC, order_SC = (sum_ZSC[0] / count_ZS1[0]).sort(dim=0, descending=True)
        size_C = (mean_SC[:-1] - mean_SC[1:])[:_MOST].argmax(dim=0)
        inside = [
            kept.gather(0, order_SC).cumsum(0).gather(0, size_C[None])[0]
            for kept in (sum_ZSC[1], square_ZSC[1], count_ZS1[1].expand_as(sum_ZSC[1]))
        ]
        every = (sum_ZSC[1].sum(0), square_ZSC[1].sum(0), count_ZS1[1].sum(0))
        mean_in, variance_in = _moments(*inside)
        mean_out, variance_out = _moments(*(whole - part for whole, part in zip(every, inside, strict=True)))
        spread = ((variance_in + variance_out) / 2).clamp_min(1e-12).sqrt()
        return ((mean_in - mean_out) / spread).float()


def _moments(total: torch.Tensor, squares: torch.Tensor, count: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance."""
    mean = total / count
    return mean, squares / count - mean.square()
