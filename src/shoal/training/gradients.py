"""The ways from a batch to the gradient of its loss.

`PaddedGradient` suits any causal model: the model's own forward on rows that are padded on the right, where causal
attention keeps real tokens from ever seeing the padding. `LlamaGradient` is the same for a Llama on a CPU, packed.

Shapes: B documents, L positions, N predicted positions, D hidden width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from shoal.errors import ModelError
from shoal.training.llama import LlamaGradient, is_plain_llama
from shoal.training.loss import mean_cross_entropy
from shoal.training.precision import products_in

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from shoal.models.anatomy import Anatomy, Head
    from shoal.training.batches import Batch
    from shoal.training.precision import Dtype
    from shoal.training.weights import FlatWeights


class Gradient(Protocol):
    """Adds the gradient of a batch's mean loss to that of the weights."""

    def __call__(self, batch: Batch, precision: Dtype) -> torch.Tensor:
        """The mean cross-entropy of the predicted tokens, in nats (a scalar)."""
        ...


def choose_gradient(model: PreTrainedModel, weights: FlatWeights, *, dropout: bool) -> Gradient:
    """The fastest way that is exact for the model, which must be in evaluation mode.

    Raises:
        ModelError: the model has no plain output layer, or padding changes its numbers.
    """
    from shoal.models.anatomy import split_model

    anatomy = split_model(model)
    if anatomy.head is None or anatomy.padding != "right":
        raise ModelError(
            f"{type(model).__name__} cannot be trained here: "
            "its output layer is not a plain one, or padding changes its numbers"
        )
    if is_plain_llama(model) and not dropout:
        return LlamaGradient(model, anatomy.head, weights)
    return PaddedGradient(anatomy, anatomy.head)


class PaddedGradient:
    """One row a document, and autograd."""

    def __init__(self, anatomy: Anatomy, head: Head) -> None:
        self._anatomy, self._head = anatomy, head

    def __call__(self, batch: Batch, precision: Dtype) -> torch.Tensor:
        """The mean loss of a batch (a scalar)."""
        device = self._anatomy.model.device
        ids_BL, rows_N, targets_N = (tensor.to(device) for tensor in _rows(batch))
        with products_in(precision, device):
            hidden_BLD = self._anatomy.body(ids_BL)
            hidden_ND = hidden_BLD.flatten(0, 1).index_select(0, rows_N)
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        loss = mean_cross_entropy(hidden_ND.to(dtype), targets_N, self._head)
        loss.backward()
        return loss.detach()


def _rows(batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Padded ids (B × L), the places of the predicted positions among all B · L, and what to predict there.

    A document's last token is predicted and never read, so it is not fed.
    """
    width = max(len(document.ids) for document in batch.documents) - 1
    ids_BL = np.zeros((len(batch.documents), width), dtype=np.int64)
    places = []
    for row, document in enumerate(batch.documents):
        length = len(document.ids) - 1
        ids_BL[row, :length] = document.ids[:length]
        places.append(np.arange(document.boundary - 1, length) + row * width)
    targets = np.concatenate([document.ids[document.boundary :] for document in batch.documents])
    return torch.from_numpy(ids_BL), torch.from_numpy(np.concatenate(places)), torch.from_numpy(targets)
