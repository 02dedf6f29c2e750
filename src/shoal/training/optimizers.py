"""Optimizers by name, over flat or sharded parameters, and the schedule of their learning rate.

A new optimizer is one subclass of `OptimizerKind` here. Importing this module does not import torch, so that settings
are checked without it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from shoal.training.flat_parameters import FlatParameters, Kind
    from shoal.training.settings import TrainSettings

    Groups = list[dict[str, Any]]

_BETA1 = 0.9
# Adam's squared gradients are averaged over a fifth of a training, but over at most a thousand steps: a longer memory
# still holds the large gradients of the beginning when a short training ends. Measured by
# ``python -m benchmarks.training --parts quality``.
_MEMORIES = 5
_MIN_BETA2, _MAX_BETA2 = 0.9, 0.999


class OptimizerKind(ABC):
    """How weights are updated. A subclass with a ``name`` can be chosen by that name."""

    name: ClassVar[str]
    known: ClassVar[dict[str, type[OptimizerKind]]] = {}

    def __init_subclass__(cls) -> None:
        # A class without a name of its own is a base of several optimizers.
        if "name" in vars(cls):
            OptimizerKind.known[cls.name] = cls

    @classmethod
    @abstractmethod
    def for_rows(cls, groups: Groups, settings: TrainSettings, *, fused: bool | None) -> torch.optim.Optimizer:
        """The optimizer of torch of all weights, or of those that `WholeMatrixKind.for_matrices` leaves.

        Args:
            groups: of parameters, as torch takes them.
            settings: of the training.
            fused: whether torch's fused kernel is taken; None leaves the choice to torch.
        """

    @classmethod
    def default_beta2(cls, steps: int) -> float:
        """Adam's second beta for a training of this many steps, where none is given."""
        return min(_MAX_BETA2, max(_MIN_BETA2, round(1 - _MEMORIES / steps, 4)))


class WholeMatrixKind(OptimizerKind):
    """Updates each matrix of the blocks as a whole, by an optimizer of its own."""

    @classmethod
    @abstractmethod
    def for_matrices(cls, matrices: Sequence[torch.nn.Parameter], settings: TrainSettings) -> torch.optim.Optimizer:
        """The optimizer of the matrices of the blocks.

        Args:
            matrices: two-dimensional.
            settings: of the training.
        """


class _AdamW(OptimizerKind):
    name = "adamw"

    @classmethod
    def for_rows(cls, groups: Groups, settings: TrainSettings, *, fused: bool | None) -> torch.optim.Optimizer:
        """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101)."""
        import torch

        return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(_BETA1, settings.beta2), fused=fused)


class _Adam(OptimizerKind):
    name = "adam"

    @classmethod
    def for_rows(cls, groups: Groups, settings: TrainSettings, *, fused: bool | None) -> torch.optim.Optimizer:
        """Adam (Kingma and Ba 2015, arXiv:1412.6980); weight decay is part of the gradient."""
        import torch

        return torch.optim.Adam(groups, lr=settings.learning_rate, betas=(_BETA1, settings.beta2), fused=fused)


class _SGD(OptimizerKind):
    name = "sgd"

    @classmethod
    def for_rows(cls, groups: Groups, settings: TrainSettings, *, fused: bool | None) -> torch.optim.Optimizer:
        """Plain gradient descent, without momentum."""
        import torch

        return torch.optim.SGD(groups, lr=settings.learning_rate, fused=fused)


class _Muon(_AdamW, WholeMatrixKind):
    """Muon for the matrices of the blocks, and AdamW for the rest.

    The rows of embeddings, head and vectors are no maps between hidden states, so orthogonalising them means nothing.
    """

    name = "muon"

    @classmethod
    def for_matrices(cls, matrices: Sequence[torch.nn.Parameter], settings: TrainSettings) -> torch.optim.Optimizer:
        """Orthogonalised momentum, at a peak of its own where the settings have one."""
        from shoal.training.muon import Muon

        peak = settings.matrix_learning_rate
        return Muon(matrices, lr=settings.learning_rate if peak is None else peak, weight_decay=settings.weight_decay)

    @classmethod
    def default_beta2(cls, steps: int) -> float:  # noqa: ARG003 - the same for all lengths
        """The longest memory: an embedding, which is what Adam gets here, has a gradient in few of the steps."""
        return _MAX_BETA2


def optimizer_names() -> tuple[str, ...]:
    """The names that settings may give."""
    return tuple(OptimizerKind.known)


def check_optimizer(name: str) -> str:
    """The name itself, where there is such an optimizer.

    Raises:
        UnknownNameError: there is none; the message names the nearest.
    """
    if name not in OptimizerKind.known:
        raise UnknownNameError("optimizer", name, OptimizerKind.known)
    return name


def default_beta2(optimizer: str, steps: int) -> float:
    """Adam's second beta where none is given.

    Args:
        optimizer: the name of the optimizer.
        steps: of the whole training.

    Raises:
        UnknownNameError: there is no such optimizer.
    """
    return OptimizerKind.known[check_optimizer(optimizer)].default_beta2(steps)


