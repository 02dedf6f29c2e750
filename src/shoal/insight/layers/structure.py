"""The structure of layers: their sequential operations and the paths between positions, measured on real layers.

Sequential operations are counted in the traced graph. For paths, one step is a layer, or a cell of a recurrent layer.
What a step connects is read off its Jacobian: an output depends on an input if the gradient is not zero. The shortest
paths through that graph follow, and a stack of that many real layers must then connect every pair, and one layer fewer
must not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx

from shoal.insight.layers.layer_kinds import KINDS, Recurrent, build_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from shoal.insight.layers.layer_kinds import Size

    Reach = npt.NDArray[np.bool_]

_MOVES = frozenset(
    {
        "_unsafe_view",
        "alias",
        "arange",
        "as_strided",
        "cat",
        "clone",
        "constant_pad_nd",
        "contiguous",
        "detach",
        "expand",
        "getitem",
        "new_zeros",
        "permute",
        "reshape",
        "select",
        "slice",
        "split",
        "squeeze",
        "stack",
        "t",
        "transpose",
        "unbind",
        "unfold",
        "unsqueeze",
        "view",
    }
)
"""Operations of torch that compute nothing: they view or copy numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathLength:
    """The longest of the shortest paths between two positions."""

    n: int
    measured: int
    predicted: int
    """By the exact formula of the kind (`LayerKind.longest_path`)."""

    pairs: int
    """Number of (input, output) pairs that are to be connected: all, or the input first where a kind looks back."""

    confirmed: bool
    """Whether a stack of that many real layers connects exactly these pairs, and one layer fewer does not."""


def graph_depth(kind: str, size: Size) -> int:
    """Count the longest chain of dependent operations between a layer's input and its output.

    The layer is traced once; a chain counts the operations of torch that compute (a matrix product is one, whatever its
    size), not those that view or copy.

    Args:
        kind: one of `KINDS`.
        size: the sizes of the layer.
    """
    layer = build_layer(kind, size)
    with torch.no_grad():
        graph = make_fx(layer)(torch.zeros(size.n, size.d)).graph
    depths: dict[torch.fx.Node, int | None] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            depths[node] = 0
            continue
        before = [depth for each in node.all_input_nodes if (depth := depths[each]) is not None]
        # A chain starts at the input: masks and weights are there before it.
        depths[node] = max(before) + _step(node) if before else None
    return max(depth for depth in depths.values() if depth is not None)


def path_length(kind: str, size: Size, *, seed: int = 0) -> PathLength:
    """Measure the longest path of a kind of layer by gradients.

    Args:
        kind: one of `KINDS`.
        size: the sizes of the layers; the Jacobian has n² entries, each found from a gradient, so small ones do.
        seed: seed of the weights and the inputs.
    """
    connected: Reach = np.tri(size.n, dtype=bool) if KINDS[kind].looks_back else np.ones((size.n, size.n), dtype=bool)
    in_cells = KINDS[kind].step == "cell"
    found = _cell_steps(size, seed) if in_cells else _layer_steps(kind, size, connected, seed)
    layers = 1 if in_cells else found
    stack = [build_layer(kind, size, level=level, seed=seed + level) for level in range(layers)]
    whole, shorter = _reach(stack, size, seed), _reach(stack[:-1], size, seed)
    return PathLength(
        n=size.n,
        measured=found,
        predicted=KINDS[kind].longest_path(size),
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
            raise AssertionError(f"layers of the kind {kind!r} reach no further after {layers}")
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


def _reach(stack: Sequence[nn.Module], size: Size, seed: int) -> Reach:
    """Which outputs (rows) of a stack depend on which inputs (columns), by gradients in float64."""
    random = torch.Generator().manual_seed(seed)
    x_ND = torch.randn(size.n, size.d, dtype=torch.float64, generator=random, requires_grad=True)
    # In float64: in float32 a small gradient may round to 0, and a path would be missed.
    out_ND = nn.Sequential(*stack).double()(x_ND)
    # A random direction of the width: the sum over it might cancel out.
    weights_D = torch.randn(size.d, dtype=torch.float64, generator=random)
    rows_NN = torch.eye(size.n, dtype=torch.float64)
    (gradients_NND,) = torch.autograd.grad(out_ND @ weights_D, x_ND, rows_NN, is_grads_batched=True)
    reach: Reach = gradients_NND.ne(0).any(dim=2).numpy()
    return reach


def _step(node: torch.fx.Node) -> int:
    """1 for an operation that computes."""
    if node.op != "call_function":
        return 0
    name = getattr(node.target, "__name__", str(node.target)).split(".")[0]
    return int(name not in _MOVES)
