"""The kinds of layer that "Attention Is All You Need" compares, each as a real layer from n vectors to n vectors.

A kind is one class: its forward pass, its row in table 1 of the paper, its exact longest path and its colour in charts.
A class with a ``kind`` registers itself.

Shapes: N positions, D width, K kernel size, R positions in a window, S positions per block, C blocks.

Source: Vaswani et al. (2017), "Attention Is All You Need", arXiv:1706.03762, section 4, table 1 and the text below it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn
from torch.nn import functional

from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The sizes of a layer."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Theory:
    """One row of table 1 of the paper, as it is printed and as numbers."""

    complexity: str
    """Operations per layer, as the paper writes it."""

    sequential: str
    """Operations that depend on each other, one after the other."""

    path: str
    """The longest path between two positions."""

    operations: Mapping[str, int]
    """The exponent of each size in the operations."""

    memory: Mapping[str, int]
    """The exponent of the length in the peak memory (the paper does not give it)."""

    depth: int
    """The exponent of the length in the sequential operations."""


class LayerKind(nn.Module, ABC):
    """The base of all kinds.

    Args:
        size: the sizes of the layer.
        level: its place in a stack (from 0), which sets the dilation of a dilated convolution.
    """

    kind: ClassVar[str]
    theory: ClassVar[Theory]

    colour: ClassVar[int]
    """Number of its series in charts; a kind with projections has the colour of the one without."""

    looks_back: ClassVar[bool] = False
    """Whether an output sees its own position and those before it alone; otherwise it sees both sides."""

    step: ClassVar[str] = "layer"
    """What a path is counted in: a layer, or a cell of a recurrent layer."""

    projections: ClassVar[bool] = False
    """Whether it has the four matrices (query, key, value, output) of a real attention layer."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" in vars(cls):
            KINDS[cls.kind] = cls

    @abstractmethod
    def __init__(self, size: Size, *, level: int = 0) -> None:
        super().__init__()

    @classmethod
    @abstractmethod
    def longest_path(cls, size: Size) -> int:
        """The exact longest path between two positions that are connected at all, in steps.

        Args:
            size: the sizes of the layers.
        """


KINDS: dict[str, type[LayerKind]] = {}
"""By name; attention is there alone, as the paper counts it, and with the projections of a real layer."""


