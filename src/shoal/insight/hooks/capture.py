"""Activations of a forward pass, captured or edited by name (see `shoal.insight.hooks.hook_points`).

`read_activations` reads a text so that the activations at each position are those of the prefix that ends there. In
most causal models, one pass over the text gives them: no position depends on what follows. Models with LongRoPE
(Ding et al. 2024, arXiv:2402.13753) rotate by other frequencies once the text is longer than their original context,
and those with dynamic NTK scaling by other frequencies at every length beyond it. A prediction from a short prefix then
differs from the one that a pass over the whole text shows at the same position. `shoal.models` finds at which lengths
that happens; the text is read once per range of lengths that agree, as `shoal.evaluation` scores it.

Shapes: B rows, L positions, J keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch

from shoal.errors import UnknownNameError, UsageError
from shoal.insight.hooks.attention_hook import AttentionHook, attention_hooks
from shoal.insight.hooks.hook_points import block_of, in_interface, match_names, module_hooks
from shoal.insight.hooks.parts import find_parts
from shoal.models import factor_model, forget

if TYPE_CHECKING:
    from collections.abc import Callable

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


class Segment(NamedTuple):
    """Positions whose activations one pass gives: the pass over everything up to the last of them."""

    start: int
    stop: int

    forget: bool
    """Whether the model must first be made to forget the length of the last text that it read."""


def find_segments(model: PreTrainedModel, length: int) -> list[Segment]:
    """Divide the positions of a text into segments; one segment where the length plays no part.

    Args:
        model: a causal language model in evaluation mode.
        length: the number of tokens.
    """
    # Found once per model, by a handful of passes; the fast models do not look at the length.
    lengths = factor_model(model, max_length=length).lengths
    segments, start = [], 0
    while start < length:
        last = lengths.last(start + 1)
        stop = length if last is None else min(last, length)
        segments.append(Segment(start, stop, lengths.keeps_state))
        start = stop
    return segments


@torch.inference_mode()
def read_activations(
    model: PreTrainedModel,
    ids_BL: torch.Tensor,
    names: Iterable[str],
    *,
    reduce: Reduce | None = None,
    axis: Callable[[str], int] | None = None,
) -> dict[str, torch.Tensor]:
    """Capture the activations of rows of one length, each position as the prefix that ends there gives it.

    Args:
        model: a causal language model in evaluation mode.
        ids_BL: rows of token ids without padding.
        names: names or patterns of activations; keys and values of attention are not among them, since a segment has
            its own of all positions before it.
        reduce: called with (name, value), where the value has all positions of one segment and as many keys as the
            text has; its result is stored.
        axis: from a name to the axis of positions in the stored value; by default that of the activation itself.

    Returns:
        The activations by name, in the order of the pass.
    """
    length = ids_BL.shape[1]
    segments = find_segments(model, length)
    axis = _positions_axis if axis is None else axis
    found: dict[str, list[torch.Tensor]] = {}
    for segment in segments:

        def part(name: str, value: torch.Tensor, segment: Segment = segment) -> torch.Tensor:
            # The usual case must stay a plain pass: not a copy, and the same numbers to the last bit.
            value = value if len(segments) == 1 else _of_segment(name, value, segment, length)
            return value if reduce is None else reduce(name, value)

        if segment.forget:
            forget(model)
        with capture(model, names, reduce=part) as cache:
            model(ids_BL[:, : segment.stop], use_cache=False)
        for name, value in cache.items():
            found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else torch.cat(values, axis(name)) for name, values in found.items()}


@torch.inference_mode()
def read_position(
    model: PreTrainedModel, ids_L: torch.Tensor, names: Iterable[str], position: int
) -> dict[str, torch.Tensor]:
    """Capture the activations at one position of a text, as the prefix that ends there gives them.

    Args:
        model: a causal language model in evaluation mode.
        ids_L: the text.
        names: names or patterns of activations whose second axis is that of positions.
        position: the position, from 0.

    Returns:
        The activations by name, without the axes of rows and positions.
    """
    segment = next(each for each in find_segments(model, len(ids_L)) if position < each.stop)
    if segment.forget:
        forget(model)
    with capture(model, names, reduce=lambda _, value: value[0, position]) as cache:
        model(ids_L[None, : segment.stop], use_cache=False)
    return dict(cache)


def _positions_axis(name: str) -> int:
    return 2 if name.endswith((".queries", ".weights")) else 1


def _of_segment(name: str, value: torch.Tensor, segment: Segment, length: int) -> torch.Tensor:
    """The positions of a segment, and zeros for the keys behind it."""
    value = value.narrow(_positions_axis(name), segment.start, segment.stop - segment.start)
    if name.endswith(".weights"):
        value = torch.nn.functional.pad(value, (0, length - segment.stop))
    return value
