"""Rows that branch: each row holds several texts that share their beginnings, and each token is computed once.

The tokens of a row stand in the order in which a tree of them is walked (a token, then all that follows it, then its
next sibling). A token sees itself, its ancestors, and a prefix that was read before. Its position is its depth, as if
its text stood alone (tree attention: Miao et al. 2024, "SpecInfer", section 4.2).

Shapes: B rows, N tokens of a row, P tokens of the prefix, H heads, K width of a head.
"""

from __future__ import annotations

import torch

from shoal.models.fast.kv_cache import KeyValues, PrefixCache, States


class TreeStates(KeyValues):
    """The states of rows that branch, behind a prefix that all of them share."""

    def __init__(self, depths_BN: torch.Tensor, ends_BN: torch.Tensor, prefix: PrefixCache | None = None) -> None:
        """Nothing of the rows is read yet.

        Args:
            depths_BN: the position of each token in its own text, the prefix counted.
            ends_BN: the place in the row behind the last token that follows from this one.
            prefix: what was read before; it stays as it is.
        """
        self._depths_BN = depths_BN
        self._ends_BN = ends_BN
        self._prefix = prefix
        self._masks: dict[int, torch.Tensor] = {}

    def positions(self, ids_BL: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 (the positions are those of the tree)
        """The depth of each token (B × N)."""
        return self._depths_BN

    def update(self, layer: int, states: States) -> States:
        """The states of the prefix followed by those of the rows."""
        return states if self._prefix is None else self._prefix.update(layer, states)

    def mask(self, window: int) -> torch.Tensor:
        """Which tokens each token sees (B × 1 × N × (P + N)), of the last ``window`` of its own text."""
        # Every layer asks, and there are one or two windows in a model.
        if window not in self._masks:
            self._masks[window] = self._make_mask(window)
        return self._masks[window]

    def _make_mask(self, window: int) -> torch.Tensor:
        rows, length = self._depths_BN.shape
        device = self._depths_BN.device
        places_N = torch.arange(length, device=device)
        # A subtree is a run of places, so that the ancestors of a token are those before it whose run reaches it.
        before_NN = places_N[:, None] >= places_N
        seen_BNN = before_NN & (places_N[:, None] < self._ends_BN[:, None, :])
        behind_BNN = self._depths_BN[:, :, None] - self._depths_BN[:, None, :]
        seen_BNN &= behind_BNN < window
        if self._prefix is not None:
            prefix_P = torch.arange(self._prefix.length, device=device)
            near_BNP = self._depths_BN[:, :, None] - prefix_P < window
            seen_BNN = torch.cat([near_BNP.expand(rows, length, -1), seen_BNN], dim=2)
        return seen_BNN[:, None]