def build_layer(kind: str, size: Size, *, level: int = 0, seed: int = 0) -> LayerKind:
    """Build one layer with random weights.

    Args:
        kind: one of `KINDS`.
        size: the sizes of the layer.
        level: its place in a stack (from 0), which sets the dilation of a kernel: K to the power of the level.
        seed: draws the weights; the random state of the program is left as it was.

    Raises:
        UnknownNameError: another kind.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of layer", kind, KINDS)
    # The caller's own random numbers go on as if no layer had been built.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return KINDS[kind](size, level=level)


class SelfAttention(LayerKind):
    """Every position attends to every other: ``softmax(Q Kᵀ / √d) V``, with the scores written out."""

    kind = "self-attention"
    theory = Theory(
        complexity="O(n² · d)",
        sequential="O(1)",
        path="O(1)",
        operations={"n": 2, "d": 1},
        memory={"n": 2},
        depth=0,
    )
    colour = 0

    def __init__(self, size: Size, *, level: int = 0) -> None:
        super().__init__(size, level=level)
        self.weights = _projection_weights(size.d) if self.projections else None

    @classmethod
    def longest_path(cls, size: Size) -> int:  # noqa: ARG003 - the same for every size
        """One layer connects all."""
        return 1

    def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
        """N × D to N × D."""
        if self.weights is None:
            return self.attend(x_ND, x_ND, x_ND)
        query, key, value, output = self.weights
        out_ND: torch.Tensor = self.attend(x_ND @ query, x_ND @ key, x_ND @ value) @ output
        return out_ND

    def attend(self, q_ND: torch.Tensor, k_ND: torch.Tensor, v_ND: torch.Tensor) -> torch.Tensor:
        """Attention without projections, N × D.

        Args:
            q_ND: queries.
            k_ND: keys.
            v_ND: values.
        """
        # The queries are scaled and not the scores: N × D numbers in place of N × N.
        return torch.softmax((q_ND * q_ND.shape[1] ** -0.5) @ k_ND.T, dim=-1) @ v_ND


class ProjectedSelfAttention(SelfAttention):
    """Self-attention with its four projections."""

    kind = "self-attention with projections"
    projections = True


class Recurrent(LayerKind):
    """Each state from the one before it: ``h_t = tanh(x_t W + h_{t-1} U)``."""

    kind = "recurrent"
    theory = Theory(
        complexity="O(n · d²)",
        sequential="O(n)",
        path="O(n)",
        operations={"n": 1, "d": 2},
        memory={"n": 1},
        depth=1,
    )
    colour = 1
    looks_back = True
    step = "cell"

    def __init__(self, size: Size, *, level: int = 0) -> None:
        super().__init__(size, level=level)
        self.inward = _matrix(size.d, size.d)
        self.onward = _matrix(size.d, size.d)

    @classmethod
    def longest_path(cls, size: Size) -> int:
        """The first position is read by one cell and carried through n of them."""
        return size.n

    def cell(self, read_1D: torch.Tensor, state_1D: torch.Tensor) -> torch.Tensor:
        """The next state.

        Args:
            read_1D: the input, already times W.
            state_1D: the state before.
        """
        return torch.tanh(torch.addmm(read_1D, state_1D, self.onward))

    def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
        """N × D to N × D."""
        state_1D, states = x_ND.new_zeros(1, x_ND.shape[1]), []
        # All inputs in one product before the loop: what is left in it is what must be sequential.
        for read_1D in (x_ND @ self.inward).split(1):
            state_1D = self.cell(read_1D, state_1D)
            states.append(state_1D)
        return torch.cat(states)


class Convolution(LayerKind):
    """A kernel of K positions over all channels, its own position in the middle."""

    kind = "convolution"
    theory = Theory(
        complexity="O(k · n · d²)",
        sequential="O(1)",
        path="O(n / k)",
        operations={"n": 1, "d": 2, "k": 1},
        memory={"n": 1},
        depth=0,
    )
    colour = 2

    def __init__(self, size: Size, *, level: int = 0) -> None:
        super().__init__(size, level=level)
        self.kernel = _matrix(size.d, size.d, size.k)

    @classmethod
    def longest_path(cls, size: Size) -> int:
        """A layer reaches (k - 1) / 2 positions to each side."""
        return _path_of_window(size.n, size.k)

    def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
        """N × D to N × D."""
        return functional.conv1d(x_ND.T[None], self.kernel, padding=self.kernel.shape[2] // 2)[0].T


class DilatedConvolution(LayerKind):
    """A dilated kernel of K positions that looks back: at its own position and at K - 1 before it.

    Dilations of 1, K, K², ... up a stack read a distance as its digits to the base K, so that L layers see K^L
    positions.
    """

    kind = "dilated convolution"
    theory = Theory(
        complexity="O(k · n · d²)",
        sequential="O(1)",
        path="O(log_k(n))",
        operations={"n": 1, "d": 2, "k": 1},
        memory={"n": 1},
        depth=0,
    )
    colour = 3
    looks_back = True

    def __init__(self, size: Size, *, level: int = 0) -> None:
        super().__init__(size, level=level)
        self.kernel = _matrix(size.d, size.d, size.k)
        self.dilation = size.k**level

    @classmethod
    def longest_path(cls, size: Size) -> int:
        """The smallest L with k^L ≥ n, and at least 1; in whole numbers, since a logarithm may round the wrong way."""
        layers = 1
        while size.k**layers < size.n:
            layers += 1
        return layers

    def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
        """N × D to N × D."""
        before = self.dilation * (self.kernel.shape[2] - 1)
        padded_1DM = functional.pad(x_ND.T[None], (before, 0))
        return functional.conv1d(padded_1DM, self.kernel, dilation=self.dilation)[0].T


class RestrictedAttention(SelfAttention):
    """Every position attends to the R around it, in blocks: S = R queries see S + R - 1 keys, and a band is used.

    Blocks make matrix products of what would be N products of a vector, at about twice the operations; the cost stays
    O(n r d).
    """

    kind = "restricted self-attention"
    theory = Theory(
        complexity="O(r · n · d)",
        sequential="O(1)",
        path="O(n / r)",
        operations={"n": 1, "d": 1, "r": 1},
        memory={"n": 1},
        depth=0,
    )
    colour = 4

    def __init__(self, size: Size, *, level: int = 0) -> None:
        super().__init__(size, level=level)
        self.window = size.r

    @classmethod
    def longest_path(cls, size: Size) -> int:
        """A layer reaches (r - 1) / 2 positions to each side."""
        return _path_of_window(size.n, size.r)

    def attend(self, q_ND: torch.Tensor, k_ND: torch.Tensor, v_ND: torch.Tensor) -> torch.Tensor:
        """Attention without projections, N × D.

        Args:
            q_ND: queries.
            k_ND: keys.
            v_ND: values.
        """
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


class ProjectedRestrictedAttention(RestrictedAttention):
    """Restricted self-attention with its four projections."""

    kind = "restricted with projections"
    projections = True


def _path_of_window(positions: int, window: int) -> int:
    """Layers that cross n - 1 positions by half a window each."""
    return max(1, -(-(positions - 1) // (window // 2)))


def _projection_weights(width: int) -> nn.ParameterList:
    return nn.ParameterList([_matrix(width, width) for _ in range(4)])


def _matrix(*shape: int) -> nn.Parameter:
    """Random weights that preserve the variance of their input."""
    inputs = shape[0] if len(shape) == 2 else shape[1] * shape[2]
    return nn.Parameter(torch.randn(*shape) * inputs**-0.5)
