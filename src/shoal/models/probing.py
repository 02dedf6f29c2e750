"""What is known of a model by running it: probes of a few tokens, and how its cache of what it has read can be used.

`transformers` has many kinds of cache: of keys and values, of windows, of states, and mixtures of them, and not all can
drop rows, pass over padding or hold to a window. So a cache is tried, on a few tokens and on as many as will be read,
and used only in ways that give the logits of reading all again.

Shapes: B rows, L positions, V vocabulary.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel

    from shoal.models.factorization import FactoredModel
    from shoal.models.lengths import Lengths


# The rounding that two ways of computing the same numbers may differ by, as a share of the largest of them: about a
# hundred units in the last place, and in the 16-bit types the few hundredths that a handful of layers add up to.
_SLACK = {torch.float64: 1e-9, torch.float32: 2e-5}
_SLACK_OF_16_BITS = 0.05


def spread_ids(model: PreTrainedModel, length: int, first: int = 1) -> torch.Tensor:
    """A row of ids (L) that are spread over the vocabulary.

    Args:
        model: whose embeddings give the number of ids.
        length: L.
        first: rows of different ``first`` have other ids.
    """
    entries = model.get_input_embeddings().weight.shape[0]
    # Primes, so that neighbours are far apart and no short cycle repeats.
    return torch.tensor([(first + 97 * place) * 31 % entries for place in range(length)], device=model.device)


def logits_of_all(model: PreTrainedModel, ids_BL: torch.Tensor) -> torch.Tensor:
    """The logits (B × L × V) that the model gives of rows of one length, read from their beginning.

    Args:
        model: in evaluation mode.
        ids_BL: rows without padding.
    """
    output = model(input_ids=ids_BL, attention_mask=torch.ones_like(ids_BL), use_cache=False, return_dict=True)
    logits_BLV: torch.Tensor = output.logits
    return logits_BLV


def same_numbers(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors are equal up to rounding in the dtype of the first.

    Args:
        one: any tensor; NaN equals NaN.
        other: compared with it, and the reference for the scale.
    """
    if one.shape != other.shape:
        return False
    slack = _SLACK.get(one.dtype, _SLACK_OF_16_BITS)
    one, other = one.double(), other.double()
    finite = other[other.isfinite()]
    # The largest number is the measure: the error of a sum is relative to its terms, not to a result near 0.
    scale = max(float(finite.abs().max()), 1e-3) if len(finite) else 1.0
    return torch.allclose(one, other, rtol=0.0, atol=slack * scale, equal_nan=True)


def forget(model: Any) -> None:
    """Read a single token, after which frequencies are those of a short text again."""
    with torch.no_grad():
        model.base_model(input_ids=torch.zeros(1, 1, dtype=torch.long, device=model.device), use_cache=False)


def context_of(model: PreTrainedModel) -> int | None:
    """How many tokens a model reads at most, where its configuration states it.

    Dynamic NTK scaling multiplies the context that it names by its factor; XLNet has -1 there and no limit.
    """
    config = model.config.get_text_config(decoder=True)
    context = getattr(config, "max_position_embeddings", None)
    rope = getattr(config, "rope_parameters", None) or {}
    if context is None or context < 1:
        return None
    return int(context * rope.get("factor", 1.0)) if rope.get("rope_type") == "dynamic" else int(context)


def hooks_present(module: torch.nn.Module) -> bool:
    """Whether hooks run before or after the module's forward, so that it may compute more than its class does."""
    return bool(module._forward_hooks or module._forward_pre_hooks)


