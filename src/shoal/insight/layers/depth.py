"""Sequential operations: the longest chain of operations of which each needs the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from shoal.insight.layers.kinds import build_layer

if TYPE_CHECKING:
    from shoal.insight.layers.kinds import Size

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
"""Operations that compute nothing: they rename or move numbers."""


def graph_depth(kind: str, size: Size) -> int:
    """The longest chain of dependent operations between a layer's input and its output.

    The layer is run once and every operation of torch is written down; a chain counts those that compute (a matrix
    product is one, whatever its size), not those that view or copy.
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


def _step(node: torch.fx.Node) -> int:
    """1 for an operation that computes."""
    if node.op != "call_function":
        return 0
    name = getattr(node.target, "__name__", str(node.target)).split(".")[0]
    return int(name not in _MOVES)
