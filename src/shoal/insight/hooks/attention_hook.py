"""Interception of a model's attention function: its queries, keys, values and attention weights.

The model's own function is called with the arguments it was given, so that its numbers are the same to the last bit.
Those arguments are enough to compute the weights a second time, where a fused kernel never writes them out:
softmax(cap(Q Kᵀ · scale) + mask). Cost: one matrix product and one softmax over L × J a head, half of it where a query
sees no later key. The weights are more than everything else that the pass of a small model writes. In fresh memory the
system clears every page first, which costs as much as computing them; NumPy requests huge pages, which makes that three
times cheaper. So large ones come from a pool, which needs neither: a buffer is used again once no tensor refers to it.

This is the one place that touches what transformers keeps private: the local entries of its register of attention
functions, and the attention function that GPT-Neo carries as a method.

Shapes: B rows, H query heads, G key heads, N = B · H, L queries, J keys, K width of a head.
"""

from __future__ import annotations

import math
import sys
import threading
import weakref
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shoal.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import nn

    from shoal.insight.hooks.parts import Parts

    Receive = Callable[[str, torch.Tensor], None]
    """A callback that receives ``queries``, ``keys``, ``values`` or ``weights``, and the tensor."""


_QUERIES = 64
"""Queries of one block. Scores of 64 queries stay in the cache, and at most 64 keys of a block lie after a query."""


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
    """Compute the weights (B × H × L × J) that attention uses.

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
    query_NLK = query_BHLK.flatten(0, 1).contiguous()
    key_NKJ = key_BGJK.repeat_interleave(heads // key_BGJK.shape[1], dim=1).flatten(0, 1).mT.contiguous()
    folded = math.frexp(scale)[0] == 0.5  # a power of two: scaling the keys instead rounds nothing
    if folded:
        key_NKJ = key_NKJ * scale
    if mask is None and causal and window is not None and window < keys:
        mask = _visible(length, keys, window, query_BHLK.device)
    mask = _added(mask, query_BHLK) if mask is not None and mask.dtype == torch.bool else mask
    late_LJ = _added(_visible(_QUERIES, _QUERIES, None, query_BHLK.device), query_BHLK)
    weights_BHLJ = empty_tensor((rows, heads, length, keys), query_BHLK)
    # Every block is computed in the same memory, which so stays in the cache; autograd needs fresh memory.
    tracked = torch.is_grad_enabled() and (query_BHLK.requires_grad or key_BGJK.requires_grad)
    room = None if tracked else query_NLK.new_empty(rows * heads * min(_QUERIES, length) * keys)
    for start in range(0, length, _QUERIES):
        stop = min(start + _QUERIES, length)
        seen = keys - length + stop if causal else keys
        scores_NLJ = _product(query_NLK[:, start:stop], key_NKJ[..., :seen], room)
        scores = _capped(scores_NLJ if folded else scores_NLJ.mul_(scale), soft_cap).unflatten(0, (rows, heads))
        if mask is not None:
            scores += mask[..., start:stop, :seen] if mask.shape[-2] > 1 else mask[..., :seen]
        elif causal:  # only the last keys can lie after one of these queries
            scores[..., seen - (stop - start) :] += late_LJ[: stop - start, : stop - start]
        weights_BHLJ[:, :, start:stop, :seen] = _softmax(scores, in_place=not tracked)
        weights_BHLJ[:, :, start:stop, seen:] = 0
    return weights_BHLJ


def _product(query_NLK: torch.Tensor, key_NKJ: torch.Tensor, room: torch.Tensor | None) -> torch.Tensor:
    """Queries times keys, in the given memory where there is some."""
    if room is None:
        return query_NLK @ key_NKJ
    shape = (*query_NLK.shape[:2], key_NKJ.shape[2])
    return torch.bmm(query_NLK, key_NKJ, out=room[: math.prod(shape)].view(shape))


def _capped(scores: torch.Tensor, soft_cap: float | None) -> torch.Tensor:
    return scores if soft_cap is None else torch.tanh(scores / soft_cap) * soft_cap


def _softmax(scores: torch.Tensor, *, in_place: bool) -> torch.Tensor:
    """Over keys; never in less than float32."""
    wide = torch.promote_types(scores.dtype, torch.float32)
    if wide != scores.dtype:
        return scores.softmax(-1, dtype=wide).to(scores.dtype)
    return torch.softmax(scores, -1, out=scores if in_place else None)


def _added(visible: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """What hides the rest when it is added to the scores."""
    return like.new_zeros(visible.shape).masked_fill_(~visible, torch.finfo(like.dtype).min)


def _visible(length: int, keys: int, window: int | None, device: torch.device) -> torch.Tensor:
    """True where a query may see a key (L × J)."""
    behind_LJ = torch.arange(keys - length, keys, device=device)[:, None] - torch.arange(keys, device=device)
    return behind_LJ >= 0 if window is None else (behind_LJ >= 0) & (behind_LJ < window)


_MAX_IDLE = 2**25
"""Floats that idle buffers hold at most; 128 MB."""

_MIN_SIZE = 2**18
"""Floats from which the pool pays; smaller buffers are as quick from the allocator."""

_idle: dict[int, np.ndarray] = {}
"""Idle buffers by identity, the longest idle first."""

_lock = threading.RLock()  # the garbage collector may return a buffer while another is being taken


def empty_tensor(shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Make an uninitialised tensor, from the pool where it is large and float32 on the CPU.

    Args:
        shape: its shape.
        like: a tensor of the same type and device.
    """
    size = math.prod(shape)
    if like.device.type != "cpu" or like.dtype != torch.float32 or size < _MIN_SIZE:
        return like.new_empty(shape)
    buffer = _take(size)
    lent = buffer[:size]
    # Torch holds the view `lent`; once it and everything made of it is gone, the buffer itself comes back.
    weakref.finalize(lent, _give_back, buffer).atexit = False
    return torch.from_numpy(lent).view(shape)


