"""The names of activations, the patterns that choose among them, and the module hooks that reach them.

Shapes: B rows, L positions, J keys, D width of the residual stream, H query heads, G key heads, K width of a head,
F neurons, V vocabulary.

| name | shape | what |
|---|---|---|
| `embedding` | B × L × D | the residual stream before the first block |
| `blocks.N.residual_in` | B × L × D | the residual stream as block N reads it |
| `blocks.N.attention.queries` | B × H × L × K | after rotation |
| `blocks.N.attention.keys` | B × G × J × K | after rotation |
| `blocks.N.attention.values` | B × G × J × K | |
| `blocks.N.attention.weights` | B × H × L × J | each row sums to 1 |
| `blocks.N.attention.heads` | B × L × H × K | what each head read, before the output projection |
| `blocks.N.attention.output` | B × L × D | what attention adds to the residual stream |
| `blocks.N.mlp.neurons` | B × L × F | after the activation function, and the gate where there is one |
| `blocks.N.mlp.output` | B × L × D | what the MLP adds |
| `blocks.N.residual_out` | B × L × D | the residual stream after block N |
| `final_norm` | B × L × D | as the unembedding reads it |
| `logits` | B × L × V | |
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import ModelError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from torch import nn

    from shoal.insight.hooks.parts import ModelBlock, Parts

    Hook = Callable[[torch.Tensor], torch.Tensor | None]
    """Receives an activation; returns the one to continue with, or None to leave it."""

BY_INTERFACE = ("queries", "keys", "values", "weights")
"""Activations that exist only inside the attention function, where no module hook reaches."""


@dataclass(frozen=True, slots=True)
class _HookPoint:
    """Where an activation of a block is met by a module hook."""

    module: Callable[[ModelBlock], nn.Module | None]
    before: bool
    """Whether it goes into the module; otherwise it comes out."""

    present: Callable[[ModelBlock], bool] = lambda _: True
    by_head: bool = False


def _attends(block: ModelBlock) -> bool:
    return block.projection is not None


_HOOK_POINTS = {
    "residual_in": _HookPoint(lambda block: block.module, before=True),
    "attention.heads": _HookPoint(lambda block: block.projection, before=True, present=_attends, by_head=True),
    # Behind the norm where there is one (Gemma 2): that is what is added to the residual stream.
    "attention.output": _HookPoint(
        lambda block: block.attention_norm or block.attention, before=False, present=_attends
    ),
    "mlp.neurons": _HookPoint(lambda block: block.down, before=True, present=lambda block: block.down is not None),
    "mlp.output": _HookPoint(
        lambda block: block.mlp_norm or block.mlp, before=False, present=lambda block: block.mlp is not None
    ),
    "residual_out": _HookPoint(lambda block: block.module, before=False),
}
_OF_A_BLOCK = ("residual_in", *(f"attention.{name}" for name in BY_INTERFACE), *tuple(_HOOK_POINTS)[1:])
_BLOCK = re.compile(r"blocks\.(\d+)(\..*)?")


def activation_names(parts: Parts) -> tuple[str, ...]:
    """Every name that this model has, from the first to the last."""
    names = ["embedding"]
    for number, block in enumerate(parts.blocks):
        names += [f"blocks.{number}.{what}" for what in _OF_A_BLOCK if _is_present(block, what)]
    names += ["final_norm"] if parts.final_norm is not None else []
    return (*names, "logits")


def _is_present(block: ModelBlock, what: str) -> bool:
    return _HOOK_POINTS[what].present(block) if what in _HOOK_POINTS else _attends(block)


def match_names(parts: Parts, patterns: Iterable[str]) -> tuple[str, ...]:
    """Find the names that patterns match, each once, from the first to the last.

    ``*`` stands for any characters between two dots, and a pattern matches all that is below it:
    ``blocks.*.attention`` is everything of every attention.

    Args:
        parts: the parts of the model.
        patterns: names, or patterns of names.

    Raises:
        UnknownNameError: a pattern matches no name; the message has the nearest one.
        UsageError: a block that the model does not have.
        ModelError: a name that other architectures have and this one has not.
    """
    names = activation_names(parts)
    chosen: set[str] = set()
    for pattern in patterns:
        found = [name for name in names if _matches(name, pattern)]
        if not found:
            raise _nothing(parts, pattern, names)
        chosen.update(found)
    return tuple(name for name in names if name in chosen)


def _matches(name: str, pattern: str) -> bool:
    words, wanted = name.split("."), pattern.split(".")
    return len(wanted) <= len(words) and all(map(fnmatchcase, words, wanted))


def _nothing(parts: Parts, pattern: str, names: tuple[str, ...]) -> Exception:
    """The error of a pattern that matches no name."""
    block = _BLOCK.fullmatch(pattern)
    if block is not None and int(block[1]) >= len(parts.blocks):
        return UsageError(
            f"{pattern!r} names block {block[1]}, and {parts.name} has {len(parts.blocks)} blocks, "
            f"0 to {len(parts.blocks) - 1}"
        )
    known = [f"blocks.0.{name}" for name in _OF_A_BLOCK]
    if any(_matches(name, re.sub(r"^blocks\.[^.]*", "blocks.0", pattern)) for name in known):
        what = pattern.rsplit(".", 1)[-1]
        return ModelError(f"{parts.name} has no {what} that could be found; its names: {_brief(names)}")
    return UnknownNameError("activation", pattern, names)


def _brief(names: tuple[str, ...]) -> str:
    """The names, with N for the number of the block."""
    return ", ".join(dict.fromkeys(re.sub(r"^blocks\.\d+", "blocks.N", name) for name in names))


@contextmanager
def module_hooks(parts: Parts, hooks: Mapping[str, Hook]) -> Iterator[None]:
    """Call hooks in every forward pass of the model; afterwards none is left.

    Args:
        parts: the parts of the model.
        hooks: by name of the activation.

    Raises:
        UsageError: a name that hooks do not reach (what the attention function alone sees).
    """
    with ExitStack() as stack:
        for name, hook in hooks.items():
            stack.callback(_register(parts, name, hook).remove)
        yield


def in_interface(name: str) -> bool:
    """Whether an activation exists only inside the attention function."""
    return name.startswith("blocks.") and name.rsplit(".", 1)[-1] in BY_INTERFACE


def block_of(name: str) -> int:
    """The number of the block that a name belongs to."""
    return int(name.split(".")[1])


def _register(parts: Parts, name: str, hook: Hook) -> Any:
    """Register one hook at its module."""
    if in_interface(name):
        raise UsageError(f"{name} cannot be edited, only captured; edit attention.heads or attention.output instead")
    # The logits and not the output of the head: some models scale or cap them afterwards.
    if name == "logits":
        return parts.model.register_forward_hook(_on_logits(hook))
    # As block 0 reads it: positions, norms and scales of the embedding are then included.
    if name == "embedding":
        return parts.blocks[0].module.register_forward_pre_hook(_before(hook), with_kwargs=True)
    if name == "final_norm":
        return _needed(parts, parts.final_norm, name).register_forward_hook(_after(hook))
    point = _HOOK_POINTS[name.split(".", 2)[2]]
    module = _needed(parts, point.module(parts.blocks[block_of(name)]), name)
    hook = _by_head(hook, parts.heads) if point.by_head else hook
    if point.before:
        return module.register_forward_pre_hook(_before(hook), with_kwargs=True)
    return module.register_forward_hook(_after(hook))


def _needed(parts: Parts, module: nn.Module | None, name: str) -> nn.Module:
    if module is None:
        raise ModelError(f"{parts.name} has no {name} that could be found")
    return module


def _by_head(hook: Hook, heads: int) -> Hook:
    """The hook on values that are split by head."""

    def split(value_BLC: torch.Tensor) -> torch.Tensor | None:
        fresh_BLHK = hook(value_BLC.unflatten(-1, (heads, -1)))
        return None if fresh_BLHK is None else fresh_BLHK.flatten(-2)

    return split


def _before(hook: Hook) -> Callable[..., Any]:
    """A module hook on what goes in, given by position or by name."""

    def call(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args:  # most decoders pass the hidden states by position, and a few by name
            fresh = hook(args[0])
            return None if fresh is None else ((fresh, *args[1:]), kwargs)
        fresh = hook(kwargs["hidden_states"])
        return None if fresh is None else (args, kwargs | {"hidden_states": fresh})

    return call


def _after(hook: Hook) -> Callable[..., Any]:
    """A module hook on what comes out, alone or first of several."""

    def call(_: nn.Module, __: Any, output: Any) -> Any:
        if isinstance(output, torch.Tensor):
            return hook(output)
        fresh = hook(output[0])
        return None if fresh is None else (fresh, *output[1:])

    return call


def _on_logits(hook: Hook) -> Callable[..., Any]:
    """A module hook on the logits in the model's own output."""

    def call(_: nn.Module, __: Any, output: Any) -> None:
        fresh = hook(output.logits)
        if fresh is not None:
            output.logits = fresh

    return call
