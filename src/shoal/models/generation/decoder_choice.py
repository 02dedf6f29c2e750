"""The decoder for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.models.factorization import factor_model
from shoal.models.generation.single_decoder import SingleDecoder
from shoal.models.generation.slot_decoder import SlotDecoder

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from shoal.models.fast import FastModel
    from shoal.models.generation.decoder import Decoder


def make_decoder(model: PreTrainedModel | FastModel, *, capacity: int = 16, context: int | None = None) -> Decoder:
    """A decoder of a model: of rows together where a fast model of its architecture gives the same numbers.

    Args:
        model: a causal language model in evaluation mode, or what `load_for_scoring` gives.
        capacity: rows that are continued at a time, at most.
        context: positions of a row at most; None: as many as the model has.
    """
    factored = factor_model(model)
    if factored.fast is not None:
        return SlotDecoder(factored.fast, slots=capacity, context=context)
    return SingleDecoder(factored, capacity=capacity, context=context)
