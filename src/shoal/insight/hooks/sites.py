"""Where each name is met in a forward pass, and the hooks that meet it there."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import ModelError, UsageError
from shoal.insight.hooks.names import BY_INTERFACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import nn

    from shoal.insight.hooks.parts import Parts

    Visit = Callable[[torch.Tensor], torch.Tensor | None]
    """Sees a value, and gives another one to go on with, or None to leave it."""


@contextmanager
def visiting(parts: Parts, visits: Mapping[str, Visit]) -> Iterator[None]:
    """Within it every forward pass of the model calls the visits; afterwards no hook is left.

    Raises:
        UsageError: a name that hooks do not reach (what the attention function alone sees).
    """
    with ExitStack() as stack:
        for name, visit in visits.items():
            stack.callback(_register(parts, name, visit).remove)
        yield


def in_interface(name: str) -> bool:
    """Whether a name is met inside the attention function only."""
    return name.startswith("blocks.") and name.rsplit(".", 1)[-1] in BY_INTERFACE


def block_of(name: str) -> int:
    """The number of the block that a name belongs to."""
    return int(name.split(".")[1])


def _register(parts: Parts, name: str, visit: Visit) -> Any:
    """Put one hook where the name is met."""
    if in_interface(name):
        raise UsageError(f"{name} cannot be changed, only seen; change attention.heads or attention.output instead")
    if name == "logits":
        return parts.model.register_forward_hook(_on_logits(visit))
    if name == "embedding":
        return parts.blocks[0].module.register_forward_pre_hook(_before(visit), with_kwargs=True)
    if name == "final_norm":
        return _needed(parts, parts.final_norm, name).register_forward_hook(_after(visit))
    block, what = parts.blocks[block_of(name)], name.split(".", 2)[2]
    if what == "residual_in":
        return block.module.register_forward_pre_hook(_before(visit), with_kwargs=True)
    if what == "residual_out":
        return block.module.register_forward_hook(_after(visit))
    if what == "attention.output":
        return _needed(parts, block.attention_norm or block.attention, name).register_forward_hook(_after(visit))
    if what == "mlp.output":
        return _needed(parts, block.mlp_norm or block.mlp, name).register_forward_hook(_after(visit))
    if what == "attention.heads":
        hook = _before(_by_head(visit, parts.heads))
        return _needed(parts, block.projection, name).register_forward_pre_hook(hook, with_kwargs=True)
    return _needed(parts, block.down, name).register_forward_pre_hook(_before(visit), with_kwargs=True)


def _needed(parts: Parts, module: nn.Module | None, name: str) -> nn.Module:
    if module is None:
        raise ModelError(f"{parts.name} has no {name} that could be found")
    return module


def _by_head(visit: Visit, heads: int) -> Visit:
    """The same visit of values that are split by head."""

    def split(value_BLC: torch.Tensor) -> torch.Tensor | None:
        fresh_BLHK = visit(value_BLC.unflatten(-1, (heads, -1)))
        return None if fresh_BLHK is None else fresh_BLHK.flatten(-2)

    return split


def _before(visit: Visit) -> Callable[..., Any]:
    """A hook on what goes into a module, given by place or by name."""

    def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args:
            fresh = visit(args[0])
            return None if fresh is None else ((fresh, *args[1:]), kwargs)
        fresh = visit(kwargs["hidden_states"])
        return None if fresh is None else (args, kwargs | {"hidden_states": fresh})

    return hook


def _after(visit: Visit) -> Callable[..., Any]:
    """A hook on what comes out of a module, alone or first of several."""

    def hook(_: nn.Module, __: Any, output: Any) -> Any:
        if isinstance(output, torch.Tensor):
            return visit(output)
        fresh = visit(output[0])
        return None if fresh is None else (fresh, *output[1:])

    return hook


def _on_logits(visit: Visit) -> Callable[..., Any]:
    """A hook on the model's own output."""

    def hook(_: nn.Module, __: Any, output: Any) -> None:
        fresh = visit(output.logits)
        if fresh is not None:
            output.logits = fresh

    return hook
