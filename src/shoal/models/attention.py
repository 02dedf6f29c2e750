"""Faster kernels inside a model of `transformers`, with the same numbers up to rounding.

GPT-Neo brings its own attention, which writes out every query-key pair of every head and knows no other kernel. While
`fast_forward` is in force, its global layers go through the fused kernel, and its local layers do the same for blocks
of queries against the band of keys that each block may see: O(L · window) instead of O(L²). The tanh form of GELU
becomes one operation instead of eight. Both hold only for whole sequences without a cache and without padding on the
left, which is all that scoring needs.

Shapes: B rows, H heads, L positions, K width of a head, Q queries in a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import scaled_dot_product_attention

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_BLOCK = 128


@contextmanager
def fast_forward(model: PreTrainedModel) -> Iterator[None]:
    """Within it, a whole-sequence forward of the model runs on the fast kernels; afterwards the model is as before."""
    undo: list[Callable[[], None]] = []
    try:
        for module in model.modules():
            _TREATMENTS.get(type(module).__name__, _leave)(module, undo)
        yield
    finally:
        for step in reversed(undo):
            step()


def skips_mask(model: PreTrainedModel) -> bool:
    """Whether the fast kernels make the mask that the model would build for itself superfluous."""
    return model.config.model_type == "gpt_neo"


def banded_attention(
    query_BHLK: torch.Tensor, key_BHLK: torch.Tensor, value_BHLK: torch.Tensor, *, window: int, scale: float
) -> torch.Tensor:
    """Causal attention in which a query sees itself and the ``window`` - 1 keys before it (B × H × L × K)."""
    length = query_BHLK.shape[2]
    if length <= window:
        return scaled_dot_product_attention(query_BHLK, key_BHLK, value_BHLK, is_causal=True, scale=scale)
    place = torch.arange(length, device=query_BHLK.device)
    blocks = []
    for start in range(0, length, _BLOCK):
        stop, first = min(start + _BLOCK, length), max(0, start - window + 1)
        behind_QL = place[start:stop, None] - place[None, first:stop]
        blocks.append(
            scaled_dot_product_attention(
                query_BHLK[:, :, start:stop],
                key_BHLK[:, :, first:stop],
                value_BHLK[:, :, first:stop],
                attn_mask=(behind_QL >= 0) & (behind_QL < window),
                scale=scale,
            )
        )
    return torch.cat(blocks, dim=2)


def _leave(module: torch.nn.Module, undo: list[Callable[[], None]]) -> None:
    """Most modules stay as they are."""


def _replace_attention(module: Any, undo: list[Callable[[], None]]) -> None:
    window = module.config.window_size if module.attention_type == "local" else module.config.max_position_embeddings

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, _: object = None) -> tuple[Any, None]:
        return banded_attention(query, key, value, window=window, scale=1.0), None

    module._attn = attend
    undo.append(partial(delattr, module, "_attn"))


def _replace_gelu(module: Any, undo: list[Callable[[], None]]) -> None:
    module.forward = partial(torch.nn.functional.gelu, approximate="tanh")
    undo.append(partial(delattr, module, "forward"))


_TREATMENTS: dict[str, Callable[[Any, list[Callable[[], None]]], None]] = {
    "GPTNeoSelfAttention": _replace_attention,
    "NewGELUActivation": _replace_gelu,
}
