"""A model that is ready to generate text, with everything that a record of its texts names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.models import find_device, load_model, parse_spec
from shoal.models.generation import (
    check_fits,
    encode_chat,
    estimate_generation,
    has_chat_template,
    make_decoder,
    turn_end_ids,
)
from shoal.serving.running import RunningGeneration, ignore_pieces
from shoal.text import opening_ids
from shoal.textfiles import check_characters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models import LoadedModel
    from shoal.models.generation import Decoder, GenerationEstimate
    from shoal.serving.running import Piece
    from shoal.serving.settings import GenerationSettings

    Message = Mapping[str, Any]

# As many as the load test of the benchmarks has; more rows raise the throughput, and each holds a KV cache of its own.
ROWS = 16
"""Rows that are continued at a time where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationModel:
    """A model with its tokenizer and a decoder."""

    loaded: LoadedModel

    decoder: Decoder
    """Used by one engine at a time."""

    dtype: str

    end_ids: frozenset[int]
    """Tokens that end a text: the tokenizer's, those that come with the model, and that which ends a turn of a chat."""

    @property
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The model's tokenizer."""
        return self.loaded.tokenizer

    @property
    def can_chat(self) -> bool:
        """Whether the model has a chat template."""
        return has_chat_template(self.tokenizer)

    def encode(self, text: str) -> list[int]:
        """The ids of a prompt, opened as the tokenizer opens a text.

        Raises:
            DataError: it has half of a surrogate pair.
        """
        check_characters(text, "the prompt")
        # Without the tokenizer's own special tokens, some of which close a text and would end the generation before it
        # begins.
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return [*opening_ids(self.tokenizer), *ids]

    def encode_messages(self, messages: Sequence[Message]) -> list[int]:
        """The ids of a conversation up to the assistant's next answer.

        Raises:
            UsageError: the model has no chat template, or the messages are none.
            DataError: a message has half of a surrogate pair.
        """
        return encode_chat(self.tokenizer, messages)

    def start(
        self,
        prompt: Sequence[int],
        settings: GenerationSettings,
        *,
        sample: int = 0,
        on_piece: Callable[[Piece], None] = ignore_pieces,
    ) -> RunningGeneration:
        """A generation, which an engine can run.

        Args:
            prompt: ids of the prompt.
            settings: what determines it.
            sample: its number among the continuations of the prompt.
            on_piece: called in each step with what became known.
        """
        return RunningGeneration(prompt, settings, self.tokenizer, self.end_ids, sample=sample, on_piece=on_piece)

    def describe(self) -> dict[str, Any]:
        """What a record names of the model."""
        return {
            "model": self.loaded.spec,
            "digest": self.loaded.digest,
            "dtype": self.dtype,
            "device": str(self.loaded.model.device),
        }


def load_for_generation(
    spec: str,
    *,
    device: str = "auto",
    dtype: str = "float32",
    rows: int = ROWS,
    context: int | None = None,
    on_estimate: Callable[[GenerationEstimate], None] | None = None,
) -> GenerationModel:
    """Estimate what a model takes, refuse it where it does not fit, and load it.

    Args:
        spec: a model spec; see `shoal.models.spec`.
        device: ``"auto"`` is CUDA where there is one, else the CPU; or what torch calls a device.
        dtype: ``float32``, ``bfloat16``, ``float16`` or ``float64``.
        rows: rows that are continued at a time, at most.
        context: positions of a row at most; None: as many as the model has.
        on_estimate: called with the estimate before anything is loaded.

    Raises:
        UsageError: there is no row, or no position.
        ModelError: the model does not fit into the memory that is free; the message has the figures.
        ShoalError: as `load_model`.
    """
    _check_room(rows, context)
    # What a dummy or an ensemble takes is not in one configuration.
    if parse_spec(spec).kind not in ("dummy", "ensemble"):
        # Without a limit of the context, rows take as much room as they turn out to need.
        counted = rows if context is not None else 1
        estimate = estimate_generation(spec, dtype=dtype, device=find_device(device), rows=counted, context=context)
        if on_estimate is not None:
            on_estimate(estimate)
        check_fits(estimate)
    return make_generation_model(load_model(spec, device=device, dtype=dtype), rows=rows, context=context)


def make_generation_model(loaded: LoadedModel, *, rows: int = ROWS, context: int | None = None) -> GenerationModel:
    """Make a loaded model ready to generate text.

    Args:
        loaded: what `load_model` gives.
        rows: rows that are continued at a time, at most.
        context: positions of a row at most; None: as many as the model has.

    Raises:
        UsageError: there is no row, or no position.
    """
    _check_room(rows, context)
    return GenerationModel(
        loaded=loaded,
        decoder=make_decoder(loaded.model, capacity=rows, context=context),
        dtype=str(loaded.model.dtype).removeprefix("torch."),
        end_ids=_end_ids(loaded.model, loaded.tokenizer),
    )


def _check_room(rows: int, context: int | None) -> None:
    if rows < 1:
        raise UsageError(f"{rows} texts are generated at a time; give a number of at least 1")
    if context is not None and context < 1:
        raise UsageError(f"the context is {context}; give a number of tokens of at least 1")


def _end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    stated = getattr(model.generation_config, "eos_token_id", None)
    # Instruct models state several, where the tokenizer knows but one: Llama 3 ends a turn by <|eot_id|>.
    several = stated if isinstance(stated, list) else [] if stated is None else [stated]
    return frozenset([*several, int(tokenizer.eos_token_id)]) | turn_end_ids(tokenizer)
