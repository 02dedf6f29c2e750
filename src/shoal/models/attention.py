"""Faster kernels inside a model of `transformers`, with the same numbers up to rounding.

GPT-Neo brings its own attention, which writes out every query-key pair of every head and knows no other kernel. While
`fast_forward` is in force its layers go through `banded_attention`, which looks only at blocks of keys that a block of
queries may see: O(L · window) for the local layers instead of O(L²). The tanh form of GELU is computed through the
sigmoid. All this holds for whole sequences without a cache and without padding on the left, which is all that scoring
needs.

Shapes: B rows, H heads, G = B · H, L positions, K width of a head, Q queries in a block, J keys in a block.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import scaled_dot_product_attention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transformers import PreTrainedModel

# Blocks of scores (keys × queries) stay in the near caches; _BUFFER floats, 2 MB, are shared by as many heads as fit,
# so that one batched product serves them all. Few queries in a block leave few pairs beyond the edges of the band.
_QUERIES = 32
_KEYS = 256
_BUFFER = 2**19
# Queries are multiplied by it, so that 2**x, which is faster, does the work of e**x.
LOG2_E = 1.4426950408889634
# Well within float32 (3e38), since the same weights are multiplied by values, too.
_SAFE = 1e30


@contextmanager
def fast_forward(model: PreTrainedModel) -> Iterator[None]:
    """Within it, a whole-sequence forward of the model runs on the fast kernels; afterwards the model is as before.

    The kernels write into their own buffers, which gradients cannot follow: where gradients are wanted, the model keeps
    its own.
    """
    changed: list[tuple[torch.nn.Module, str]] = []
    # Not requires_grad of the weights: they have it in scoring, too, under no_grad.
    if torch.is_grad_enabled():
        yield
        return
    try:
        for module in model.modules():
            treatment = _TREATMENTS.get(type(module).__name__)
            if treatment is not None:
                name, replacement = treatment(module)
                setattr(module, name, replacement)
                changed.append((module, name))
        yield
    finally:
        for module, name in changed:
            # The replacement lies on the object and hides the method of its class, which is seen again without it.
            delattr(module, name)


def skips_mask(model: PreTrainedModel) -> bool:
    """Whether the fast kernels make the mask that the model would build for itself superfluous."""
    return bool(model.config.model_type == "gpt_neo")


def banded_attention(
    query_BHLK: torch.Tensor, key_BHLK: torch.Tensor, value_BHLK: torch.Tensor, window: int
) -> torch.Tensor:
    """Causal attention in which a query sees itself and the ``window`` - 1 keys before it, scores unscaled.

    Queries may be fewer than keys: they are the last ones.

    On a CPU in float32 exponentials are summed without subtracting the maximum; the sum comes out of the same matrix
    product as the output, by a column of ones beside the values. Rows in which a sum comes near to overflow, or to
    nothing, are computed again by the fused kernel of torch, which is used throughout elsewhere.

    Args:
        query_BHLK: queries.
        key_BHLK: keys.
        value_BHLK: values.
        window: how many keys a query sees, itself included.

    Returns:
        B × H × L × K.
    """
    if query_BHLK.device.type != "cpu" or query_BHLK.dtype != torch.float32:
        return _fused(query_BHLK, key_BHLK, value_BHLK, window)
    out_BHLK, sum_BHL = _without_maximum(query_BHLK, key_BHLK, value_BHLK, window)
    least_B, most_B = sum_BHL.flatten(1).aminmax(dim=1)
    # Written as "not within", so that NaN, which fails every comparison, is unsafe, too.
    unsafe = (~((least_B > 1.0 / _SAFE) & (most_B < _SAFE))).nonzero()[:, 0]
    if len(unsafe):
        out_BHLK[unsafe] = _fused(query_BHLK[unsafe], key_BHLK[unsafe], value_BHLK[unsafe], window)
    return out_BHLK


def attend(
    query_BHLK: torch.Tensor,
    key_BGTK: torch.Tensor,
    value_BGTK: torch.Tensor,
    mask: torch.Tensor | None = None,
    *,
    window: int,
    scale: float,
) -> torch.Tensor:
    """Attention in which several heads may share a head of keys.

    Args:
        query_BHLK: queries.
        key_BGTK: keys; H is a multiple of G.
        value_BGTK: values.
        mask: which keys each query sees, in a shape that goes with B × H × L × T; None where queries are the last of
            the keys, in order.
        window: how many keys a query sees without a mask, itself included.
        scale: of the scores.

    Returns:
        B × H × L × K.
    """
    grouped = query_BHLK.shape[1] != key_BGTK.shape[1]
    if mask is not None:
        return scaled_dot_product_attention(
            query_BHLK, key_BGTK, value_BGTK, attn_mask=mask, scale=scale, enable_gqa=grouped
        )
    if grouped:
        times = query_BHLK.shape[1] // key_BGTK.shape[1]
        key_BGTK, value_BGTK = (part.repeat_interleave(times, dim=1) for part in (key_BGTK, value_BGTK))
    # The queries, not the scores: L · K numbers in place of L².
    return banded_attention(query_BHLK * scale if scale != 1.0 else query_BHLK, key_BGTK, value_BGTK, window)


def sums_are_safe(sums: torch.Tensor) -> bool:
    """Whether sums of exponentials, without the maximum subtracted, are all far from overflow and from nothing."""
    least, most = sums.aminmax()
    # Written as "within", so that NaN, which fails every comparison, is unsafe, too.
    return bool((least > 1.0 / _SAFE) & (most < _SAFE))


def tanh_gelu(x: torch.Tensor) -> torch.Tensor:
    """GELU in its tanh form (Hendrycks and Gimpel 2016): x · σ(2 √(2/π) (x + 0.044715 x³))."""
    inner = (x * x).mul_(0.044715).add_(1.0).mul_(x)
    return inner.mul_(2.0 * math.sqrt(2.0 / math.pi)).sigmoid_().mul_(x)


def _without_maximum(
    query_BHLK: torch.Tensor, key_BHLK: torch.Tensor, value_BHLK: torch.Tensor, window: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The output and the sums of exponentials (B × H × L).

    Scores are held transposed (keys before queries), which keeps every matrix product wide.
    """
    rows, heads, length, width = query_BHLK.shape
    seen = key_BHLK.shape[2]
    query_GKL = (query_BHLK * LOG2_E).reshape(rows * heads, length, width).transpose(1, 2)
    key_GLK = key_BHLK.reshape(rows * heads, seen, width)
    value_BHKL = value_BHLK.new_ones(rows, heads, width + 1, seen)
    value_BHKL[:, :, :width] = value_BHLK.transpose(2, 3)
    value_GKL = value_BHKL.view(rows * heads, width + 1, seen)
    out_GKL = value_GKL.new_empty(rows * heads, width + 1, length)
    group = max(1, _BUFFER // (min(length, _QUERIES) * min(seen, _KEYS)))
    for first in range(0, rows * heads, group):
        part = slice(first, first + group)
        _attend(query_GKL[part], key_GLK[part], value_GKL[part], out_GKL[part], window)
    # One division behind all products, not one per weight.
    out_GKL[:, :width].div_(out_GKL[:, width:])
    out_BHKL = out_GKL.view(rows, heads, width + 1, length)
    return out_BHKL[:, :, :width].transpose(2, 3), out_BHKL[:, :, width]


def _attend(
    query_GKL: torch.Tensor, key_GLK: torch.Tensor, value_GKL: torch.Tensor, out_GKL: torch.Tensor, window: int
) -> None:
    """Weighted values, and the sum of weights below them, of a few heads; block by block."""
    heads, _, length = query_GKL.shape
    ahead = key_GLK.shape[1] - length
    buffer = torch.empty(heads * min(length, _QUERIES) * min(length + ahead, _KEYS))
    for start in range(0, length, _QUERIES):
        stop = min(start + _QUERIES, length)
        # Queries stand ``ahead`` places behind the keys of the same number.
        seen, end = max(0, start + ahead - window + 1), stop + ahead
        for number, first in enumerate(range(seen, end, _KEYS)):
            last = min(first + _KEYS, end)
            size = heads * (last - first) * (stop - start)
            weight_GJQ = buffer[:size].view(heads, last - first, stop - start)
            key_GJK, query_GKQ = key_GLK[:, first:last], query_GKL[:, :, start:stop]
            # Only blocks on an edge of the band have hidden pairs.
            if last > start + ahead + 1 or first < end - window:
                band_JQ = _band(start + ahead - first, last - first, stop - start, window)
                # The mask is what the product is added to, so that it takes no pass of its own.
                torch.baddbmm(band_JQ, key_GJK, query_GKQ, out=weight_GJQ).exp2_()
            else:
                torch.bmm(key_GJK, query_GKQ, out=weight_GJQ).exp2_()
            if stop - start == length and last - first == length + ahead:
                # A short text is one block, whose product needs no copy.
                torch.bmm(value_GKL, weight_GJQ, out=out_GKL)
            elif number:
                out_GKL[:, :, start:stop].add_(torch.bmm(value_GKL[:, :, first:last], weight_GJQ))
            else:
                out_GKL[:, :, start:stop] = torch.bmm(value_GKL[:, :, first:last], weight_GJQ)


@lru_cache(maxsize=64)
def _band(ahead: int, keys: int, queries: int, window: int) -> torch.Tensor:
    """0 where a query may see a key, else -∞ (J × Q); the first query stands ``ahead`` places after the first key."""
    behind_JQ = ahead + torch.arange(queries)[None, :] - torch.arange(keys)[:, None]
    return torch.zeros(keys, queries).masked_fill_((behind_JQ < 0) | (behind_JQ >= window), -torch.inf)


def _fused(query_BHLK: torch.Tensor, key_BHLK: torch.Tensor, value_BHLK: torch.Tensor, window: int) -> torch.Tensor:
    """The same by torch's fused kernel, a block of queries against its band of keys."""
    length, ahead = query_BHLK.shape[2], key_BHLK.shape[2] - query_BHLK.shape[2]
    # With is_causal in place of a mask, the kernel skips blocks above the diagonal.
    if length <= window and not ahead:
        return scaled_dot_product_attention(query_BHLK, key_BHLK, value_BHLK, is_causal=True, scale=1.0)
    place = torch.arange(length + ahead, device=query_BHLK.device)
    blocks = []
    for start in range(0, length, _QUERIES):
        stop, first = min(start + _QUERIES, length), max(0, start + ahead - window + 1)
        end = stop + ahead
        behind_QJ = place[start + ahead : end, None] - place[None, first:end]
        key_BHJK, value_BHJK = key_BHLK[:, :, first:end], value_BHLK[:, :, first:end]
        seen_QJ = (behind_QJ >= 0) & (behind_QJ < window)
        query_BHQK = query_BHLK[:, :, start:stop]
        blocks.append(scaled_dot_product_attention(query_BHQK, key_BHJK, value_BHJK, attn_mask=seen_QJ, scale=1.0))
    return torch.cat(blocks, dim=2)


def _neo_attention(module: Any) -> tuple[str, Callable[..., Any]]:
    # A global layer is one whose window is the whole context.
    window = module.config.window_size if module.attention_type == "local" else module.config.max_position_embeddings

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, _: object = None) -> tuple[Any, None]:
        return banded_attention(query, key, value, window), None

    return "_attn", attend


def _gelu(_: Any) -> tuple[str, Callable[..., Any]]:
    return "forward", tanh_gelu


_TREATMENTS: dict[str, Callable[[Any], tuple[str, Callable[..., Any]]]] = {
    "GPTNeoSelfAttention": _neo_attention,
    "NewGELUActivation": _gelu,
}
