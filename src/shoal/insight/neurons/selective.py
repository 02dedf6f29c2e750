"""Whether a neuron fires on some tokens rather than others.

The tokens on which it is strongest on average are found on one half of the corpus; how well its activation tells them
from all other tokens is measured on the other half, as the area under the ROC curve with the p-value of Mann and
Whitney (1947). So a set that was only lucky is not confirmed.

Shapes: N positions, V token ids.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectivity:
    """What a neuron fires on."""

    ids: tuple[int, ...]
    """Its tokens, the strongest on average first."""

    means: tuple[float, ...]
    """Their mean activations."""

    auc: float
    """How often a position with one of the tokens has a higher activation than one without, on the other half; 0.5 is
    chance. Not a number where that half has no such position."""

    p_value: float
    """One-sided, of the hypothesis that the tokens do not matter."""


def selectivity(
    activation_N: torch.Tensor, ids_N: torch.Tensor, found_on_N: torch.Tensor, *, tokens: int, least: int
) -> Selectivity | None:
    """Find a neuron's tokens and confirm them; None where no token is frequent enough.

    Args:
        activation_N: of one neuron.
        ids_N: the token at each position.
        found_on_N: true on the half on which the tokens are found.
        tokens: the most tokens of the set.
        least: how often a token must stand in that half.
    """
    ids, counts = ids_N[found_on_N].unique(return_counts=True)
    ids = ids[counts >= least]
    if not len(ids):
        return None
    sums = torch.zeros(int(ids_N.max()) + 1, dtype=torch.float64)
    sums.index_add_(0, ids_N[found_on_N], activation_N[found_on_N].double())
    totals = torch.bincount(ids_N[found_on_N], minlength=len(sums))
    means = sums[ids] / totals[ids]
    order = means.argsort(descending=True)
    best = _largest_gap(means[order], tokens)
    chosen = ids[order[:best]]
    inside_N = torch.isin(ids_N, chosen)[~found_on_N]
    auc, p_value = mann_whitney(activation_N[~found_on_N], inside_N)
    return Selectivity(ids=tuple(chosen.tolist()), means=tuple(means[order[:best]].tolist()), auc=auc, p_value=p_value)


def _largest_gap(means: torch.Tensor, most: int) -> int:
    """Where the sorted means fall furthest: the set ends there."""
    gaps = means[:-1] - means[1:]
    return 1 + int(gaps[:most].argmax()) if len(gaps) else 1


def mann_whitney(value_N: torch.Tensor, inside_N: torch.Tensor) -> tuple[float, float]:
    """The area under the ROC curve and its one-sided p-value, by the normal approximation with ties."""
    inside, outside = int(inside_N.sum()), int((~inside_N).sum())
    if not inside or not outside:
        return math.nan, 1.0
    _, inverse, counts = value_N.unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    rank_N = (last - (counts.double() - 1) / 2)[inverse]
    wins = float(rank_N[inside_N].sum()) - inside * (inside + 1) / 2
    total = inside + outside
    ties = float((counts.double() ** 3 - counts.double()).sum()) / (total * (total - 1))
    variance = inside * outside / 12 * (total + 1 - ties)
    if variance <= 0:
        return 0.5, 1.0
    z = (wins - inside * outside / 2) / math.sqrt(variance)
    return wins / (inside * outside), 0.5 * math.erfc(z / math.sqrt(2))
