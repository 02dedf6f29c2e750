"""Caches of keys and values, so that what has been read need not be computed again.

Positions count real tokens only, since rows are padded on the right: what a row reads next stands at its own length,
with and without padding.

Shapes: B rows, H heads, L positions read at once, T positions there is room for, K width of a head.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch

from shoal.models.attention import attend

States = tuple[torch.Tensor, torch.Tensor]
"""Keys and values (B rows and H heads of them each)."""


class KeyValues(ABC):
    """What a fast model has read before: the keys and values of each layer."""

    @abstractmethod
    def positions(self, ids_BL: torch.Tensor) -> torch.Tensor:
        """Where the ids stand in their rows: L positions, or B × L where rows differ."""

    @abstractmethod
    def attend(
        self, layer: int, query_BHLK: torch.Tensor, states: States, *, window: int, scale: float
    ) -> torch.Tensor:
        """Attention of what is being read to itself and to what was read before, which keeps its states.

        Args:
            layer: its number.
            query_BHLK: queries.
            states: keys and values of the same ids.
            window: how many states an id sees, itself included.
            scale: of the scores.

        Returns:
            B × H × L × K.
        """


class StoredStates(KeyValues):
    """Keys and values that are stored as the rows of a tensor."""

    def attend(
        self, layer: int, query_BHLK: torch.Tensor, states: States, *, window: int, scale: float
    ) -> torch.Tensor:
        """See `KeyValues.attend`."""
        key, value = self.update(layer, states)
        return attend(query_BHLK, key, value, self.mask(window), window=window, scale=scale)

    @abstractmethod
    def update(self, layer: int, states: States) -> States:
        """Store the states of what is being read.

        Args:
            layer: its number.
            states: keys and values of the ids that are being read.

        Returns:
            The states of all that these ids may attend to.
        """

    @abstractmethod
    def mask(self, window: int) -> torch.Tensor | None:
        """Which states each id sees, of the last ``window``; None where the ids are the last of them, in order."""


class PrefixCache(StoredStates):
    """The keys and values of a prefix that all rows share: read once as one row, then used by many."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._length = 0
        self._layers: dict[int, States] = {}

    @property
    def length(self) -> int:
        """How many tokens have been read; 0 before the prefix is closed."""
        return self._length

    def states(self, layer: int) -> States:
        """The keys and values of a layer (1 × H × L × K each)."""
        return self._layers[layer]

    def positions(self, ids_BL: torch.Tensor) -> torch.Tensor:
        """The same in all rows."""
        return torch.arange(self._length, self._length + ids_BL.shape[1], device=ids_BL.device)

    def update(self, layer: int, states: States) -> States:
        """While the prefix is read, its own states; later those of the prefix followed by each row's."""
        # Stored at the first reading alone; rows that follow leave the prefix as it is, so that it serves further ones.
        if layer not in self._layers:
            self._layers[layer] = states
        if not self._length:
            return states
        key, value = (
            # Expanded, not repeated: the prefix is copied once, into the result.
            torch.cat([shared.expand(len(new), -1, -1, -1), new], dim=2)
            for shared, new in zip(self._layers[layer], states, strict=True)
        )
        return key, value

    def mask(self, window: int) -> None:
        """The ids are the last of what is seen."""

    def close(self) -> None:
        """The prefix has been read."""
        self._length = next(iter(self._layers.values()))[0].shape[2]


class KVCache(StoredStates):
    """The keys and values of each row of a batch, which is continued token by token.

    What a row reads next overwrites its padding, and a mask by length hides the rest.
    """

    def __init__(self, lengths_B: torch.Tensor, room: int, prefix: PrefixCache | None = None) -> None:
        """Nothing of the rows is read yet.

        Args:
            lengths_B: the length of each row that is going to be read first, the prefix included.
            room: T, the most positions that a row will have.
            prefix: what all rows begin with, read before; it is copied into each row.
        """
        self._prefix = prefix
        self._lengths_B = lengths_B
        self._room = room
        self._prefilled = False
        self._layers: dict[int, States] = {}

    def positions(self, ids_BL: torch.Tensor) -> torch.Tensor:
        """Of whole rows first, then of the next token of each row (B × 1)."""
        if self._prefilled:
            return self._lengths_B[:, None]
        if self._prefix is not None:
            return self._prefix.positions(ids_BL)
        return torch.arange(ids_BL.shape[1], device=ids_BL.device)

    def update(self, layer: int, states: States) -> States:
        """First the states of whole rows, padding included; then those of one more token per row."""
        if not self._prefilled:
            if self._prefix is not None:
                states = self._prefix.update(layer, states)
            self._layers[layer] = (self._roomy(states[0]), self._roomy(states[1]))
            return states
        rows_B = torch.arange(len(self._lengths_B), device=self._lengths_B.device)
        for stored_BHTK, new_BH1K in zip(self._layers[layer], states, strict=True):
            # Into the preallocated room: to append would copy the whole cache for each token.
            stored_BHTK[rows_B, :, self._lengths_B] = new_BH1K[:, :, 0]
        return self._layers[layer]

    def mask(self, window: int) -> torch.Tensor | None:
        """The next token of a row sees itself and the ``window`` - 1 before it (B × 1 × 1 × T)."""
        if not self._prefilled:
            return None
        behind_BT = self._lengths_B[:, None] - torch.arange(self._room, device=self._lengths_B.device)
        return ((behind_BT >= 0) & (behind_BT < window))[:, None, None]

    def advance(self) -> None:
        """Count what has been read: each row's prefix, or one more token."""
        if self._prefilled:
            # Not in place: the tensor is the caller's.
            self._lengths_B = self._lengths_B + 1
        self._prefilled = True

    def select(self, rows: torch.Tensor) -> None:
        """Keep some of the rows only."""
        self._lengths_B = self._lengths_B[rows]
        self._layers = {layer: (key[rows], value[rows]) for layer, (key, value) in self._layers.items()}

    def _roomy(self, states_BHLK: torch.Tensor) -> torch.Tensor:
        rows, heads, length, width = states_BHLK.shape
        # Zeros, not empty memory: hidden places get weight 0, and 0 times NaN is NaN.
        roomy = states_BHLK.new_zeros(rows, heads, self._room, width)
        roomy[:, :, :length] = states_BHLK
        return roomy
