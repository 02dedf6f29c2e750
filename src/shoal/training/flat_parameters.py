"""All trained weights in one flat buffer, so that norm, clipping and optimizer are one operation each.

For a model of a few hundred thousand weights in dozens of tensors, the calls for each tensor would cost more than the
arithmetic. While the weights are flat, the model's parameters and their gradients are views into two buffers.

Shapes: P trained weights in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from transformers import PreTrainedModel

from shoal.errors import ModelError, TrainingError
from shoal.training.distributed import ProcessGroup

if TYPE_CHECKING:
    from types import TracebackType


Kind = Literal["blocks", "tables", "vectors"]
_KINDS: tuple[Kind, ...] = ("blocks", "tables", "vectors")
"""Matrices of the blocks; matrices with one row per token or position (embeddings, head); gains and biases."""


class ParameterView(NamedTuple):
    """A weight and its gradient, both views into the buffers."""

    value: torch.Tensor
    grad: torch.Tensor

    def as_parameter(self) -> torch.nn.Parameter:
        """A parameter on the same memory, for an optimizer of torch."""
        parameter = torch.nn.Parameter(self.value)
        parameter.grad = self.grad
        return parameter


class FlatParameters:
    """The trained weights of a model, kind by kind; a context manager that ends with tensors of their own.

    Args:
        model: whose weights with ``requires_grad`` are trained.
        group: the processes of the training; None for this one alone.

    Raises:
        TrainingError: every weight is frozen.
        ModelError: a weight that is to be trained is not float32.
    """

    def __init__(self, model: torch.nn.Module, group: ProcessGroup | None = None) -> None:
        self.module, self._group = model, group or ProcessGroup()
        named = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        _refuse_untrainable(named)
        kinds = _kinds(model, named)
        # Kind by kind, so that all weights with decay are one piece of memory, and one call of the optimizer. The sort
        # is stable: neighbours of a layer stay neighbours, which `view` needs.
        self.parameters = dict(sorted(named.items(), key=lambda item: _KINDS.index(kinds[item[0]])))
        self.matrices = [name for name in self.parameters if kinds[name] == "blocks" and named[name].ndim == 2]
        self._entries = {
            kind: sum(weight.numel() for name, weight in named.items() if kinds[name] == kind) for kind in _KINDS
        }
        self.values_P = torch.cat([weight.detach().reshape(-1) for weight in self.parameters.values()])
        self.grads_P = torch.zeros_like(self.values_P)
        self._starts: dict[str, int] = {}

    def __enter__(self) -> FlatParameters:
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
            # A view would keep the whole buffer in memory for as long as any one weight lives.
            weight.data = weight.data.clone()
            weight.grad = None

    def zero_gradients(self) -> None:
        """Set the gradients to 0."""
        self.grads_P.zero_()

    def all_reduce_gradients(self) -> None:
        """Sum the gradients over all processes."""
        self._group.all_reduce_sum(self.grads_P)

    def gradient_norm(self) -> float:
        """The norm of the whole gradient."""
        return float(torch.linalg.vector_norm(self.grads_P))

    def scale_gradients(self, factor: float) -> None:
        """Multiply the gradients."""
        self.grads_P.mul_(factor)

    def to_vector(self) -> torch.Tensor:
        """All trained weights (P)."""
        return self.values_P

    def load_vector(self, values_P: torch.Tensor) -> None:
        """Set the weights to what `to_vector` gave."""
        self.values_P.copy_(values_P)

    def view(self, *names: str) -> ParameterView:
        """Weights that are neighbours in memory and of one width, stacked as one without a copy.

        Args:
            names: of the weights, in the order of the model.
        """
        start, width = self._starts[names[0]], self.parameters[names[0]].shape[1:]
        stop = start
        for name in names:
            assert self._starts[name] == stop, f"{name} does not follow its neighbour"
            stop += self.parameters[name].numel()
        shape = (-1, *width)
        return ParameterView(self.values_P[start:stop].view(shape), self.grads_P[start:stop].view(shape))

    def view_of_kinds(self, kinds: tuple[Kind, ...]) -> ParameterView:
        """The part of both buffers that holds the weights of these kinds, which follow one another."""
        start = sum(self._entries[kind] for kind in _KINDS[: _KINDS.index(kinds[0])])
        span = slice(start, start + sum(self._entries[kind] for kind in kinds))
        return ParameterView(self.values_P[span], self.grads_P[span])


def _kinds(model: torch.nn.Module, named: dict[str, torch.nn.Parameter]) -> dict[str, Kind]:
    """The kind of each weight by name."""
    tables = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    head = model.get_output_embeddings() if isinstance(model, PreTrainedModel) else None
    # A head that is tied has been found already, by the identity of its weight.
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
