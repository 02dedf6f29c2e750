"""Path lengths: in how many steps the input at one position reaches the output at another, seen by gradients.

One step is a layer, of a recurrent layer a cell. What a step connects is read off its Jacobian: an output depends on
an input if the gradient is not zero. The shortest ways through that graph follow, and a stack of that many real layers
must then connect every pair, and one layer fewer must not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from shoal.insight.layers.kinds import LOOK_BACK, Recurrent, build_layer
from shoal.insight.layers.theory import longest_path

if TYPE_CHECKING:
    import numpy.typing as npt

    from shoal.insight.layers.kinds import Size

    Reach = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathLength:
    """The longest of the shortest ways between two positions."""

    n: int
    measured: int
    predicted: int
    """By the exact formula of `longest_path`."""

    pairs: int
    """How many (input, output) pairs are to be connected: all, or the input first where a kind looks back."""

    confirmed: bool
    """Whether a stack of that many real layers connects exactly these pairs, and one layer fewer does not."""


def path_length(kind: str, size: Size, *, seed: int = 0) -> PathLength:
    """Measure the longest path of a kind of layer.

    Args:
        kind: one of `KINDS`.
        size: a small one will do; the Jacobian has n² entries, each found from a gradient.
        seed: of the weights and the inputs.
    """
    connected: Reach = np.tri(size.n, dtype=bool) if kind in LOOK_BACK else np.ones((size.n, size.n), dtype=bool)
    found = _cell_steps(size, seed) if kind == "recurrent" else _layer_steps(kind, size, connected, seed)
    layers = 1 if kind == "recurrent" else found
    stack = [build_layer(kind, size, level=level, seed=seed + level) for level in range(layers)]
    whole, shorter = _reach(stack, size, seed), _reach(stack[:-1], size, seed)
    return PathLength(
        n=size.n,
        measured=found,
        predicted=longest_path(kind, size),
        pairs=int(connected.sum()),
        confirmed=np.array_equal(whole, connected) and not np.array_equal(shorter, connected),
    )


def _layer_steps(kind: str, size: Size, connected: Reach, seed: int) -> int:
    """Layers until every output depends on every input that it can see."""
    reached: Reach = np.eye(size.n, dtype=bool)
    layers = 0
    while not np.array_equal(reached, connected):
        step = _reach([build_layer(kind, size, level=layers, seed=seed)], size, seed)
        wider = (step.astype(np.float32) @ reached.astype(np.float32)) > 0
        if np.array_equal(wider, reached):
            raise AssertionError(f"layers of the kind {kind!r} stop to reach further after {layers}")
        reached, layers = wider, layers + 1
    return layers


def _cell_steps(size: Size, seed: int) -> int:
    """Cells between the first input and the last state, each cell's dependence on both of its inputs being seen."""
    layer = build_layer("recurrent", size, seed=seed).double()
    assert isinstance(layer, Recurrent)
    random = torch.Generator().manual_seed(seed)
    x_ND = torch.randn(size.n, size.d, dtype=torch.float64, generator=random)
    state_1D = torch.randn(1, size.d, dtype=torch.float64, generator=random)
    steps = np.full((size.n, size.n), -1)
    for place in range(size.n):
        read_1D = (x_ND[place : place + 1] @ layer.inward).detach().requires_grad_()
        before_1D = state_1D.detach().requires_grad_()
        state_1D = layer.cell(read_1D, before_1D)
        from_input, from_state = torch.autograd.grad(state_1D.sum(), (read_1D, before_1D))
        if place and bool(from_state.any()):
            steps[place] = np.where(steps[place - 1] >= 0, steps[place - 1] + 1, -1)
        if bool(from_input.any()):
            steps[place, place] = 1
    return int(steps.max())


def _reach(stack: list[nn.Module], size: Size, seed: int) -> Reach:
    """Which outputs (rows) of a stack depend on which inputs (columns), by gradients in float64."""
    random = torch.Generator().manual_seed(seed)
    x_ND = torch.randn(size.n, size.d, dtype=torch.float64, generator=random, requires_grad=True)
    out_ND = nn.Sequential(*stack).double()(x_ND)
    weights_D = torch.randn(size.d, dtype=torch.float64, generator=random)
    rows_NN = torch.eye(size.n, dtype=torch.float64)
    (gradients_NND,) = torch.autograd.grad(out_ND @ weights_D, x_ND, rows_NN, is_grads_batched=True)
    reach: Reach = gradients_NND.ne(0).any(dim=2).numpy()
    return reach
