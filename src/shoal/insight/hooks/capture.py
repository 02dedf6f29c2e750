"""Activations of a forward pass, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from shoal.errors import UnknownNameError, UsageError
from shoal.insight.hooks.beside import watching
from shoal.insight.hooks.names import match_names
from shoal.insight.hooks.parts import find_parts
from shoal.insight.hooks.sites import block_of, in_interface, visiting

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from transformers import PreTrainedModel

    Keep = Callable[[str, torch.Tensor], torch.Tensor]


class Seen(Mapping[str, "torch.Tensor"]):
    """What the last forward pass showed, by name (see `shoal.insight.hooks.names`)."""

    def __init__(self, names: tuple[str, ...], keep: Keep) -> None:
        self._names = names
        self._keep = keep
        self._values: dict[str, torch.Tensor] = {}

    def put(self, name: str, value: torch.Tensor) -> None:
        """Take in a value."""
        self._values[name] = self._keep(name, value)

    def put_and_pass(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """Take in a value, and have the pass go on with it, so that a gradient reaches it."""
        self.put(name, value)
        return value

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self._names:
            raise UnknownNameError("captured activation", name, self._names)
        if name not in self._values:
            raise UsageError(f"{name} has not been seen yet: run the model inside the with block")
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if name in self._values)

    def __len__(self) -> int:
        return len(self._values)


@contextmanager
def capture(
    model: PreTrainedModel, names: Iterable[str], *, keep: Keep | None = None, gradients: bool = False
) -> Iterator[Seen]:
    """See the activations of every forward pass of the model within the block.

    The pass gives the same logits to the last bit. Hooks stand only where a name asks for one, and none is left
    afterwards, whatever happened.

    Args:
        model: any causal language model of transformers.
        names: names or patterns, as in ``["blocks.*.attention", "logits"]``; see `shoal.insight.hooks.names`.
        keep: called with (name, value); what it returns is kept instead, so that large values can be summed up at once.
        gradients: leave the values in the graph; otherwise they are detached.

    Yields:
        The values of the last pass by name.

    Raises:
        UnknownNameError: a pattern chooses nothing.
        ModelError: the model has no such part.
    """
    parts = find_parts(model)
    wanted = match_names(parts, names)

    def kept(name: str, value: torch.Tensor) -> torch.Tensor:
        value = value if gradients else value.detach()
        return value if keep is None else keep(name, value)

    seen = Seen(wanted, kept)

    watches: dict[int, tuple[set[str], Callable[[str, torch.Tensor], None]]] = {}
    for name in filter(in_interface, wanted):
        prefix, what = name.rsplit(".", 1)
        watched = watches.setdefault(block_of(name), (set(), _under(prefix, seen)))
        watched[0].add(what)
    visit = seen.put_and_pass if gradients else seen.put
    visits = {name: partial(visit, name) for name in wanted if not in_interface(name)}
    with watching(parts, watches), visiting(parts, visits):
        yield seen


def _under(prefix: str, seen: Seen) -> Callable[[str, torch.Tensor], None]:
    """Who is told the values of one attention."""
    return lambda what, value: seen.put(f"{prefix}.{what}", value)
