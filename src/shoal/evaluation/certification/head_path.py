"""FastModel and head compared with the full logits of the model itself, on random batches: the path that scoring takes.

Dummies prove an evaluator; this proves that what holds for a dummy's head holds for a given model's: its bias, scale
and soft cap are all there, and padding on the right changes nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from shoal.errors import ModelError
from shoal.evaluation.certification.certificate import CheckResult
from shoal.models import FactoredModel, factor_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# As shares of the largest logit: some hundred units in the last place, since a product over the hidden width may be
# added up in another order. A missing bias, scale or soft cap moves logits by far more than that.
_TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-5}
_HALF_PRECISION = 0.05
_ROWS = 4


@torch.inference_mode()
def check_head_path(model: PreTrainedModel, *, seed: int = 0, batches: int = 3, max_tokens: int = 24) -> CheckResult:
    """Compare body and head with the full logits of each row alone, on random ids.

    Args:
        model: a causal language model in evaluation mode.
        seed: draws lengths and ids.
        batches: how many batches of four rows, padded on the right.
        max_tokens: of a row; it must fit the model's context.

    Raises:
        ModelError: the model is in training mode.
    """
    if model.training:
        raise ModelError("the model is in training mode; call model.eval() before its head is checked")
    start = time.perf_counter()
    factored = factor_model(model)
    generator = torch.Generator().manual_seed(seed)
    # Logits that are all near 0 would otherwise allow no difference at all.
    worst, scale = 0.0, 1e-3
    for _ in range(batches):
        lengths = torch.randint(1, max_tokens + 1, (_ROWS,), generator=generator).tolist()
        ids_BL = torch.randint(0, factored.vocabulary, (_ROWS, max(lengths)), generator=generator).to(model.device)
        for parts, ids_L in zip(_rows(factored, ids_BL, lengths), ids_BL, strict=True):
            whole = factored.full_logits(ids_L[None, : len(parts)])[0].double()
            worst = max(worst, _largest_difference(parts.double(), whole))
            scale = max(scale, float(whole.nan_to_num(0.0, 0.0, 0.0).abs().max()))
    allowed = _TOLERANCE.get(model.dtype, _HALF_PRECISION) * scale
    return CheckResult(
        name=f"body and head of {type(model).__name__}",
        proves="the logits that scoring computes from the body and the head are those of the model itself",
        expected={"max_difference_logits": allowed},
        got={"difference_logits": worst, "path": factored.path, "padding": str(factored.padding)},
        passed=worst <= allowed,
        seconds=time.perf_counter() - start,
    )


def _largest_difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """Of two tensors; infinite where a number of one is none of the other."""
    # A comparison with NaN is false, so that `max` would pass over it.
    same = (one == other) | (one.isnan() & other.isnan())
    return float((one - other).abs().masked_fill(same, 0.0).nan_to_num(nan=torch.inf).max())


def _rows(factored: FactoredModel, ids_BL: torch.Tensor, lengths: list[int]) -> list[torch.Tensor]:
    """The logits of each row by the path that scoring takes: padded on the right, or alone where padding matters."""
    if factored.head is None:
        return [factored.full_logits(ids_L[None, :length])[0] for ids_L, length in zip(ids_BL, lengths, strict=True)]
    if factored.padding == "right":
        hidden = list(factored.hidden(ids_BL))
    else:
        hidden = [factored.hidden(ids_L[None, :length])[0] for ids_L, length in zip(ids_BL, lengths, strict=True)]
    return [factored.head.logits(hidden_LD[:length]) for hidden_LD, length in zip(hidden, lengths, strict=True)]
