"""The four kinds of layer that "Attention is all you need" compares, each as a real layer from n vectors to n vectors.

Shapes: N positions, D width, K kernel size, R positions in a window, S positions a block, C blocks.

Source: Vaswani et al. (2017), "Attention Is All You Need", arXiv:1706.03762, section 4 and table 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a layer is."""

    n: int = 1024
    """Positions."""

    d: int = 128
    """Width of the vectors."""

    k: int = 3
    """Positions that a kernel covers, odd."""

    r: int = 65
    """Positions that restricted attention sees, its own in the middle, odd."""

    def __post_init__(self) -> None:
        if min(self.n, self.d, self.k, self.r) < 1:
            raise UsageError(f"sizes of a layer are at least 1, not n={self.n}, d={self.d}, k={self.k}, r={self.r}")
        for name, value in (("k", self.k), ("r", self.r)):
            if value % 2 == 0 or value < 3:
                raise UsageError(
                    f"{name} is odd and at least 3, so that it has a middle; {value} is not: try {value + 1}"
                )


class SelfAttention(nn.Module):
    """Every position looks at every other: ``softmax(Q Kᵀ / √d) V``, scores written out."""

    def __init__(self, size: Size, *, projections: bool) -> None:
        super().__init__()
        self.weights = _projections(size.d) if projections else None

    def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
        """N × D to N × D."""
        return _projected(self.weights, x_ND, _attend)


class RestrictedAttention(nn.Module):
    """Every position looks at the R around it, in blocks: S = R positions ask S + R - 1 others, and a band is kept.

    Blocks make matrix products of what would be N products of a vector, at about twice the operations; the cost stays
    O(n r d).
    """

    def __init__(self, size: Size, *, projections: bool) -> None:
        super().__init__()
        self.weights = _projections(size.d) if projections else None
        self.window = size.r

    def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
        """N × D to N × D."""
        return _projected(self.weights, x_ND, self._attend)

    def _attend(self, q_ND: torch.Tensor, k_ND: torch.Tensor, v_ND: torch.Tensor) -> torch.Tensor:
        positions, width = q_ND.shape
        block, half = self.window, self.window // 2
        blocks = -(-positions // block)
        q_CSD = functional.pad(q_ND, (0, 0, 0, blocks * block - positions)).view(blocks, block, width)
        span = block + 2 * half
        around = (0, 0, half, blocks * block - positions + half)
        k_CDT, v_CDT = (functional.pad(each, around).unfold(0, span, block) for each in (k_ND, v_ND))
        scores_CST = (q_CSD * width**-0.5) @ k_CDT
        # The lowest number and not minus infinity: a row that only fills its block up has nothing to see.
        lowest = torch.finfo(scores_CST.dtype).min
        own_S1 = torch.arange(half, half + block, device=q_ND.device)[:, None]
        seen_T = torch.arange(span, device=q_ND.device)
        places_C1T = torch.arange(blocks, device=q_ND.device)[:, None, None] * block - half + seen_T
        scores_CST.masked_fill_((seen_T - own_S1).abs() > half, lowest)
        scores_CST.masked_fill_((places_C1T < 0) | (places_C1T >= positions), lowest)
        mixed_CSD = scores_CST.softmax(dim=-1) @ v_CDT.transpose(1, 2)
        out_ND: torch.Tensor = mixed_CSD.reshape(blocks * block, width)[:positions]
        return out_ND


class Recurrent(nn.Module):
    """Each state from the one before it: ``h_t = tanh(x_t W + h_{t-1} U)``."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.inward = _matrix(size.d, size.d)
        self.onward = _matrix(size.d, size.d)

    def cell(self, read_1D: torch.Tensor, state_1D: torch.Tensor) -> torch.Tensor:
        """The next state, from what is read (already times W) and the state before."""
        return torch.tanh(torch.addmm(read_1D, state_1D, self.onward))

    def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
        """N × D to N × D."""
        state_1D, states = x_ND.new_zeros(1, x_ND.shape[1]), []
        for read_1D in (x_ND @ self.inward).split(1):
            state_1D = self.cell(read_1D, state_1D)
            states.append(state_1D)
        return torch.cat(states)


class Convolution(nn.Module):
    """A kernel of K positions over all channels, its own position in the middle."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.kernel = _matrix(size.d, size.d, size.k)

    def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
        """N × D to N × D."""
        return functional.conv1d(x_ND.T[None], self.kernel, padding=self.kernel.shape[2] // 2)[0].T


class DilatedConvolution(nn.Module):
    """A kernel of K positions with gaps that looks back: at its own position and at K - 1 before it.

    Gaps of 1, K, K², ... up a stack read a distance as its digits to the base K, so that L layers see K^L positions.
    """

    def __init__(self, size: Size, *, level: int) -> None:
        super().__init__()
        self.kernel = _matrix(size.d, size.d, size.k)
        self.gap = size.k**level

    def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
        """N × D to N × D."""
        before = self.gap * (self.kernel.shape[2] - 1)
        padded_1DM = functional.pad(x_ND.T[None], (before, 0))
        return functional.conv1d(padded_1DM, self.kernel, dilation=self.gap)[0].T


def build_layer(kind: str, size: Size, *, level: int = 0, seed: int = 0) -> nn.Module:
    """One layer of a kind, with random weights.

    Args:
        kind: one of `KINDS`.
        size: how large it is.
        level: its place in a stack (from 0), which sets the gaps of a dilated kernel: K to the power of the level.
        seed: draws the weights; the random state of the program is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return KINDS[kind](size, level)


LOOK_BACK = frozenset({"recurrent", "dilated convolution"})
"""Kinds whose outputs see their own position and those before it; the others see both sides."""

KINDS: dict[str, Callable[[Size, int], nn.Module]] = {
    "self-attention": lambda size, _: SelfAttention(size, projections=False),
    "self-attention with projections": lambda size, _: SelfAttention(size, projections=True),
    "recurrent": lambda size, _: Recurrent(size),
    "convolution": lambda size, _: Convolution(size),
    "dilated convolution": lambda size, level: DilatedConvolution(size, level=level),
    "restricted self-attention": lambda size, _: RestrictedAttention(size, projections=False),
    "restricted with projections": lambda size, _: RestrictedAttention(size, projections=True),
}
"""Attention alone, as the paper counts it, and with the four matrices (query, key, value, output) of a real layer."""


def _attend(q_ND: torch.Tensor, k_ND: torch.Tensor, v_ND: torch.Tensor) -> torch.Tensor:
    return torch.softmax((q_ND * q_ND.shape[1] ** -0.5) @ k_ND.T, dim=-1) @ v_ND


def _projected(
    weights: nn.ParameterList | None,
    x_ND: torch.Tensor,
    attend: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Attention between the projections in and out; without weights, every one of them is the identity."""
    if weights is None:
        return attend(x_ND, x_ND, x_ND)
    query, key, value, output = weights
    out_ND: torch.Tensor = attend(x_ND @ query, x_ND @ key, x_ND @ value) @ output
    return out_ND


def _projections(width: int) -> nn.ParameterList:
    return nn.ParameterList([_matrix(width, width) for _ in range(4)])


def _matrix(*shape: int) -> nn.Parameter:
    """Weights that keep the size of what they are given."""
    inputs = shape[0] if len(shape) == 2 else shape[1] * shape[2]
    return nn.Parameter(torch.randn(*shape) * inputs**-0.5)
