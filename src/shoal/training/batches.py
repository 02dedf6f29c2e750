"""Where the batches of a training come from: examples that are packed whole, or windows of a stream of tokens.

A source gives any batch by its number alone, so that a training that is resumed needs no state of its data. Whole
documents of several corpora come from `documents`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from shoal.errors import DataError, TooLongError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from shoal.text import EncodedPair
    from shoal.training.settings import TrainSettings

IntArray = np.ndarray[Any, np.dtype[np.integer[Any]]]
FloatArray = np.ndarray[Any, np.dtype[np.float32]]
WindowOrder = Literal["random", "sequential"]

# At 8 bytes each 16 GB: beyond it the settings are a slip, and the machine would run out of memory first.
_MAX_EXAMPLES = 2**31


@dataclass(frozen=True, slots=True)
class Document:
    """Token ids that are read together; those from ``boundary`` on (at least 1) are predicted from all before them."""

    ids: IntArray
    boundary: int
    weights: FloatArray | None = None
    """How much each predicted token counts in the loss; None for all alike."""

    source: str = ""
    """The corpus or kind of rows that it is of."""

    number: int | None = None
    """Its place there, from 0."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The documents of one step. None of them sees another."""

    documents: tuple[Document, ...]
    name: str
    """What an error message calls it."""

    @property
    def targets(self) -> int:
        """The number of tokens that are to be predicted."""
        return sum(len(document.ids) - document.boundary for document in self.documents)


