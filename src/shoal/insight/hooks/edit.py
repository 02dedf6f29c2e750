"""Activations changed in the middle of a forward pass, by name."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.insight.hooks.names import match_names
from shoal.insight.hooks.parts import find_parts
from shoal.insight.hooks.sites import visiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import torch
    from transformers import PreTrainedModel

    Change = Callable[[torch.Tensor], torch.Tensor]


@contextmanager
def edit(model: PreTrainedModel, changes: Mapping[str, Change]) -> Iterator[None]:
    """Change activations in every forward pass of the model within the block; afterwards no hook is left.

    Args:
        model: any causal language model of transformers.
        changes: by name or pattern (see `shoal.insight.hooks.names`), a function from the value to the one to go on
            with. It must not change its argument in place.

    Raises:
        UsageError: a name that can be seen and not changed, or one that two patterns choose.
        UnknownNameError: a pattern chooses nothing.
    """
    parts = find_parts(model)
    visits: dict[str, Callable[[torch.Tensor], torch.Tensor | None]] = {}
    for pattern, change in changes.items():
        for name in match_names(parts, [pattern]):
            if name in visits:
                raise UsageError(f"{name} is chosen by two patterns; give each activation one change")
            visits[name] = change
    with visiting(parts, visits):
        yield
