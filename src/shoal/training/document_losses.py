"""The loss of each document of a batch: what a spike is traced back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from shoal.models import factor_model
from shoal.training.batches import micro_batches
from shoal.training.gradients import DTYPES, documents_alike, padded_rows, products_in
from shoal.training.loss import cross_entropy_with_gradient

if TYPE_CHECKING:
    from shoal.training.batches import Batch
    from shoal.training.gradients import Dtype


def document_losses(model: Any, batch: Batch, precision: Dtype, micro_tokens: int = 0) -> list[float]:
    """The loss of each document: the mean of its predicted tokens in nats, without dropout, smoothing or weights.

    Cost: a forward pass over the batch, in micro-batches as large as those of the training, so that it takes no more
    memory than a step.

    Args:
        model: any causal LM of transformers that `run_training` takes; it keeps its mode and its gradients.
        batch: the documents.
        precision: the dtype of the products.
        micro_tokens: that are read in one pass, at most; 0 for the whole batch.
    """
    mode = model.training
    model.eval()
    try:
        head = factor_model(model).head
        assert head is not None, "no gradient is taken of a model without a plain output layer"
        found: dict[int, float] = {}
        for part in micro_batches(batch, micro_tokens):
            for documents in documents_alike(model, part.documents):
                ids_BL, rows_N, targets_N = (tensor.to(model.device) for tensor in padded_rows(documents))
                with torch.no_grad(), products_in(precision, model.device):
                    hidden_BLD = model.base_model(input_ids=ids_BL, use_cache=False, return_dict=True)[0]
                    hidden_ND = hidden_BLD.flatten(0, 1).index_select(0, rows_N).to(DTYPES[precision])
                    # The gradient by the hidden states comes with it; the logits are never there as a whole.
                    losses_N, _ = cross_entropy_with_gradient(
                        hidden_ND, targets_N, head, denominator=1, weight_grad_VD=None
                    )
                sizes = [len(document.ids) - document.boundary for document in documents]
                for document, losses in zip(documents, losses_N.double().split(sizes), strict=True):
                    found[id(document)] = float(losses.mean())
    finally:
        model.train(mode)
    return [found[id(document)] for document in batch.documents]
