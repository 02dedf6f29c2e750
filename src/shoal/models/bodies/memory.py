"""Keys and values of what has been read, so that a row goes on without reading it again.

Rows are padded on the right, and each goes on at its own length: what it writes next overwrites its padding, and a mask
by length hides the rest. So the position of a token is its place in the row, with and without padding.

Shapes: B rows, H heads, L positions read at once, T positions there is room for, K width of a head.
"""

from __future__ import annotations

import torch


class Memory:
    """What one batch of rows has read, layer by layer."""

    def __init__(self, lengths_B: torch.Tensor, room: int) -> None:
        """Nothing is read yet.

        Args:
            lengths_B: the length of each row that is going to be read first.
            room: T, the most positions that a row will have.
        """
        self.lengths_B = lengths_B
        self.begun = False
        self._room = room
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def store(self, layer: int, key_BHLK: torch.Tensor, value_BHLK: torch.Tensor) -> None:
        """Keep what the first reading gave, padding included."""
        self._layers[layer] = (self._roomy(key_BHLK), self._roomy(value_BHLK))

    def add(self, layer: int, key_BH1K: torch.Tensor, value_BH1K: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keep the key and value of one more token a row; gives all of them (B × H × T × K)."""
        key_BHTK, value_BHTK = self._layers[layer]
        rows_B = torch.arange(len(self.lengths_B), device=key_BHTK.device)
        key_BHTK[rows_B, :, self.lengths_B] = key_BH1K[:, :, 0]
        value_BHTK[rows_B, :, self.lengths_B] = value_BH1K[:, :, 0]
        return key_BHTK, value_BHTK

    def seen(self, window: int) -> torch.Tensor:
        """Which positions the next token of each row sees: itself and the ``window`` - 1 before it (B × 1 × 1 × T)."""
        behind_BT = self.lengths_B[:, None] - torch.arange(self._room, device=self.lengths_B.device)
        return ((behind_BT >= 0) & (behind_BT < window))[:, None, None]

    def advance(self) -> None:
        """Every row has grown by one token."""
        self.lengths_B = self.lengths_B + 1

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with some of the rows only."""
        self.lengths_B = self.lengths_B[rows]
        self._layers = {layer: (key[rows], value[rows]) for layer, (key, value) in self._layers.items()}

    def _roomy(self, states_BHLK: torch.Tensor) -> torch.Tensor:
        rows, heads, length, width = states_BHLK.shape
        roomy = states_BHLK.new_zeros(rows, heads, self._room, width)
        roomy[:, :, :length] = states_BHLK
        return roomy
