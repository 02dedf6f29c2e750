"""Rows of any causal model of `transformers`, each continued by itself: the same numbers in any company.

A model's cache is used where it gives the numbers of reading all again (`shoal.models.probing`); where it does not, all
is read again for each token. Where the configuration states that lengths play a part (LongRoPE), a row that grows out
of its segment of lengths is read again.

Shapes: L positions, D hidden width, V vocabulary.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from shoal.models.generation.decoder import Decoder, Reading
from shoal.models.lengths import stated_lengths
from shoal.models.probing import cache_use, context_of, forward_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.models.factorization import FactoredModel


class SingleReading(Reading):
    """A row that a model of `transformers` reads, all at once.

    Args:
        factored: the model.
        ids: the row.
        cached: whether its cache can be used.
    """

    def __init__(self, factored: FactoredModel, ids: Sequence[int], *, cached: bool) -> None:
        super().__init__(ids)
        self._factored = factored
        self._cached = cached
        self.cache: Any = None
        self._output_LX = torch.empty(0)
        """Hidden states of the row, or its logits where the model could not be factored."""

    @torch.inference_mode()
    def advance(self) -> None:
        """Read the row."""
        self._factored.forget()
        model: Any = self._factored.model
        ids_1L = torch.tensor([self.ids], device=model.device)
        body = model if self._factored.head is None else model.base_model
        extra = {"use_cache": True} if self._cached else {"use_cache": False}
        output = body(input_ids=ids_1L, attention_mask=torch.ones_like(ids_1L), return_dict=True, **extra)
        self._output_LX = output.logits[0] if self._factored.head is None else output[0][0]
        self.cache = output.past_key_values if self._cached else None
        self.done = len(self.ids)

    @torch.inference_mode()
    def logits(self, start: int, stop: int) -> torch.Tensor:
        """See `Reading.logits`."""
        part = self._output_LX[start:stop]
        return part if self._factored.head is None else self._factored.head.logits(part)


class SingleDecoder(Decoder):
    """Continues each row of a model of `transformers` by itself.

    Args:
        factored: the model.
        capacity: rows at a time at most.
        context: positions of a row at most; None: as many as the model has.
    """

    def __init__(self, factored: FactoredModel, *, capacity: int, context: int | None = None) -> None:
        model: Any = factored.model
        limits = [limit for limit in (context, context_of(model)) if limit is not None]
        super().__init__(
            vocabulary=factored.vocabulary,
            entries=model.get_input_embeddings().weight.shape[0],
            capacity=capacity,
            context=min(limits, default=None),
        )
        self._cached = cache_use(factored) is not None
        self._lengths = stated_lengths(model.config.get_text_config(decoder=True).to_dict())
        # So that what other rows left in the model is forgotten before a row is read.
        self._factored = replace(factored, lengths=self._lengths)
        self._last_only = "logits_to_keep" in forward_parameters(model)
        self._rows: dict[int, tuple[list[int], Any, int | None]] = {}
        """Of each row: its ids, its cache, and the last length for which that holds."""
        self._next = 0

    @property
    def description(self) -> str:
        """How rows are computed."""
        return f"each row by itself, {'with' if self._cached else 'without'} a cache"

    def read(self, ids: Sequence[int]) -> SingleReading:
        """See `Decoder.read`."""
        return SingleReading(self._factored, ids, cached=self._cached)

    def join(self, reading: Reading) -> int:
        """See `Decoder.join`."""
        assert isinstance(reading, SingleReading), "a decoder takes what it has read itself"
        self._rows[self._next] = (list(reading.ids), reading.cache, self._lengths.last(len(reading.ids)))
        self._next += 1
        return self._next - 1

    def leave(self, row: int) -> None:
        """See `Decoder.leave`."""
        del self._rows[row]

    def step(self, tokens: Mapping[int, int]) -> dict[int, torch.Tensor]:
        """See `Decoder.step`."""
        return {row: self._continue(row, token) for row, token in tokens.items()}

    @torch.inference_mode()
    def _continue(self, row: int, token: int) -> torch.Tensor:
        ids, cache, last = self._rows[row]
        ids.append(token)
        if cache is None or (last is not None and len(ids) > last):
            # What the cache holds was computed for other lengths, or there is none.
            reading = self.read(ids)
            reading.advance()
            self._rows[row] = (ids, reading.cache, self._lengths.last(len(ids)))
            return reading.logits(len(ids) - 1, len(ids))[0]
        # Another row may have left the frequencies of a longer text in the model.
        self._factored.forget()
        model: Any = self._factored.model
        extra = {"logits_to_keep": 1} if self._last_only else {}
        output = model(
            input_ids=torch.tensor([[token]], device=model.device),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long, device=model.device),
            past_key_values=cache,
            use_cache=True,
            **extra,
        )
        self._rows[row] = (ids, output.past_key_values, last)
        logits_V: torch.Tensor = output.logits[0, -1]
        return logits_V
