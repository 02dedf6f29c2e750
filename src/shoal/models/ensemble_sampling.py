"""Texts sampled from an ensemble by one member at a time, at 1/K of what the mixture's own distribution costs.

A mixture need not be computed to be sampled: draw a member by its weight, then a token from that member alone.

- **per text**: the member is drawn once per text, and the text is exactly a draw from Σ_k w_k p_k(x). Behind a prefix
  the weights are the posterior ones, w_k p_k(prefix), for which each member reads the prefix once.
- **per token**: a member is drawn anew for each token by the same weights, and each token is exactly a draw from
  Σ_k w_k p_k(x_t | x_<t). (Drawn by the posterior weights at each token, it would be a draw from the mixture per
  text.)

Per text, one member's cache serves the whole text: 1/K of the passes and of the memory. Per token, the drawn member
must have read everything before, so that it reads the text again: 1/K of what the mixture costs without a cache.
At a temperature T the draws are from the mixture of the members at T, which is not the mixture at T.

Shapes: B rows, K members, V vocabulary.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from shoal.errors import UsageError
from shoal.models.ensemble import member_log_probabilities
from shoal.models.sampling import draw_tokens, sample_continuations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models.ensemble import EnsembleForCausalLM

# Parts of a row's seed, so that which member speaks and what it says are independent.
_MEMBER, _TOKEN = 1, 2


def sample_ensemble(
    ensemble: EnsembleForCausalLM,
    prefixes: Sequence[Sequence[int]],
    seeds: Sequence[int],
    limits: Sequence[int],
    *,
    temperature: float = 1.0,
    end_id: int | None = None,
) -> list[list[int]]:
    """Draw a continuation of each prefix, until the end token, which is included, or its limit.

    Args:
        ensemble: in evaluation mode; its mixture says how a member is drawn.
        prefixes: ids to continue; at least one each.
        seeds: one per prefix; a continuation is a function of its own seed.
        limits: the number of new tokens of each, at most.
        temperature: members' logits are divided by it.
        end_id: the token that ends a continuation, if there is one.

    Raises:
        UsageError: the temperature is not above 0.
        ModelError: a member's logits are not numbers.
    """
    if not 0 < temperature < math.inf:
        raise UsageError(f"an ensemble is sampled at a temperature above 0, not {temperature}")
    if ensemble.config.mixture == "text":
        return _per_text(ensemble, prefixes, seeds, limits, temperature, end_id)
    return _per_token(ensemble, prefixes, seeds, limits, temperature, end_id)


def _per_text(
    ensemble: EnsembleForCausalLM,
    prefixes: Sequence[Sequence[int]],
    seeds: Sequence[int],
    limits: Sequence[int],
    temperature: float,
    end_id: int | None,
) -> list[list[int]]:
    """One member for each row."""
    # Each prefix is read once, however many texts begin with it.
    weights = {prefix: _weights_behind(ensemble, prefix) for prefix in dict.fromkeys(map(tuple, prefixes))}
    members = [
        _draw(weights[tuple(prefix)], np.random.default_rng([seed, _MEMBER]))
        for prefix, seed in zip(prefixes, seeds, strict=True)
    ]
    found: list[list[int]] = [[] for _ in prefixes]
    for place, member in enumerate(ensemble.models):
        rows = [row for row, member_of in enumerate(members) if member_of == place]
        drawn = sample_continuations(
            member,
            [prefixes[row] for row in rows],
            [seeds[row] for row in rows],
            [limits[row] for row in rows],
            temperature=temperature,
            end_id=end_id,
        )
        for row, ids in zip(rows, drawn, strict=True):
            found[row] = ids
    return found


def _weights_behind(ensemble: EnsembleForCausalLM, prefix: Sequence[int]) -> np.ndarray:
    """The posterior weights of the members, given a prefix (K)."""
    posterior_1LK = ensemble.posterior(torch.tensor([list(prefix)], device=ensemble.device))
    weights_K: np.ndarray = posterior_1LK[0, -1].double().exp().cpu().numpy()
    return weights_K


def _per_token(
    ensemble: EnsembleForCausalLM,
    prefixes: Sequence[Sequence[int]],
    seeds: Sequence[int],
    limits: Sequence[int],
    temperature: float,
    end_id: int | None,
) -> list[list[int]]:
    """A member for each token of each row; rows that drew the same member are read together."""
    weights_K = np.exp(ensemble.log_weights)
    speakers = [np.random.default_rng([seed, _MEMBER]) for seed in seeds]
    draws = [np.random.default_rng([seed, _TOKEN]) for seed in seeds]
    found: list[list[int]] = [[] for _ in prefixes]
    going = [row for row, limit in enumerate(limits) if limit > 0]
    while going:
        groups: dict[tuple[int, int], list[int]] = {}
        for row in going:
            length = len(prefixes[row]) + len(found[row])
            groups.setdefault((_draw(weights_K, speakers[row]), length), []).append(row)
        for (place, _), rows in groups.items():
            ids_BL = torch.tensor([[*prefixes[row], *found[row]] for row in rows], device=ensemble.device)
            log_p_BV = member_log_probabilities(ensemble.models[place], ids_BL)[:, -1].double()
            drawn = [draws[row].random() for row in rows]
            drawn_B = torch.tensor(drawn, dtype=torch.float64, device=log_p_BV.device)
            for row, token in zip(rows, draw_tokens(log_p_BV, drawn_B, temperature).tolist(), strict=True):
                found[row].append(token)
        going = [row for row in going if found[row][-1] != end_id and len(found[row]) < limits[row]]
    return found


def _draw(shares: np.ndarray, generator: np.random.Generator) -> int:
    """A place by its share, by inverse transform: the same for the same generator, whatever goes with it."""
    below = np.cumsum(shares)
    # The sum may end a rounding below 1, and beyond the last place there is none.
    return min(int(np.searchsorted(below, generator.random() * below[-1], side="right")), len(below) - 1)
