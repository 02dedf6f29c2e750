"""Queries, keys, values and attention weights, seen where a model calls its attention function.

The function of the model is called as ever, with the same arguments, so its numbers are the same to the last bit. What
it was given is enough to compute the weights beside it: softmax(cap(Q Kᵀ · scale) + mask), where a fused kernel never
writes them out. Cost: one matrix product and one softmax over L × J a head.

Shapes: B rows, H query heads, G key heads, L queries, J keys, K width of a head.
"""

from __future__ import annotations

import math
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shoal.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

    from shoal.insight.hooks.parts import Parts

    Watch = Callable[[str, torch.Tensor], None]
    """Is told ``queries``, ``keys``, ``values`` or ``weights``, and the value."""

_QUERIES = 64
"""Looked at together."""

_UNSEEN = ("position_bias", "s_aux")
"""Arguments that change the weights in ways that are not written out here."""


@contextmanager
def watching(parts: Parts, watches: dict[int, tuple[set[str], Watch]]) -> Iterator[None]:
    """Within it the attention of the given blocks tells what it sees; afterwards the model is as before.

    Args:
        parts: of the model.
        watches: by block, which of `shoal.insight.hooks.names.BY_INTERFACE` are wanted, and who is told.

    Raises:
        ModelError: an attention layer that neither goes through the attention functions of transformers nor is known.
    """
    with ExitStack() as stack:
        known: dict[nn.Module, tuple[set[str], Watch]] = {}
        for number, watch in watches.items():
            module = parts.blocks[number].attention
            if module is None:
                raise ModelError(f"block {number} of {parts.name} has no attention")
            if callable(getattr(module, "_attn", None)):
                stack.enter_context(_own_function(module, *watch))
            else:
                known[module] = watch
        if known:
            stack.enter_context(_registered_function(parts, known))
        yield