def idle_floats() -> int:
    """How many floats the idle buffers of the pool hold."""
    with _lock:
        return sum(buffer.size for buffer in list(_idle.values()))


def _take(size: int) -> np.ndarray:
    """A buffer that is large enough and less than twice as large; a fresh one where none is idle."""
    with _lock:
        fitting = [buffer for buffer in reversed(list(_idle.values())) if size <= buffer.size < 2 * size]
        if not fitting:
            return np.empty(size, np.float32)
        return _idle.pop(id(min(fitting, key=lambda buffer: buffer.size)))


def _give_back(buffer: np.ndarray) -> None:
    """Keep a buffer, and drop the longest idle ones beyond the limit."""
    with _lock:
        _idle[id(buffer)] = buffer
        while idle_floats() > _MAX_IDLE:
            _idle.pop(next(iter(_idle)))


@dataclass(frozen=True, slots=True)
class AttentionHook:
    """What is wanted of one block's attention."""

    wanted: frozenset[str]
    """Any of `shoal.insight.hooks.hook_points.BY_INTERFACE`."""

    receive: Receive


_UNSUPPORTED = ("position_bias", "s_aux")
"""Arguments of an attention function that change the weights in ways `attention_weights` does not compute."""

_METHOD = "_attn"
"""The method in which GPT-Neo, which has no entry in the register, computes its attention."""


@contextmanager
def attention_hooks(parts: Parts, hooks: Mapping[int, AttentionHook]) -> Iterator[None]:
    """Call hooks with what the attention of some blocks computes; afterwards the model is as before.

    Args:
        parts: the parts of the model.
        hooks: by number of the block.

    Raises:
        ModelError: an attention layer that neither goes through the attention functions of transformers nor is known.
    """
    with ExitStack() as stack:
        registered: dict[nn.Module, AttentionHook] = {}
        for number, hook in hooks.items():
            module = parts.blocks[number].attention
            if module is None:
                raise ModelError(f"block {number} of {parts.name} has no attention")
            # Before the register: GPT-Neo would be looked up there in vain.
            if callable(getattr(module, _METHOD, None)):
                stack.enter_context(_replaced_method(module, hook))
            else:
                registered[module] = hook
        if registered:
            stack.enter_context(_replaced_function(parts, registered))
        yield


@contextmanager
def _replaced_function(parts: Parts, hooks: Mapping[nn.Module, AttentionHook]) -> Iterator[None]:
    """Hook the layers that look their function up in the register of transformers, and no other layer."""
    # Each modeling module imports the register by name; the layers of one model share theirs.
    home = sys.modules[type(next(iter(hooks))).__module__]
    register, eager = getattr(home, "ALL_ATTENTION_FUNCTIONS", None), getattr(home, "eager_attention_forward", None)
    if register is None:
        raise ModelError(
            f"the attention of {parts.name} does not go through the attention functions of transformers, so its "
            "weights cannot be captured; its heads, outputs and residual stream can"
        )
    kernel = parts.model.config._attn_implementation
    before = register.get(kernel)

    def attend(module: nn.Module, query: Any, key: Any, value: Any, mask: Any, **rest: Any) -> Any:
        # Eager attention has no entry: each model's own module defines it.
        original: Any = before or getattr(sys.modules[type(module).__module__], "eager_attention_forward", eager)
        output = original(module, query, key, value, mask, **rest)
        # The register is shared by all models of the process; another one may run within the block.
        if module in hooks:
            _deliver(parts, module, hooks[module], (query, key, value), mask, rest)
        return output

    # The register looks into its local entries first, then into those that all registers share. An entry that was
    # local is put back; one that was shared shows again once the local one is deleted.
    was_local = kernel in register._local_mapping
    register[kernel] = attend
    try:
        yield
    finally:
        del register[kernel]
        if was_local:
            register[kernel] = before


def _deliver(
    parts: Parts,
    module: nn.Module,
    hook: AttentionHook,
    inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    mask: torch.Tensor | None,
    rest: Mapping[str, Any],
) -> None:
    """Pass what one call of an attention function computes to the hook."""
    for name, tensor in zip(("queries", "keys", "values"), inputs, strict=True):
        if name in hook.wanted:
            hook.receive(name, tensor)
    if "weights" not in hook.wanted:
        return
    unsupported = [name for name in _UNSUPPORTED if rest.get(name) is not None]
    if unsupported:
        raise ModelError(
            f"the attention of {parts.name} uses {unsupported[0]}, with which its weights cannot be computed; "
            "its heads, outputs and residual stream can be captured"
        )
    query, key, _ = inputs
    scale, causal = rest.get("scaling"), rest.get("is_causal")
    hook.receive(
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
def _replaced_method(module: nn.Module, hook: AttentionHook) -> Iterator[None]:
    """Hook a layer of GPT-Neo, whose method returns the weights itself."""
    original: Any = getattr(module, _METHOD)

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any = None) -> Any:
        output = original(query, key, value, mask)
        tensors = (query, key, value, output[1])
        for name, tensor in zip(("queries", "keys", "values", "weights"), tensors, strict=True):
            if name in hook.wanted:
                hook.receive(name, tensor)
        return output

    setattr(module, _METHOD, attend)
    try:
        yield
    finally:
        # The attribute of the instance hid the method of the class, which shows again.
        vars(module).pop(_METHOD, None)
