"""Sharded weights: each process holds a part of every weight, of its gradient and of its optimizer state.

FSDP2 (`fully_shard`; Zhao et al. 2023, arXiv:2304.11277) on a copy of the model, block by block. The model that was
given stays whole in the memory of the host; it gets the trained weights with every checkpoint and at the end.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from shoal.errors import ModelError, TrainingError, UsageError
from shoal.models import factor_model
from shoal.training.batches import weights_of
from shoal.training.gradients import DTYPES, padded_rows, products_in
from shoal.training.loss import mean_cross_entropy
from shoal.training.optimizers import OptimizerKind, Optimizers, WholeMatrixKind

if TYPE_CHECKING:
    from types import TracebackType

    from transformers import PreTrainedModel

    from shoal.models import LMHead
    from shoal.training.batches import Batch
    from shoal.training.distributed import ProcessGroup
    from shoal.training.gradients import Dtype
    from shoal.training.settings import TrainSettings


class ShardedParameters:
    """The trained weights of a model, sharded; a context manager that ends with the whole model trained.

    Args:
        model: stays whole on the host, and gets the trained weights.
        group: the processes of the training.

    Raises:
        TrainingError: every weight is frozen.
        ModelError: a weight is not float32, or the model has no plain output layer.
    """

    def __init__(self, model: PreTrainedModel, group: ProcessGroup) -> None:
        self._host, self._group = model, group
        # A copy, since fully_shard changes the class and the parameters of a module in place.
        self.module = copy.deepcopy(model).to(group.device)
        self.loss = _LossModel(self.module)
        # Blocks first, then the whole: fully_shard leaves what is wrapped already, and gathers one block at a time.
        for block in _blocks(self.module):
            fully_shard(block)
        fully_shard(self.loss)
        for module in self.loss.modules():
            if isinstance(module, FSDPModule):
                # FSDP averages over processes; here the losses are divided by all tokens of the step, so gradients are
                # summed. gloo has neither averages nor scaled sums.
                module.set_gradient_divide_factor(1.0)
                module.set_force_sum_reduction_for_comms(True)
        self.parameters = {name: weight for name, weight in self.module.named_parameters() if weight.requires_grad}
        if not self.parameters:
            raise TrainingError("every weight of the model is frozen; set requires_grad on those to be trained")

    def __enter__(self) -> ShardedParameters:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        # To gather is collective: after any other fault the other processes may not take part, and this one would wait.
        if fault is None or isinstance(fault, TrainingError):
            self.to_vector()

    def zero_gradients(self) -> None:
        """Set the gradients to 0."""
        for weight in self.parameters.values():
            weight.grad = None

    def gradient_norm(self) -> float:
        """The norm of the whole gradient."""
        # The squares of the shards add up, each entry being in one process alone.
        squares = [_local(grad).square().sum() for grad in self._grads()]
        return float(self._group.all_reduce_sum(torch.stack(squares).sum()).sqrt())

    def scale_gradients(self, factor: float) -> None:
        """Multiply the gradients."""
        for grad in self._grads():
            _local(grad).mul_(factor)

    def all_reduce_gradients(self) -> None:
        """Do nothing: FSDP has summed each gradient as it came."""

    def to_vector(self) -> torch.Tensor:
        """All trained weights as one vector; the model that was given gets them too."""
        own = dict(self._host.named_parameters())
        with torch.no_grad():
            for name, weight in self.parameters.items():
                own[name].copy_(whole(weight.detach()))
        values_P: torch.Tensor = torch.cat([own[name].detach().reshape(-1) for name in self.parameters])
        return values_P

    def load_vector(self, values_P: torch.Tensor) -> None:
        """Set the weights to what `to_vector` gave."""
        parts = values_P.split([weight.numel() for weight in self.parameters.values()])
        with torch.no_grad():
            for weight, part in zip(self.parameters.values(), parts, strict=True):
                weight.copy_(like(part.view(weight.shape), weight))

    def _grads(self) -> list[torch.Tensor]:
        return [weight.grad for weight in self.parameters.values() if weight.grad is not None]


class ShardedGradient:
    """One padded pass for each part of a step; a process whose part is empty takes a pass without weight."""

    def __init__(self, weights: ShardedParameters, *, label_smoothing: float = 0.0) -> None:
        self._loss, self._device, self._label_smoothing = weights.loss, weights.module.device, label_smoothing

    def __call__(self, batch: Batch, precision: Dtype, denominator: int) -> torch.Tensor:
        """The loss of this process's documents (a scalar)."""
        if weights_of(batch.documents) is not None:
            raise UsageError("tokens that count differently need the whole model in each process; start without fsdp")
        ids_BL, rows_N, targets_N = (tensor.to(self._device) for tensor in padded_rows(batch.documents))
        with products_in(precision, self._device):
            loss = self._loss(ids_BL, rows_N, targets_N, precision, self._label_smoothing)
        share: torch.Tensor = loss * (batch.targets / denominator)
        share.backward()
        return share.detach()


