"""Queries, keys, values and attention weights, seen where a model calls its attention function.

The function of the model is called as ever, with the same arguments, so its numbers are the same to the last bit. What
it was given is enough to compute the weights beside it, where a fused kernel never writes them out.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from shoal.errors import ModelError
from shoal.insight.hooks.weights import attention_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import nn

    from shoal.insight.hooks.parts import Parts

    Watch = Callable[[str, torch.Tensor], None]
    """Is told ``queries``, ``keys``, ``values`` or ``weights``, and the value."""

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
