"""Interception of a model's attention function: its queries, keys, values and attention weights.

The model's own function is called with the arguments it was given, so that its numbers are the same to the last bit.
Those arguments are enough to compute the weights a second time, where a fused kernel never writes them out.

This is the one place that touches what transformers keeps private: the local entries of its register of attention
functions, and the attention function that GPT-Neo carries as a method.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import ModelError
from shoal.insight.hooks.attention_weights import attention_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import torch
    from torch import nn

    from shoal.insight.hooks.parts import Parts

    Receive = Callable[[str, torch.Tensor], None]
    """A callback that receives ``queries``, ``keys``, ``values`` or ``weights``, and the tensor."""


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