def attention_weights(
    query_BHLK: torch.Tensor,
    key_BGJK: torch.Tensor,
    mask: torch.Tensor | None,
    *,
    scale: float,
    soft_cap: float | None = None,
    window: int | None = None,
    causal: bool = True,
) -> torch.Tensor:
    """The weights (B × H × L × J) that fused attention uses and does not give.

    A few queries at a time against the keys up to the last of them, so that what no query may see is never computed
    and the scores stay in the cache.

    Args:
        query_BHLK: queries.
        key_BGJK: keys; H / G neighbouring query heads share one.
        mask: added to the scores, or where it is bool, true where a key may be seen; None is all that is causal.
        scale: of the scores.
        soft_cap: c in c · tanh(score / c), before the mask (Gemma 2, arXiv:2408.00118, section 2).
        window: where there is no mask, how many keys a query sees at most, itself included.
        causal: whether a query sees no key after its own; the last query stands at the last key.
    """
    rows, heads, length, _ = query_BHLK.shape
    keys = key_BGJK.shape[2]
    key_BHKJ = key_BGJK.repeat_interleave(heads // key_BGJK.shape[1], dim=1).transpose(2, 3)
    folded = math.frexp(scale)[0] == 0.5  # a power of two: scaling the keys instead rounds nothing
    if folded:
        key_BHKJ = key_BHKJ * scale
    if mask is None and causal and window is not None and window < keys:
        mask = _visible(length, keys, window, query_BHLK.device)
    if mask is not None and mask.dtype == torch.bool:
        mask = query_BHLK.new_zeros(mask.shape).masked_fill_(~mask, torch.finfo(query_BHLK.dtype).min)
    weights_BHLJ = _zeros((rows, heads, length, keys), query_BHLK)
    for start in range(0, length, _QUERIES):
        stop = min(start + _QUERIES, length)
        seen = keys - length + stop if causal else keys
        scores = query_BHLK[:, :, start:stop] @ key_BHKJ[..., :seen]
        scores = _capped(scores if folded else scores.mul_(scale), soft_cap)
        if mask is not None:
            scores += mask[..., start:stop, :seen] if mask.shape[-2] > 1 else mask[..., :seen]
        elif causal:
            # Only the last keys can lie after one of these queries.
            late = scores[..., seen - (stop - start) :]
            late.masked_fill_(~_visible(stop - start, stop - start, None, late.device), torch.finfo(late.dtype).min)
        weights_BHLJ[:, :, start:stop, :seen] = _softmax(scores)
    return weights_BHLJ


def _zeros(shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Fresh zeros; on a CPU from NumPy, which asks for huge pages: touching the memory takes a third of the time."""
    if like.device.type == "cpu" and like.dtype == torch.float32:
        return torch.from_numpy(np.zeros(shape, dtype=np.float32))
    return like.new_zeros(shape)


def _capped(scores: torch.Tensor, soft_cap: float | None) -> torch.Tensor:
    return scores if soft_cap is None else torch.tanh(scores / soft_cap) * soft_cap


def _softmax(scores: torch.Tensor) -> torch.Tensor:
    """Over keys; never in less than float32."""
    return scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32)).to(scores.dtype)


def _visible(length: int, keys: int, window: int | None, device: torch.device) -> torch.Tensor:
    """True where a query may see a key (L × J)."""
    behind_LJ = torch.arange(keys - length, keys, device=device)[:, None] - torch.arange(keys, device=device)
    return behind_LJ >= 0 if window is None else (behind_LJ >= 0) & (behind_LJ < window)


@contextmanager
def _registered_function(parts: Parts, known: dict[nn.Module, tuple[set[str], Watch]]) -> Iterator[None]:
    """Watch the layers that look their function up in the register of transformers, and no other layer."""
    home = sys.modules[type(next(iter(known))).__module__]
    register, eager = getattr(home, "ALL_ATTENTION_FUNCTIONS", None), getattr(home, "eager_attention_forward", None)
    if register is None:
        raise ModelError(
            f"the attention of {parts.name} does not go through the attention functions of transformers, so its "
            "weights cannot be seen; its heads, outputs and residual stream can"
        )
    kind = parts.model.config._attn_implementation
    before = register.get(kind)

    def attend(module: nn.Module, query: Any, key: Any, value: Any, mask: Any, **rest: Any) -> Any:
        original: Any = before or getattr(sys.modules[type(module).__module__], "eager_attention_forward", eager)
        answer = original(module, query, key, value, mask, **rest)
        if module in known:
            _tell(parts, module, known[module], query, key, value, mask, rest)
        return answer

    own = kind in register._local_mapping
    register[kind] = attend
    try:
        yield
    finally:
        del register[kind]
        if own:
            register[kind] = before


def _tell(
    parts: Parts,
    module: nn.Module,
    wanted_and_watch: tuple[set[str], Watch],
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    rest: dict[str, Any],
) -> None:
    """Pass on what one layer sees."""
    wanted, watch = wanted_and_watch
    for name, seen in (("queries", query), ("keys", key), ("values", value)):
        if name in wanted:
            watch(name, seen)
    if "weights" not in wanted:
        return
    odd = [name for name in _UNSEEN if rest.get(name) is not None]
    if odd:
        raise ModelError(f"the attention of {parts.name} uses {odd[0]}, which the weights beside it do not know")
    scale, causal = rest.get("scaling"), rest.get("is_causal")
    watch(
        "weights",
        attention_weights(
            query,
            key,
            mask,
            scale=query.shape[-1] ** -0.5 if scale is None else scale,
            soft_cap=rest.get("softcap"),
            window=rest.get("sliding_window"),
            causal=bool(getattr(module, "is_causal", True) if causal is None else causal),
        ),
    )


@contextmanager
def _own_function(module: nn.Module, wanted: set[str], watch: Watch) -> Iterator[None]:
    """Watch a layer of GPT-Neo, whose own function writes the weights out."""
    original: Any = module._attn

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any = None) -> Any:
        answer = original(query, key, value, mask)
        for name, seen in zip(("queries", "keys", "values", "weights"), (query, key, value, answer[1]), strict=True):
            if name in wanted:
                watch(name, seen)
        return answer

    module._attn = attend  # type: ignore[assignment]
    try:
        yield
    finally:
        vars(module).pop("_attn", None)
