"""Continuation of rows that come and go, where the numbers of a row are a function of that row alone.

A server adds a row whenever a request comes, and drops it when it is finished. Most engines then compute a row's
logits in batches of whatever shape there is, and a matrix product adds its terms in an order that depends on the shape:
so the same request gives other numbers, and now and then another text, in other company. A `Decoder` promises more:
the logits of a row are the same bits whatever goes with it. `SlotDecoder` (fast models) batches rows, in the shapes
for which it has proved that by trying; `SingleDecoder` continues each row by itself.

Shapes: L positions, V vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from shoal.errors import DataError, TooLongError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

CHUNK = 256
"""Positions that are read at a time, so that long prompts do not hold up the rows that are being continued. Chunks
begin at multiples of it: where they do is a function of the row alone."""


class Reading(ABC):
    """A row that is being read, chunk by chunk.

    Args:
        ids: the row; at least one.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = tuple(ids)
        self.done = 0
        """Positions that have been read."""

    @property
    def finished(self) -> bool:
        """Whether all has been read."""
        return self.done == len(self.ids)

    @abstractmethod
    def advance(self) -> None:
        """Read the next chunk."""

    @abstractmethod
    def logits(self, start: int, stop: int) -> torch.Tensor:
        """The logits ((stop - start) × V) at positions of a row that is finished.

        Args:
            start: the first position.
            stop: the one behind the last.
        """


class Decoder(ABC):
    """Continues rows of one model.

    Args:
        vocabulary: the number of logits.
        entries: the number of embeddings: ids are below it.
        capacity: rows that are continued at a time, at most.
        context: positions of a row at most; None: no limit.
    """

    def __init__(self, *, vocabulary: int, entries: int, capacity: int, context: int | None) -> None:
        self.vocabulary = vocabulary
        self.entries = entries
        self.capacity = capacity
        self.context = context

    @property
    @abstractmethod
    def description(self) -> str:
        """How rows are computed, for people."""

    @abstractmethod
    def read(self, ids: Sequence[int]) -> Reading:
        """Begin to read a row; `check_row` holds of it."""

    @abstractmethod
    def join(self, reading: Reading) -> int:
        """Take a row that has been read among those that are continued.

        Returns:
            Its number, until it leaves.
        """

    @abstractmethod
    def step(self, tokens: Mapping[int, int]) -> dict[int, torch.Tensor]:
        """Append one token to each of some rows.

        Args:
            tokens: the token of each row, by its number.

        Returns:
            The logits (V) behind it, by the number of the row.
        """

    @abstractmethod
    def leave(self, row: int) -> None:
        """Drop a row."""

    def check_row(self, ids: Sequence[int], limit: int) -> None:
        """Raise where a row cannot be read or continued.

        Args:
            ids: the row.
            limit: tokens that may be generated behind it.

        Raises:
            DataError: it is empty, or an id is none of the model's.
            TooLongError: it does not fit into the model's context together with what may be generated.
        """
        if not ids:
            raise DataError("the prompt has no tokens; give it text, since a model continues what it has read")
        wrong = [id_ for id_ in ids if not 0 <= id_ < self.entries]
        if wrong:
            raise DataError(f"the prompt has the token id {wrong[0]}; expected ids from 0 to {self.entries - 1}")
        if self.context is not None and len(ids) + limit > self.context:
            raise TooLongError(
                f"the prompt has {len(ids):,} tokens and {limit:,} may be generated, but the context is of "
                f"{self.context:,}; shorten the prompt or give a smaller maximum of tokens"
            )
