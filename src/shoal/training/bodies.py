"""The way from documents to the hidden states of the positions that are to be predicted.

A document's last token is predicted and never read, so it is not fed. `PaddedRows` suits any causal model: a row a
document, padded on the right, where causal attention keeps real tokens from ever seeing the padding.

Shapes: B documents, L positions, N predicted positions, D hidden width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from shoal.errors import ModelError

if TYPE_CHECKING:
    from shoal.models.anatomy import Anatomy, Head
    from shoal.training.batches import Batch


class Body(Protocol):
    """Documents in, hidden states out."""

    head: Head
    """What turns them into logits."""

    def __call__(self, batch: Batch) -> torch.Tensor:
        """Hidden states (N × D) of the predicted positions, document after document."""
        ...


def targets_of(batch: Batch, device: torch.device) -> torch.Tensor:
    """The ids to predict (N), document after document."""
    targets = np.concatenate([document.ids[document.boundary :] for document in batch.documents])
    return torch.from_numpy(targets).to(device)


class PaddedRows:
    """One row a document; the model's own forward."""

    def __init__(self, anatomy: Anatomy) -> None:
        if anatomy.head is None or anatomy.padding != "right":
            raise ModelError(
                f"{type(anatomy.model).__name__} cannot be trained here: it has no plain output layer, "
                "or padding changes its numbers"
            )
        self._anatomy = anatomy
        self.head = anatomy.head

    def __call__(self, batch: Batch) -> torch.Tensor:
        """Hidden states (N × D) of the predicted positions."""
        device = self._anatomy.model.device
        ids_BL, places_N = _rows(batch)
        hidden_BLD = self._anatomy.body(ids_BL.to(device))
        return hidden_BLD.flatten(0, 1).index_select(0, places_N.to(device))


def _rows(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded ids, and the places of the predicted positions among all B · L."""
    width = max(len(document.ids) for document in batch.documents) - 1
    ids_BL = np.zeros((len(batch.documents), width), dtype=np.int64)
    places = []
    for row, document in enumerate(batch.documents):
        length = len(document.ids) - 1
        ids_BL[row, :length] = document.ids[:length]
        places.append(np.arange(document.boundary - 1, length) + row * width)
    return torch.from_numpy(ids_BL), torch.from_numpy(np.concatenate(places))