class Optimizers:
    """One or two optimizers of torch, stepped together at a share of their peaks."""

    def __init__(
        self,
        optimizers: Sequence[torch.optim.Optimizer],
        *,
        whole: Callable[[torch.Tensor], torch.Tensor] | None = None,
        like: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        """Join optimizers.

        Args:
            optimizers: of torch, whose peaks are the learning rates that they have now.
            whole: gathers the shards of a tensor; None where weights are not sharded.
            like: shards a whole tensor as a weight is sharded; None likewise.
        """
        self._optimizers = tuple(optimizers)
        self._whole, self._like = whole or (lambda tensor: tensor), like or (lambda tensor, _: tensor)
        self._peaks = [group["lr"] for group in self._groups()]

    def step(self, share: float) -> None:
        """Move the weights by their gradients, with this share of the peak learning rates."""
        for group, peak in zip(self._groups(), self._peaks, strict=True):
            # By hand, since torch has no schedule over several optimizers, and its own would be state to save.
            group["lr"] = peak * share
        for optimizer in self._optimizers:
            optimizer.step()

    def state(self) -> dict[str, torch.Tensor]:
        """The tensors that the next step depends on, under ``<weight's place>/<slot>``."""
        import torch

        return {
            f"{place}/{slot}": self._whole(tensor)
            for place, (optimizer, parameter) in enumerate(self._places())
            for slot, tensor in optimizer.state.get(parameter, {}).items()
            if isinstance(tensor, torch.Tensor)
        }

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go back to a state that `state` gave."""
        places = self._places()
        for key, tensor in state.items():
            place, slot = key.split("/")
            optimizer, parameter = places[int(place)]
            # A copy: it is updated in place, and a training may go back to one state several times.
            optimizer.state[parameter][slot] = self._like(tensor.to(parameter.device, copy=True), parameter)

    def _groups(self) -> list[dict[str, Any]]:
        return [group for optimizer in self._optimizers for group in optimizer.param_groups]

    def _places(self) -> list[tuple[torch.optim.Optimizer, torch.nn.Parameter]]:
        return [
            (optimizer, parameter)
            for optimizer in self._optimizers
            for group in optimizer.param_groups
            for parameter in group["params"]
        ]


def make_optimizer(weights: FlatParameters, settings: TrainSettings) -> Optimizers:
    """Make the optimizers of the settings, fused where that can be; weight decay applies to matrices only.

    Args:
        weights: what they update.
        settings: of the training.
    """
    kind = OptimizerKind.known[settings.optimizer]
    penalised = bool(settings.l1 or settings.l2)
    parts: list[tuple[Kind, ...]] = [("tables",) if issubclass(kind, WholeMatrixKind) else ("blocks", "tables")]
    if penalised:
        # Embeddings are left out: in Adam's metric a row whose token is rare has nearly no curvature, and the first
        # proximal step would set it to 0.
        parts = [("blocks",), ("tables",)]
    # Gains and biases do not decay: pulled to 0, a gain would switch its norm off.
    decays = [(part, settings.weight_decay) for part in parts] + [(("vectors",), 0.0)]
    groups: Groups = [
        {"params": [view.as_parameter()], "weight_decay": decay}
        for view, decay in ((weights.view_of_kinds(part), decay) for part, decay in decays)
        if len(view.value)
    ]
    optimizers = [kind.for_rows(groups, settings, fused=True)] if groups else []
    if penalised and len(weights.view_of_kinds(("blocks",)).value):
        from shoal.training.proximal import add_elastic_net

        add_elastic_net(optimizers[0], l1=settings.l1, l2=settings.l2, parameters=groups[0]["params"])
    if issubclass(kind, WholeMatrixKind) and weights.matrices:
        matrices = [weights.view(name).as_parameter() for name in weights.matrices]
        optimizers.append(kind.for_matrices(matrices, settings))
    return Optimizers(optimizers)


def schedule_share(step: int, steps: int, settings: TrainSettings) -> float:
    """The share of the peak learning rate of a step (counted from 0) of ``steps``.

    A linear rise, then the schedule down to 0; a constant one stays, and ``wsd`` (Hu et al. 2024, arXiv:2404.06395,
    section 4) stays until its last part; ``changes`` depends on more than the step (`RateControl`). The first step of
    the rise has one part of the peak, never 0.

    Args:
        step: counted from 0.
        steps: of the whole training.
        settings: with the schedule, the warmup and the decay.
    """
    rise = round(settings.warmup * steps)
    if step < rise:
        return (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    shares = {
        "constant": 1.0,
        "linear": 1.0 - done,
        "cosine": 0.5 * (1.0 + math.cos(math.pi * done)),
        # At least one step, so that a decay of 0 is no division by 0.
        "wsd": min(1.0, (steps - step) / max(1, round(settings.decay * steps))),
    }
    return shares[settings.schedule]