class _LossModel(torch.nn.Module):
    """The loss as a forward pass, so that the weights of the head are whole while it runs."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        factored = factor_model(model.eval())
        if factored.head is None or factored.padding != "right":
            raise ModelError(f"{type(model).__name__} cannot be trained here: its output layer is not a plain one")
        self.model = model

    def forward(
        self,
        ids_BL: torch.Tensor,
        rows_N: torch.Tensor,
        targets_N: torch.Tensor,
        precision: Dtype,
        label_smoothing: float,
    ) -> torch.Tensor:
        """The mean loss."""
        hidden_BLD = self.model.base_model(input_ids=ids_BL, use_cache=False, return_dict=True)[0]
        hidden_ND = hidden_BLD.flatten(0, 1).index_select(0, rows_N)
        head: LMHead | None = factor_model(self.model).head
        assert head is not None
        loss: torch.Tensor = mean_cross_entropy(
            hidden_ND.to(DTYPES[precision]), targets_N, head, label_smoothing=label_smoothing
        )
        return loss


def make_sharded_optimizer(weights: ShardedParameters, settings: TrainSettings) -> Optimizers:
    """The optimizer of the settings over sharded weights.

    Args:
        weights: what it updates.
        settings: of the training.

    Raises:
        UsageError: an optimizer that needs whole matrices, such as Muon.
    """
    kind = OptimizerKind.known[settings.optimizer]
    if issubclass(kind, WholeMatrixKind):
        raise UsageError(
            f"optimizer = {settings.optimizer!r} needs whole matrices, which fsdp cuts; take 'adamw', or the mode ddp"
        )
    if settings.l1 or settings.l2:
        raise UsageError("l1 and l2 fall on the matrices of the blocks, which fsdp cuts; take the mode ddp")
    matrices = [weight for weight in weights.parameters.values() if weight.ndim >= 2]
    vectors = [weight for weight in weights.parameters.values() if weight.ndim < 2]
    groups: list[dict[str, Any]] = [
        {"params": part, "weight_decay": decay}
        for part, decay in ((matrices, settings.weight_decay), (vectors, 0.0))
        if part
    ]
    return Optimizers([kind.for_rows(groups, settings, fused=None)], whole=whole, like=like)


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor gathered from all processes."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def like(tensor: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Shard a whole tensor as a weight is sharded.

    Args:
        tensor: of the shape of the weight; any other one is left whole.
        weight: whose placement it gets.
    """
    if not isinstance(weight, DTensor) or tensor.shape != weight.shape:
        return tensor
    return distribute_tensor(tensor.to(weight.device), weight.device_mesh, weight.placements)


def _local(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def _blocks(model: PreTrainedModel) -> list[torch.nn.Module]:
    """The repeated layers: the longest list of modules in the body."""
    lists = [list(module) for module in model.modules() if isinstance(module, torch.nn.ModuleList)]
    return max(lists, key=len, default=[])
