"""Keys and values of rows that come and go, for the fast models.

The rows that are continued lie in the first slots, so that a step takes them as a view and copies nothing. The room of
all slots grows with the longest row, by multiples of 64 positions: for these the attention of torch gives a row the
same bits whatever room there is, since whole vectors of hidden positions add zeros.

Shapes: S slots, G heads of keys, L positions read at once, T positions there is room for, K width of a head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from shoal.models.fast import StoredStates

if TYPE_CHECKING:
    from shoal.models.fast.kv_cache import States

_BLOCK = 64


def rounded_room(length: int) -> int:
    """The least multiple of a block of positions that holds a length."""
    return -(-length // _BLOCK) * _BLOCK


class RowCache(StoredStates):
    """The keys and values of one row while it is read chunk by chunk."""

    def __init__(self, length: int) -> None:
        """Nothing is read yet.

        Args:
            length: of the whole row.
        """
        self._length = length
        self._done, self._reading = 0, 0
        self.layers: dict[int, States] = {}

    def positions(self, ids_BL: torch.Tensor) -> torch.Tensor:
        """Those behind what has been read."""
        return torch.arange(self._done, self._done + ids_BL.shape[1], device=ids_BL.device)

    def update(self, layer: int, states: States) -> States:
        """Store the states of a chunk; those of all that has been read."""
        if layer not in self.layers:
            self.layers[layer] = (self._empty(states[0]), self._empty(states[1]))
        stop = self._done + states[0].shape[2]
        for stored_1GTK, new_1GLK in zip(self.layers[layer], states, strict=True):
            stored_1GTK[:, :, self._done : stop] = new_1GLK
        key, value = self.layers[layer]
        return key[:, :, :stop], value[:, :, :stop]

    def mask(self, window: int) -> torch.Tensor | None:
        """Behind the first chunk, each id sees the ``window`` positions that end with its own."""
        if not self._done:
            return None
        key_1GTK, _ = next(iter(self.layers.values()))
        places = torch.arange(min(self._done + self._reading, self._length), device=key_1GTK.device)
        behind = places[self._done :, None] - places[None]
        return ((behind >= 0) & (behind < window))[None, None]

    def begin(self, length: int) -> None:
        """A chunk of this length is going to be read."""
        self._reading = length

    def advance(self) -> None:
        """The chunk has been read."""
        self._done += self._reading

    def _empty(self, states_1GLK: torch.Tensor) -> torch.Tensor:
        rows, heads, _, width = states_1GLK.shape
        return states_1GLK.new_empty(rows, heads, self._length, width)


class SlotCache(StoredStates):
    """The keys and values of the rows that are continued, one slot each.

    Args:
        slots: S.
        device: where they lie.
    """

    def __init__(self, slots: int, device: torch.device) -> None:
        self._lengths_S = torch.zeros(slots, dtype=torch.long, device=device)
        self._slots = torch.arange(slots, device=device)
        self._layers: dict[int, States] = {}
        self._reading, self._seen, self._room = slice(0, 0), 0, 0
        self._lengths: list[int] = [0] * slots

    def put(self, slot: int, row: RowCache, length: int) -> None:
        """Copy a row that has been read into a slot.

        Args:
            slot: where it goes.
            row: what has been read.
            length: its number of positions.
        """
        self._grow(length + 1, row)
        for layer, states in row.layers.items():
            for stored_SGTK, states_1GTK in zip(self._layers[layer], states, strict=True):
                stored_SGTK[slot, :, :length] = states_1GTK[0]
        self._set(slot, length)

    def move(self, source: int, target: int) -> None:
        """Move a row to another slot."""
        length = self._lengths[source]
        for pair in self._layers.values():
            for stored_SGTK in pair:
                stored_SGTK[target, :, :length] = stored_SGTK[source, :, :length]
        self._set(target, length)
        self.clear(source)

    def clear(self, slot: int) -> None:
        """Nobody needs what lies in a slot."""
        # Hidden places get weight 0, and 0 times NaN, which a broken row may leave, is NaN.
        for pair in self._layers.values():
            for stored_SGTK in pair:
                stored_SGTK[slot] = 0
        self._set(slot, 0)
        if not any(self._lengths):
            # The room of a long row is given back as soon as nothing is continued.
            self._layers, self._room = {}, 0

    def begin(self, start: int, stop: int) -> None:
        """One token of each of some slots is going to be read.

        Args:
            start: the first of them.
            stop: the one behind the last.
        """
        self._reading = slice(start, stop)
        longest = max(self._lengths[start:stop]) + 1
        self._grow(longest)
        self._seen = rounded_room(longest)

    def advance(self, start: int, stop: int) -> None:
        """Count what has been read.

        Args:
            start: the first slot that holds a row.
            stop: the one behind the last; what was read in the others is forgotten.
        """
        for slot in range(start, stop):
            self._set(slot, self._lengths[slot] + 1)

    def positions(self, _ids_BL: torch.Tensor) -> torch.Tensor:
        """Of the next token of each row (B × 1)."""
        return self._lengths_S[self._reading, None]

    def update(self, layer: int, states: States) -> States:
        """Store one more position of each row; all positions of these slots."""
        slots = self._reading
        for stored_SGTK, new_BG1K in zip(self._layers[layer], states, strict=True):
            stored_SGTK[self._slots[slots], :, self._lengths_S[slots]] = new_BG1K[:, :, 0]
        key, value = self._layers[layer]
        return key[slots, :, : self._seen], value[slots, :, : self._seen]

    def mask(self, window: int) -> torch.Tensor:
        """A token sees itself and the ``window`` - 1 before it (B × 1 × 1 × T)."""
        places = torch.arange(self._seen, device=self._lengths_S.device)
        behind_BT = self._lengths_S[self._reading, None] - places
        return ((behind_BT >= 0) & (behind_BT < window))[:, None, None]

    def _set(self, slot: int, length: int) -> None:
        self._lengths[slot] = length
        self._lengths_S[slot] = length

    def _grow(self, length: int, row: RowCache | None = None) -> None:
        """Make room for a length."""
        if length <= self._room and self._layers:
            return
        # By a quarter at least, so that a long row does not copy everything for each block.
        self._room = rounded_room(max(length, self._room + self._room // 4))
        sources = self._layers or (row.layers if row is not None else {})
        grown: dict[int, States] = {}
        for layer, (key, value) in sources.items():
            grown[layer] = (self._roomier(key), self._roomier(value))
        self._layers = grown

    def _roomier(self, states: torch.Tensor) -> torch.Tensor:
        # Zeros, not empty memory: hidden places get weight 0, and 0 times NaN is NaN.
        _, heads, length, width = states.shape
        roomy = states.new_zeros(len(self._lengths), heads, self._room, width)
        if self._layers:
            roomy[:, :, :length] = states
        return roomy