class BatchSource(Protocol):
    """Batches by their number."""

    steps: int
    digest: str
    """SHA-256 of the data, as 64 hexadecimal characters."""

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from 0; the same each time."""
        ...


def weights_of(documents: Sequence[Document]) -> torch.Tensor | None:
    """How much each predicted token of some documents counts (N, float32), or None where all count alike.

    Args:
        documents: in the order of the predicted tokens.
    """
    if all(document.weights is None for document in documents):
        return None
    import torch

    parts = [
        np.ones(len(document.ids) - document.boundary, dtype=np.float32)
        if document.weights is None
        else np.asarray(document.weights, dtype=np.float32)
        for document in documents
    ]
    return torch.from_numpy(np.concatenate(parts))


class PackedExamples:
    """Whole examples, packed into steps of a number of tokens.

    The examples are shuffled in each epoch and laid end to end; a step takes as many as fit into its tokens, and at
    least one. Cost: one integer per example and epoch.

    Args:
        pairs: the examples as token ids.
        settings: gives the epochs, the tokens per step and the seed.
        context: the tokens that the model reads at most.

    Raises:
        DataError: there are no examples.
        TooLongError: one does not fit into the context.
        UsageError: the epochs are more than a machine holds.
    """

    def __init__(self, pairs: Sequence[EncodedPair], settings: TrainSettings, *, context: int) -> None:
        _refuse_unusable(pairs, context)
        self._documents = [
            Document(np.asarray(pair.ids, dtype=np.int64), pair.boundary, source="example", number=place)
            for place, pair in enumerate(pairs)
        ]
        self._cuts = _cut(_order(len(pairs), settings), [len(pair.ids) for pair in pairs], settings.batch_tokens)
        self.steps = len(self._cuts)
        self.digest = arrays_digest([document.ids for document in self._documents], [pair.boundary for pair in pairs])

    def batch(self, step: int) -> Batch:
        """The examples of a step."""
        chosen = self._cuts[step]
        name = "example " + ", ".join(str(place) for place in chosen[:8]) + (", ..." if len(chosen) > 8 else "")
        return Batch(tuple(self._documents[place] for place in chosen), name)


class TokenWindows:
    """Windows of a stream of token ids, each of ``context`` tokens to predict; every position counts in the loss.

    Args:
        tokens: one row of ids, which may be memory-mapped.
        settings: gives the epochs, the tokens per step and the seed.
        context: tokens to predict per window.
        order: ``random`` draws the start of each window; ``sequential`` goes through the stream in order, and begins
            again at its end.

    Raises:
        DataError: the stream is shorter than a window.
    """

    def __init__(self, tokens: IntArray, settings: TrainSettings, *, context: int, order: WindowOrder) -> None:
        if len(tokens) <= context:
            raise DataError(f"the stream has {len(tokens)} tokens; a window of context {context} needs {context + 1}")
        self._tokens, self._context, self._order, self._seed = tokens, context, order, settings.seed
        self._windows = max(1, settings.batch_tokens // context)
        self.steps = max(1, round(settings.epochs * len(tokens) / (self._windows * context)))
        self.digest = arrays_digest([tokens], [context, order == "random"])

    def batch(self, step: int) -> Batch:
        """The windows of a step."""
        starts = self._starts(step)
        # Cut before it is converted: the stream may be a memory-mapped file that does not fit into memory.
        spans = [self._tokens[start : start + self._context + 1].astype(np.int64) for start in starts]
        # Numbered by their first token: a window has no other place in the stream.
        documents = (Document(ids, 1, source="window", number=at) for ids, at in zip(spans, starts, strict=True))
        return Batch(tuple(documents), f"windows from {starts[0]}")

    def _starts(self, step: int) -> list[int]:
        last = len(self._tokens) - self._context - 1
        if self._order == "random":
            # A generator per step, not one for the whole training: any batch can be drawn without those before it.
            draws = np.random.default_rng([self._seed, step]).integers(0, last + 1, self._windows)
            return [int(draw) for draw in draws]
        places = last // self._context + 1
        return [(step * self._windows + k) % places * self._context for k in range(self._windows)]


def first_documents(batch: Batch, tokens: int) -> Batch:
    """The first documents of a batch, up to a number of tokens.

    Args:
        batch: whose documents are taken.
        tokens: the document that reaches them is the last.
    """
    ends = np.cumsum([len(document.ids) for document in batch.documents])
    return Batch(batch.documents[: 1 + int(np.searchsorted(ends, tokens))], batch.name)


def micro_batches(batch: Batch, tokens: int) -> list[Batch]:
    """Cut a batch into micro-batches, whose gradients add up to that of the batch.

    Args:
        batch: the documents of a step.
        tokens: that are read in a micro-batch, at most; a longer document has one to itself. 0 leaves the batch whole.
    """
    if not tokens:
        return [batch]
    parts: list[list[Document]] = []
    room = -1
    # The longest first, so that documents of one length share a micro-batch and little of it is padding.
    for document in sorted(batch.documents, key=lambda document: -len(document.ids)):
        if len(document.ids) - 1 > room:
            parts.append([])
            room = tokens
        parts[-1].append(document)
        room -= len(document.ids) - 1
    return [Batch(tuple(part), batch.name) for part in parts]


def joined_batch(batches: Sequence[Batch]) -> Batch:
    """Several batches as one step.

    Args:
        batches: at least one.
    """
    if len(batches) == 1:
        return batches[0]
    documents = tuple(document for batch in batches for document in batch.documents)
    return Batch(documents, f"{batches[0].name} and {len(batches) - 1} more batches")


def _refuse_unusable(pairs: Sequence[EncodedPair], context: int) -> None:
    if not pairs:
        raise DataError("there are no examples to train on; give at least one")
    for place, pair in enumerate(pairs):
        if len(pair.ids) > context:
            raise TooLongError(
                f"example {place} has {len(pair.ids)} tokens and the model's context is {context}; "
                "shorten it or leave it out"
            )


def _order(count: int, settings: TrainSettings) -> IntArray:
    """The examples' places in the order of training, all epochs in a row."""
    total = max(1, round(settings.epochs * count))
    if total > _MAX_EXAMPLES:
        raise UsageError(
            f"epochs = {settings.epochs:g} over {count:,} examples are {total:.3g} in all, and at most "
            f"{_MAX_EXAMPLES:,} can be laid out; lower the epochs"
        )
    # An order per epoch by its number: a training of more epochs begins as one of fewer does.
    epochs = [np.random.default_rng([settings.seed, epoch]).permutation(count) for epoch in range(-(-total // count))]
    return np.concatenate(epochs)[:total]


def _cut(order: IntArray, lengths: list[int], batch_tokens: int) -> list[list[int]]:
    cuts: list[list[int]] = []
    room = -1
    for place in order.tolist():
        if lengths[place] > room:
            cuts.append([])
            room = batch_tokens
        cuts[-1].append(place)
        room -= lengths[place]
    return cuts


def arrays_digest(arrays: Sequence[IntArray], numbers: Sequence[int]) -> str:
    """SHA-256 of arrays with their lengths and some numbers, as 64 hexadecimal characters.

    Args:
        arrays: each of one dimension.
        numbers: what else distinguishes the data.
    """
    # The lengths come first: the same ids, cut into other documents, are other data.
    state = hashlib.sha256(np.asarray([len(arrays), *map(len, arrays), *numbers], dtype=np.int64).tobytes())
    for array in arrays:
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()