# Short, since the trials are run for each model: two lengths, so that there is padding, and two more tokens, so that a
# cache is read that was itself written behind a cache.
_LENGTH = 6
_SHORTER = 3
_CONTINUED = 2
# The newer method and the older one, which some caches have alone.
_WAYS = ("batch_select_indices", "reorder_cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheUse:
    """What may be done with a model's cache."""

    selecting: str
    """The method that keeps some of the rows."""

    pads: bool
    """Whether rows of different length may be read together, the shorter ones padded on the left."""

    def select(self, cache: Any, rows_B: torch.Tensor) -> None:
        """Drop all rows but these."""
        getattr(cache, self.selecting)(rows_B)


_known: WeakKeyDictionary[torch.nn.Module, tuple[object, CacheUse | None]] = WeakKeyDictionary()


def cache_use(factored: FactoredModel) -> CacheUse | None:
    """How the model, which is in evaluation mode, can continue behind what it has read; None where it must read all.

    What was found is remembered for as long as the model object lives with the same forward, for texts as long.
    """
    model: Any = factored.model
    # A forward put on the object may use the cache otherwise than the class does.
    tried_on = (vars(model).get("forward"), factored.lengths)
    found = _known.get(model)
    if found is None or found[0] != tried_on:
        found = _known[model] = (tried_on, _find(model, factored.lengths))
    return found[1]


def forward_parameters(model: PreTrainedModel) -> frozenset[str]:
    """The names of what the model's forward takes."""
    return frozenset(inspect.signature(model.forward).parameters)


def left_padded(rows: list[list[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask (B × L each) of rows of any length, padded on the left.

    Args:
        rows: of ids.
        device: of the result.
    """
    length = max(map(len, rows))
    ids_BL = torch.tensor([[0] * (length - len(row)) + row for row in rows], device=device)
    ahead_B = torch.tensor([length - len(row) for row in rows], device=device)
    return ids_BL, (torch.arange(length, device=device) >= ahead_B[:, None]).long()


def read_on(
    model: PreTrainedModel, ids_BL: torch.Tensor, mask_BL: torch.Tensor, cache: Any, **extra: Any
) -> tuple[torch.Tensor, Any]:
    """Read ids behind a cache; positions count real tokens, where the forward takes them.

    Args:
        model: in evaluation mode.
        ids_BL: what is read now.
        mask_BL: of all that was ever read.
        cache: what `read_on` gave; None at the beginning.
        extra: further arguments of the forward.

    Returns:
        The logits of the last position (B × V), and the cache that holds what was read, too.
    """
    if "position_ids" in forward_parameters(model):
        # At padding the sum of the mask is 0 and the position -1; it is masked, but must be an index all the same.
        extra["position_ids"] = (mask_BL.cumsum(1) - 1).clamp_min(0)[:, -ids_BL.shape[1] :]
    output = model(input_ids=ids_BL, past_key_values=cache, use_cache=True, attention_mask=mask_BL, **extra)
    logits_BV: torch.Tensor = output.logits[:, -1]
    return logits_BV, output.past_key_values


@torch.inference_mode()
def _find(model: PreTrainedModel, lengths: Lengths) -> CacheUse | None:
    if "past_key_values" not in forward_parameters(model) or not _succeeds(lambda: _reaches(model, lengths)):
        return None
    # Three rows, of which the first is dropped: rows that stay where they are would prove nothing.
    alike = [spread_ids(model, _LENGTH + _CONTINUED, first).tolist() for first in (1, 12, 23)]
    uneven = [row[first:] for row, first in zip(alike, (0, _LENGTH - _SHORTER, 1), strict=True)]
    for way in _WAYS:
        if _succeeds(partial(_goes_on, model, alike, way)):
            pads = "position_ids" in forward_parameters(model) and _succeeds(partial(_goes_on, model, uneven, way))
            return CacheUse(selecting=way, pads=pads)
    return None


def _succeeds(trial: Callable[[], bool]) -> bool:
    """Whether a trial succeeds; a cache that cannot do what is tried may raise any exception."""
    try:
        return trial()
    except Exception:  # noqa: BLE001
        return False


def _reaches(model: PreTrainedModel, lengths: Lengths) -> bool:
    """Whether a row as long as any that will be read continues with the logits of reading all again."""
    length = lengths.reached
    # The short trial covers short rows; and where the last tokens change the numbers of all, rows are read again at
    # that border anyway.
    if length <= _LENGTH + _CONTINUED or not lengths.agree(length - _CONTINUED, length):
        return True
    row_1L = spread_ids(model, length)[None]
    mask_1L = torch.ones_like(row_1L)
    _, cache = read_on(model, row_1L[:, :-_CONTINUED], mask_1L[:, :-_CONTINUED], None)
    for left in range(_CONTINUED - 1, -1, -1):
        part = slice(length - left - 1, length - left)
        logits_1V, cache = read_on(model, row_1L[:, part], mask_1L[:, : part.stop], cache)
    return same_numbers(logits_1V[0], logits_of_all(model, row_1L)[0, -1])


def _goes_on(model: PreTrainedModel, rows: list[list[int]], way: str) -> bool:
    """Whether rows that continue with a cache, the first one then dropped, get the logits of reading all again."""
    ids_BL, mask_BL = left_padded([row[:-_CONTINUED] for row in rows], model.device)
    logits_BV, cache = read_on(model, ids_BL, mask_BL, None)
    kept = torch.arange(1, len(rows), device=model.device)
    for step in range(_CONTINUED, -1, -1):
        read = [torch.tensor([row[: len(row) - step]], device=model.device) for row in rows]
        whole_BV = [logits_of_all(model, row_1L)[0, -1] for row_1L in read]
        if not all(map(same_numbers, logits_BV, whole_BV)):
            return False
        if step == _CONTINUED:
            getattr(cache, way)(kept)
            rows, mask_BL = rows[1:], mask_BL[kept]
        if step:
            ids_B1 = torch.tensor([[row[-step]] for row in rows], device=model.device)
            mask_BL = torch.cat([mask_BL, mask_BL.new_ones(len(rows), 1)], dim=1)
            logits_BV, cache = read_on(model, ids_B1, mask_BL, cache)
    return True
