"""Activations of a forward pass, captured or edited by name (see `shoal.insight.hooks.hook_points`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from shoal.errors import UnknownNameError, UsageError
from shoal.insight.hooks.attention_hook import AttentionHook, attention_hooks
from shoal.insight.hooks.hook_points import block_of, in_interface, match_names, module_hooks
from shoal.insight.hooks.parts import find_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from transformers import PreTrainedModel

    Reduce = Callable[[str, torch.Tensor], torch.Tensor]
    Change = Callable[[torch.Tensor], torch.Tensor]


class ActivationCache(Mapping[str, "torch.Tensor"]):
    """The activations of the last forward pass, by name.

    Args:
        names: the names that are captured, in the order of the pass.
        reduce: called with (name, value); its result is stored.
    """

    def __init__(self, names: tuple[str, ...], reduce: Reduce) -> None:
        self._names = names
        self._reduce = reduce
        self._values: dict[str, torch.Tensor] = {}

    def store(self, name: str, value: torch.Tensor) -> None:
        """Store a value, in place of that of an earlier pass.

        Args:
            name: its name.
            value: the activation.
        """
        self._values[name] = self._reduce(name, value)

    def store_and_return(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """Store a value and let the pass continue with it, so that it is part of the graph of gradients.

        Args:
            name: its name.
            value: the activation.
        """
        self.store(name, value)
        return value

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self._names:
            raise UnknownNameError("captured activation", name, self._names)
        if name not in self._values:
            raise UsageError(f"{name} has not been captured yet: run the model inside the with block")
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if name in self._values)

    def __len__(self) -> int:
        return len(self._values)


@contextmanager
def capture(
    model: PreTrainedModel, names: Iterable[str], *, reduce: Reduce | None = None, gradients: bool = False
) -> Iterator[ActivationCache]:
    """Capture activations of every forward pass of the model within the block.

    The pass gives the same logits to the last bit. Only the modules that a name needs get a hook, and every hook is
    removed afterwards, after an exception too.

    Args:
        model: any causal language model of transformers.
        names: names or patterns, as in ``["blocks.*.attention", "logits"]``; see `shoal.insight.hooks.hook_points`.
        reduce: called with (name, value); its result is stored in place of the value, so that large values can be
            summed up at once.
        gradients: leave the values in the graph; otherwise they are detached.

    Yields:
        The activations of the last pass by name.

    Raises:
        UnknownNameError: a pattern matches no name.
        ModelError: the model has no such part.
    """
    parts = find_parts(model)
    wanted = match_names(parts, names)

    def stored(name: str, value: torch.Tensor) -> torch.Tensor:
        # Detached before it is reduced, so that a reduction builds no graph.
        value = value if gradients else value.detach()
        return value if reduce is None else reduce(name, value)

    cache = ActivationCache(wanted, stored)
    by_block: dict[int, set[str]] = {}
    for name in filter(in_interface, wanted):
        by_block.setdefault(block_of(name), set()).add(name.rsplit(".", 1)[1])
    attention = {
        block: AttentionHook(frozenset(kinds), _prefixed(f"blocks.{block}.attention", cache))
        for block, kinds in by_block.items()
    }
    store = cache.store_and_return if gradients else cache.store
    modules = {name: partial(store, name) for name in wanted if not in_interface(name)}
    # Attention first: it may refuse a model before any module has a hook.
    with attention_hooks(parts, attention), module_hooks(parts, modules):
        yield cache


@contextmanager
def edit(model: PreTrainedModel, changes: Mapping[str, Change]) -> Iterator[None]:
    """Edit activations in every forward pass of the model within the block; afterwards no hook is left.

    Args:
        model: any causal language model of transformers.
        changes: by name or pattern (see `shoal.insight.hooks.hook_points`), a function from the activation to the one
            with which the pass continues. It must not change its argument in place.

    Raises:
        UsageError: a name that can be captured and not edited, or one that two patterns match.
        UnknownNameError: a pattern matches no name.
    """
    parts = find_parts(model)
    hooks: dict[str, Callable[[torch.Tensor], torch.Tensor | None]] = {}
    for pattern, change in changes.items():
        for name in match_names(parts, [pattern]):
            if name in hooks:
                raise UsageError(f"{name} is matched by two patterns; give each activation one change")
            hooks[name] = change
    with module_hooks(parts, hooks):
        yield


def _prefixed(prefix: str, cache: ActivationCache) -> Callable[[str, torch.Tensor], None]:
    """A callback that stores the activations of one attention under their full names."""
    return lambda kind, value: cache.store(f"{prefix}.{kind}", value)
