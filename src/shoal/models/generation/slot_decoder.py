"""Rows of a fast model in one batch, in the batch sizes that were proved to change no bit.

A product of matrices may add its terms in another order for another number of rows (in float32 on x86, one to three
rows take another kernel than more), or for another place of a row among them. So before it is used, the decoder
continues a batch of 16 rows, and then the same rows in another order in smaller and larger batches; a size counts
where every row gets the same bits. A step takes the smallest size that counts and holds all rows; the slots that are
left over read a token that nobody sees. Where not even the order of 16 rows is free, each row is continued by itself.
As the batch of 16 is the measure for every capacity, a chat with one row gives the bits that a server gives.

Cost: about as many steps as there are sizes (1, 2, 4, … rows), once.

Shapes: B rows, L positions, D hidden width, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from shoal.models.generation.decoder import CHUNK, Decoder, Reading
from shoal.models.generation.slot_cache import RowCache, SlotCache

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.models.fast import FastModel

_MEASURE = 16
"""Rows of the batch that other sizes are compared with."""
_TRIED_LENGTHS = (5, 70, 33)
"""Lengths of the rows of the trial, of which one needs more room than the others."""


class SlotReading(Reading):
    """A row that a fast model reads.

    Args:
        model: the model.
        ids: the row.
    """

    def __init__(self, model: FastModel, ids: Sequence[int]) -> None:
        super().__init__(ids)
        self._model = model
        self.cache = RowCache(len(self.ids))
        self._hidden: list[torch.Tensor] = []

    @torch.inference_mode()
    def advance(self) -> None:
        """Read the next chunk."""
        chunk = self.ids[self.done : self.done + CHUNK]
        self.cache.begin(len(chunk))
        self._hidden.append(self._model.hidden(torch.tensor([chunk], device=self._model.device), self.cache)[0])
        self.cache.advance()
        self.done += len(chunk)

    @torch.inference_mode()
    def logits(self, start: int, stop: int) -> torch.Tensor:
        """See `Reading.logits`."""
        if len(self._hidden) > 1:
            self._hidden = [torch.cat(self._hidden)]
        return self._model.head.logits(self._hidden[0][start:stop])


class SlotDecoder(Decoder):
    """Continues rows of a fast model together.

    Args:
        model: the model.
        slots: rows at a time at most.
        context: positions of a row at most; None: as many as the model has.
    """

    def __init__(self, model: FastModel, *, slots: int, context: int | None = None) -> None:
        super().__init__(
            vocabulary=len(model.head.weight_VD),
            entries=model.embeddings,
            capacity=slots,
            context=model.context if context is None else min(context, model.context),
        )
        self._model = model
        self._rows: list[int] = []
        """The number of the row in each slot, from the first on."""
        self._next = 0
        self.sizes = self._prove_sizes()
        """Batch sizes whose rows have the same bits, ascending; empty where rows go one by one."""
        # As many as the batch that holds all rows, since slots that are left over are read, too.
        fitting = (size for size in self.sizes if size >= slots)
        self._cache = SlotCache(next(fitting, 1 << (slots - 1).bit_length()), model.device)

    @property
    def description(self) -> str:
        """How rows are computed."""
        if not self.sizes:
            return "each row by itself (no batch size gives its bits)"
        return f"rows together in batches of {', '.join(map(str, self.sizes))}, proved bit-equal"

    def read(self, ids: Sequence[int]) -> SlotReading:
        """See `Decoder.read`."""
        return SlotReading(self._model, ids)

    @torch.inference_mode()
    def join(self, reading: Reading) -> int:
        """See `Decoder.join`."""
        assert isinstance(reading, SlotReading), "a decoder takes what it has read itself"
        self._cache.put(len(self._rows), reading.cache, len(reading.ids))
        self._rows.append(self._next)
        self._next += 1
        return self._rows[-1]

    @torch.inference_mode()
    def leave(self, row: int) -> None:
        """See `Decoder.leave`."""
        slot, last = self._rows.index(row), len(self._rows) - 1
        if slot < last:
            self._cache.move(last, slot)
            self._rows[slot] = self._rows[last]
        else:
            self._cache.clear(last)
        self._rows.pop()

    def step(self, tokens: Mapping[int, int]) -> dict[int, torch.Tensor]:
        """See `Decoder.step`; every row gets a token."""
        ids = [tokens[row] for row in self._rows]
        if not ids:
            return {}
        logits_BV = torch.cat(list(self._step_in_parts(ids)))
        return dict(zip(self._rows, logits_BV, strict=True))

    def _step_in_parts(self, ids: list[int]) -> Iterator[torch.Tensor]:
        """The logits of a step, in the fewest batches that count."""
        start = 0
        while start < len(ids):
            left = len(ids) - start
            size = next((size for size in self.sizes if size >= left), self.sizes[-1] if self.sizes else 1)
            yield self._step_together(self._cache, ids[start : start + size], start, size)
            start += size

    @torch.inference_mode()
    def _step_together(self, cache: SlotCache, ids: list[int], start: int, size: int) -> torch.Tensor:
        """The logits of rows in some neighbouring slots (len(ids) × V).

        Args:
            cache: where they lie.
            ids: the next token of each.
            start: the slot of the first.
            size: slots that are read; those behind the rows hold none.
        """
        cache.begin(start, start + size)
        padded_B1 = torch.tensor([*ids, *[0] * (size - len(ids))], device=self._model.device)[:, None]
        logits_BV = self._model.head.logits(self._model.hidden(padded_B1, cache)[:, 0])
        cache.advance(start, start + len(ids))
        return logits_BV[: len(ids)]

    def _prove_sizes(self) -> tuple[int, ...]:
        """The batch sizes that give every row the bits of the batch that is the measure."""
        largest = max(_MEASURE, 1 << (self.capacity - 1).bit_length())
        readings = [self._read_for_trial(length) for length in _TRIED_LENGTHS]
        places = list(range(largest))
        measure = self._try(readings, places[:_MEASURE])
        counting = []
        for size in (2**power for power in range(largest.bit_length())):
            # From behind, so that rows stand in other places of the batch.
            found = self._try(readings, places[:_MEASURE][::-1][:size] + places[_MEASURE:size])
            if all(torch.equal(found[place], logits_V) for place, logits_V in measure.items() if place in found):
                counting.append(size)
        return tuple(counting) if _MEASURE in counting else ()

    def _try(self, readings: Sequence[SlotReading], places: list[int]) -> dict[int, torch.Tensor]:
        """The logits of rows that begin as these readings, by their places, read together in this order."""
        cache = SlotCache(len(places), self._model.device)
        for slot, place in enumerate(places):
            reading = readings[place % len(readings)]
            cache.put(slot, reading.cache, len(reading.ids))
        # Other tokens, so that rows of one beginning are different rows.
        ids = [(97 * place + 3) % self.entries for place in places]
        return dict(zip(places, self._step_together(cache, ids, 0, len(ids)), strict=True))

    def _read_for_trial(self, length: int) -> SlotReading:
        room = max(1, (self.context or length + 1) - 1)
        reading = self.read([(31 * place + 7) % self.entries for place in range(min(length, room))])
        reading.advance()
        return reading
