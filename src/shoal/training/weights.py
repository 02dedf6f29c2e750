"""All trained weights in one row of memory, so that norm, clipping and optimizer are one operation each.

For a model of a few hundred thousand weights in dozens of tensors, the calls for each tensor would cost more than the
arithmetic. While the weights are flat, the model's parameters and their gradients are views into two rows.

Shapes: P trained weights in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from transformers import PreTrainedModel

from shoal.errors import ModelError, TrainingError
from shoal.training.crew import Crew

if TYPE_CHECKING:
    from types import TracebackType


Kind = Literal["blocks", "tables", "vectors"]
_KINDS: tuple[Kind, ...] = ("blocks", "tables", "vectors")
"""Matrices of the blocks; matrices with a row a token or place (embeddings, head); gains and biases."""


class Slot(NamedTuple):
    """A weight and the place of its gradient, both views into the rows."""

    value: torch.Tensor
    grad: torch.Tensor


class FlatWeights:
    """The trained weights of a model, kind by kind; a context manager that ends with tensors of their own.

    Raises:
        TrainingError: every weight is frozen.
        ModelError: a weight that is to be trained is not float32.
    """

    def __init__(self, model: torch.nn.Module, crew: Crew | None = None) -> None:
        self.module, self._crew = model, crew or Crew()
        named = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        _refuse_untrainable(named)
        kinds = _kinds(model, named)
        self.parameters = dict(sorted(named.items(), key=lambda item: _KINDS.index(kinds[item[0]])))
        self.matrices = [name for name in self.parameters if kinds[name] == "blocks" and named[name].ndim == 2]
        self._entries = {
            kind: sum(weight.numel() for name, weight in named.items() if kinds[name] == kind) for kind in _KINDS
        }
        self.values_P = torch.cat([weight.detach().reshape(-1) for weight in self.parameters.values()])
        self.grads_P = torch.zeros_like(self.values_P)
        self._starts: dict[str, int] = {}

    def __enter__(self) -> FlatWeights:
        start = 0
        for name, weight in self.parameters.items():
            self._starts[name] = start
            span = slice(start, start + weight.numel())
            weight.data = self.values_P[span].view(weight.shape)
            weight.grad = self.grads_P[span].view(weight.shape)
            start += weight.numel()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for weight in self.parameters.values():
            weight.data = weight.data.clone()
            weight.grad = None

    def zero_gradients(self) -> None:
        """Forget the gradients."""
        self.grads_P.zero_()

    def add_up_gradients(self) -> None:
        """Add the gradients of all processes."""
        self._crew.add_up(self.grads_P)

    def gradient_norm(self) -> float:
        """The norm of the whole gradient."""
        return float(torch.linalg.vector_norm(self.grads_P))

    def scale_gradients(self, factor: float) -> None:
        """Multiply the gradients."""
        self.grads_P.mul_(factor)

    def row(self) -> torch.Tensor:
        """All trained weights in one row."""
        return self.values_P

    def load(self, row_P: torch.Tensor) -> None:
        """Set the weights to a row that `row` gave."""
        self.values_P.copy_(row_P)

    def slot(self, *names: str) -> Slot:
        """The weights of these names, neighbours in memory and of one width, stacked as one without a copy."""
        start, width = self._starts[names[0]], self.parameters[names[0]].shape[1:]
        stop = start
        for name in names:
            assert self._starts[name] == stop, f"{name} does not follow its neighbour"
            stop += self.parameters[name].numel()
        shape = (-1, *width)
        return Slot(self.values_P[start:stop].view(shape), self.grads_P[start:stop].view(shape))

    def spans(self, kinds: tuple[Kind, ...]) -> Slot:
        """The part of both rows that holds the weights of these kinds, which follow one another."""
        start = sum(self._entries[kind] for kind in _KINDS[: _KINDS.index(kinds[0])])
        span = slice(start, start + sum(self._entries[kind] for kind in kinds))
        return Slot(self.values_P[span], self.grads_P[span])


def _kinds(model: torch.nn.Module, named: dict[str, torch.nn.Parameter]) -> dict[str, Kind]:
    """The kind of each weight by name."""
    tables = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    head = model.get_output_embeddings() if isinstance(model, PreTrainedModel) else None
    tables |= {id(head.weight)} if head is not None else set()
    return {
        name: "vectors" if weight.ndim < 2 else "tables" if id(weight) in tables else "blocks"
        for name, weight in named.items()
    }


def _refuse_untrainable(named: dict[str, torch.nn.Parameter]) -> None:
    if not named:
        raise TrainingError("every weight of the model is frozen; set requires_grad on those to be trained")
    for name, weight in named.items():
        if weight.dtype != torch.float32:
            raise ModelError(f"the weights {name} are {weight.dtype}; load the model with dtype='float32' to train it")
