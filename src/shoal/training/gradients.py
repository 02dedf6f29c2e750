"""The gradient of a batch's loss, by the model's own forward.

`PaddedGradient` suits any causal model: rows are padded on the right, where causal attention keeps real tokens from
ever seeing the padding. `shoal.training.llama` is the same for a Llama on a CPU, packed. The weights are float32; the
products may be in bfloat16.

Shapes: B documents, L positions, N predicted positions, D hidden width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import torch

from shoal.errors import ModelError
from shoal.models import Lengths, forget, stated_lengths
from shoal.training.batches import weights_of
from shoal.training.loss import mean_cross_entropy
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from transformers import PreTrainedModel

    from shoal.models import LMHead
    from shoal.training.batches import Batch, Document

Dtype = Literal["float32", "bfloat16"]
DTYPES: dict[Dtype, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}

_PADDING = 256
"""Padding positions allowed in one forward pass; a pass of its own costs a small model about as much."""


def products_in(precision: Dtype, device: torch.device) -> AbstractContextManager[None]:
    """Within it, matrix products on the device run in the given dtype.

    Args:
        precision: the dtype of the products.
        device: where they run.
    """
    context: AbstractContextManager[None] = torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"
    )
    return context


class Gradient(Protocol):
    """Adds the gradient of a batch's loss to that of the weights."""

    def __call__(self, batch: Batch, precision: Dtype, denominator: int) -> torch.Tensor:
        """The cross-entropy of the predicted tokens in nats, divided by ``denominator`` (a scalar).

        Args:
            batch: the documents.
            precision: the dtype of the products.
            denominator: what the sum of the losses is divided by, before the gradient is taken.
        """
        ...


class PaddedGradient:
    """One row per document, and autograd. Documents of similar length go together, so that little of it is padding.

    Where by the configuration frequencies change with the length of what is read, the documents on the two sides
    are read apart, so that the loss of a document depends on no other.
    """

    def __init__(self, model: PreTrainedModel, head: LMHead, *, label_smoothing: float = 0.0) -> None:
        self._model, self._head, self._label_smoothing = model, head, label_smoothing

    def __call__(self, batch: Batch, precision: Dtype, denominator: int) -> torch.Tensor:
        """The loss of a batch (a scalar)."""
        device = self._model.device
        total = torch.zeros((), device=device)
        for documents in documents_alike(self._model, batch.documents):
            ids_BL, rows_N, targets_N = (tensor.to(device) for tensor in padded_rows(documents))
            with products_in(precision, device):
                hidden_BLD = self._hidden(ids_BL)
                hidden_ND = hidden_BLD.flatten(0, 1).index_select(0, rows_N)
            # Outside of autocast: softmax and sums are in float32, and the head casts its weights itself.
            loss = self._loss(hidden_ND.to(DTYPES[precision]), targets_N, documents)
            # The mean of a group is weighted by its tokens: a mean of means would favour tokens of small groups.
            loss = loss * (len(targets_N) / denominator)
            # Group by group, so that the activations of one group alone are in memory.
            loss.backward()
            total += loss.detach()
        return total

    def _loss(self, hidden_ND: torch.Tensor, targets_N: torch.Tensor, documents: Sequence[Document]) -> torch.Tensor:
        """The mean loss of the predicted tokens of some documents (a scalar), differentiable in the hidden states."""
        weights_N = weights_of(documents)
        return mean_cross_entropy(
            hidden_ND,
            targets_N,
            self._head,
            label_smoothing=self._label_smoothing,
            weights_N=None if weights_N is None else weights_N.to(hidden_ND.device),
        )

    def _hidden(self, ids_BL: torch.Tensor) -> torch.Tensor:
        """The last hidden states (B × L × D).

        Raises:
            ModelError: the model does not take rows of this length in training, as Reformer does not take all.
        """
        try:
            hidden_BLD: torch.Tensor = self._model.base_model(input_ids=ids_BL, use_cache=False, return_dict=True)[0]
        except ValueError as error:  # how the models of transformers refuse what they are given
            raise ModelError(
                f"{type(self._model).__name__} cannot be trained on rows of {ids_BL.shape[1]} tokens: "
                f"{in_one_line(error)}"
            ) from error
        return hidden_BLD


def documents_alike(model: PreTrainedModel, documents: Sequence[Document]) -> Iterator[list[Document]]:
    """The documents in groups of similar length, the longest first; the model is ready to read the one that is given.

    Args:
        model: that reads a group before the next one is taken.
        documents: of a batch.
    """
    lengths = stated_lengths(model.config.get_text_config(decoder=True).to_dict())
    for group in _alike(documents, lengths):
        if lengths.keeps_state:
            # Dynamic NTK scaling keeps the frequencies of the longest row that it has read.
            forget(model)
        yield group


def _alike(documents: Sequence[Document], lengths: Lengths) -> list[list[Document]]:
    """The documents in groups, the longest first, each with a bounded number of places for padding."""
    groups: list[list[Document]] = []
    room = -1
    for document in sorted(documents, key=lambda document: -len(document.ids)):
        if groups:
            # The first of a group is its longest, so this is the padding that the document would bring.
            room -= len(groups[-1][0].ids) - len(document.ids)
        if room < 0 or not lengths.agree(len(document.ids) - 1, len(groups[-1][0].ids) - 1):
            groups.append([])
            room = _PADDING
        groups[-1].append(document)
    return groups


def padded_rows(documents: Sequence[Document]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Padded ids (B × L), the places of the predicted positions among all B · L, and what to predict there.

    A document's last token is predicted and never read, so it is not fed.
    """
    width = max(len(document.ids) for document in documents) - 1
    ids_BL = np.zeros((len(documents), width), dtype=np.int64)
    places = []
    for row, document in enumerate(documents):
        length = len(document.ids) - 1
        ids_BL[row, :length] = document.ids[:length]
        places.append(np.arange(document.boundary - 1, length) + row * width)
    targets = np.concatenate([document.ids[document.boundary :] for document in documents])
    return torch.from_numpy(ids_BL), torch.from_numpy(np.concatenate(places)), torch.from_numpy(targets)
