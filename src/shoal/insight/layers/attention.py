"""Naive attention compared with one fused kernel: equal results, other memory and time.

Shapes: B batch, H heads, N positions, E width of a head.

Source: Dao et al. (2022), "FlashAttention", arXiv:2205.14135, section 3 (the scores are never stored as a whole).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from shoal.errors import UsageError
from shoal.insight.layers.profiling import cpu_seconds, one_thread, peak_bytes
from shoal.insight.options import DEFAULTS
from shoal.statistics import Exponent, fit_exponent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas

    from shoal.insight.options import AnalysisOptions

    Inputs = Sequence[torch.Tensor]
    Attend = Callable[[Inputs, float], torch.Tensor]

_DROPOUT_DRAWS = 400
"""Masks that are drawn: enough for a bias of a tenth of a standard deviation to be two standard errors."""

_DROPOUT_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionCost:
    """The cost of one implementation in one use, over several lengths."""

    way: str
    """``naive`` or ``fused``."""

    use: str
    """``inference``: forward; ``training``: forward and backward; ``training with dropout``: with dropout on top."""

    lengths: tuple[int, ...]
    seconds: tuple[tuple[float, ...], ...]
    """CPU-seconds: the repeats at each length."""

    bytes: tuple[int, ...]
    """Peak memory, beyond the inputs."""

    time_exponent: Exponent
    memory_exponent: Exponent
    """Both exponents are in the length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionReport:
    """What `compare_attention` returns."""

    costs: tuple[AttentionCost, ...]
    forward_difference: float
    """The largest difference of an output between the two, float32, no dropout, over all lengths."""

    backward_difference: float
    """The same of a gradient."""

    reference_difference: float
    """The largest difference of a naive output from the same in float64: what rounding alone does."""

    dropout: float
    dropout_bias: dict[str, float]
    """By implementation, the distance of the mean over many dropout masks from the output without dropout, in standard
    errors (root mean square over the entries; about 1 where dropout is unbiased)."""

    heads: int
    width: int

    def __str__(self) -> str:
        lines = [f"attention, causal, {self.heads} heads of width {self.width}, float32"]
        for cost in self.costs:
            time, memory = cost.time_exponent, cost.memory_exponent
            spent, peak = 1e3 * median(cost.seconds[-1]), cost.bytes[-1] / 2**20
            lines.append(
                f"  {cost.way}, {cost.use:22}  at n={cost.lengths[-1]} {spent:8.1f} ms {peak:8.1f} MiB; "
                f"time n^{time.value:.2f} [{time.low:.2f}, {time.high:.2f}], memory n^{memory.value:.2f}"
            )
        lines.append(
            f"  outputs differ by at most {self.forward_difference:.1e}, gradients by {self.backward_difference:.1e} "
            f"(naive float32 from float64: {self.reference_difference:.1e})"
        )
        lines.append(
            f"  dropout {self.dropout}: the mean over masks is {self.dropout_bias['naive']:.2f} (naive) and "
            f"{self.dropout_bias['fused']:.2f} (fused) standard errors from the output without; about 1 is chance"
        )
        return "\n".join(lines)

    def to_frame(self) -> pandas.DataFrame:
        """A row per implementation, use and length: median CPU-seconds and peak bytes."""
        import pandas

        return pandas.DataFrame(
            [
                {"way": cost.way, "use": cost.use, "length": length, "seconds": median(seconds), "bytes": peak}
                for cost in self.costs
                for length, seconds, peak in zip(cost.lengths, cost.seconds, cost.bytes, strict=True)
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def naive_attention(inputs: Inputs, dropout: float = 0.0) -> torch.Tensor:
    """Compute ``dropout(softmax(mask(Q Kᵀ / √E))) V`` step by step, with a causal mask.

    Args:
        inputs: Q, K and V, B × H × N × E each.
        dropout: share of the weights that are dropped.

    Source: Vaswani et al. (2017), arXiv:1706.03762, eq. 1 and section 3.2.3.
    """
    q_BHNE, k_BHNE, v_BHNE = inputs
    length = q_BHNE.shape[-2]
    later_NN = torch.ones(length, length, dtype=torch.bool, device=q_BHNE.device).triu(1)
    scores_BHNN = q_BHNE @ k_BHNE.transpose(-2, -1) * q_BHNE.shape[-1] ** -0.5
    weights_BHNN = scores_BHNN.masked_fill(later_NN, float("-inf")).softmax(dim=-1)
    return functional.dropout(weights_BHNN, dropout, training=dropout > 0) @ v_BHNE


def fused_attention(inputs: Inputs, dropout: float = 0.0) -> torch.Tensor:
    """Compute the same by torch's own kernel.

    Args:
        inputs: Q, K and V, B × H × N × E each.
        dropout: share of the weights that are dropped.
    """
    q_BHNE, k_BHNE, v_BHNE = inputs
    return functional.scaled_dot_product_attention(q_BHNE, k_BHNE, v_BHNE, dropout_p=dropout, is_causal=True)


WAYS: dict[str, Attend] = {"naive": naive_attention, "fused": fused_attention}
USES = ("inference", "training", "training with dropout")


def compare_attention(
    lengths: Sequence[int] = (256, 512, 1024, 2048),
    *,
    heads: int = 2,
    width: int = 64,
    dropout: float = 0.1,
    repeats: int = 5,
    options: AnalysisOptions = DEFAULTS,
) -> AttentionReport:
    """Compare naive and fused attention, both causal, on one thread of the CPU.

    Args:
        lengths: numbers of positions, at least two different ones.
        heads: number of heads.
        width: width of a head.
        dropout: share of the weights that are dropped in the third use.
        repeats: samples of each time.
        options: level of the exponents' intervals; seed of the inputs, the order of the measurements and the bootstrap;
            progress callback.

    Raises:
        UsageError: dropout is not between 0 and 1, or there are fewer than two lengths.
    """
    if not 0 < dropout < 1:
        raise UsageError(f"dropout is a share between 0 and 1, not {dropout}; 0.1 is usual")
    if len(set(lengths)) < 2 or min(lengths) < 1:
        raise UsageError(f"attention is compared over at least two different lengths, not {list(lengths)}; give more")
    seed = options.seed
    inputs = {length: _inputs(heads, length, width, seed) for length in lengths}
    works = {
        (way, use, length): _work(attend, use, inputs[length], dropout)
        for way, attend in WAYS.items()
        for use in USES
        for length in lengths
    }
    # Dropout draws from torch's global generator, whose state is the caller's.
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        forward, backward, rounding = (max(each) for each in zip(*map(_differences, inputs.values()), strict=True))
        bias = {
            way: _dropout_bias(attend, _inputs(1, _DROPOUT_LENGTH, width, seed), dropout)
            for way, attend in WAYS.items()
        }
        seconds = cpu_seconds(works, repeats=repeats, name="times of attention", options=options)
        memory = {name: peak_bytes(work) for name, work in works.items()}
    costs = [
        _cost(
            way, use, lengths, [seconds[way, use, n] for n in lengths], [memory[way, use, n] for n in lengths], options
        )
        for way in WAYS
        for use in USES
    ]
    return AttentionReport(
        costs=tuple(costs),
        forward_difference=forward,
        backward_difference=backward,
        reference_difference=rounding,
        dropout=dropout,
        dropout_bias=bias,
        heads=heads,
        width=width,
    )


def _cost(
    way: str,
    use: str,
    lengths: Sequence[int],
    seconds: Sequence[tuple[float, ...]],
    memory: Sequence[int],
    options: AnalysisOptions,
) -> AttentionCost:
    """The costs of one implementation in one use, with their exponents."""
    return AttentionCost(
        way=way,
        use=use,
        lengths=tuple(lengths),
        seconds=tuple(seconds),
        bytes=tuple(memory),
        time_exponent=fit_exponent(lengths, seconds, confidence=options.confidence, seed=options.seed),
        # Peak memory is the same at every repeat, so that its exponent has no interval.
        memory_exponent=fit_exponent(lengths, [(float(size),) for size in memory]),
    )


def _inputs(heads: int, length: int, width: int, seed: int) -> Inputs:
    """Random queries, keys and values."""
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(1, heads, length, width, generator=random) for _ in range(3)]


def _work(attend: Attend, use: str, inputs: Inputs, dropout: float) -> Callable[[], object]:
    """The work of one pass in a use."""
    if use == "inference":

        def forward() -> object:
            with torch.inference_mode():
                return attend(inputs, 0.0)

        return forward
    # Leaves of their own: inputs are shared by all works, and gradients must not build up in them.
    leaves = [each.clone().requires_grad_() for each in inputs]
    share = dropout if use == "training with dropout" else 0.0
    return lambda: torch.autograd.grad(attend(leaves, share).sum(), leaves)


def _differences(inputs: Inputs) -> tuple[float, float, float]:
    """The largest difference of outputs, of gradients, and of the naive outputs from those in float64."""
    outputs, gradients = [], []
    for attend in WAYS.values():
        leaves = [each.clone().requires_grad_() for each in inputs]
        output = attend(leaves, 0.0)
        outputs.append(output.detach())
        # Of squares, so that every entry of the output has a gradient of its own.
        gradients.append(torch.autograd.grad(output.square().sum(), leaves))
    exact = naive_attention([each.double() for each in inputs])
    apart = [float((one - other).abs().max()) for one, other in zip(*gradients, strict=True)]
    return float((outputs[0] - outputs[1]).abs().max()), max(apart), float((outputs[0] - exact).abs().max())


def _dropout_bias(attend: Attend, inputs: Inputs, dropout: float) -> float:
    """The distance of the mean over dropout masks from the output without dropout, in standard errors."""
    with torch.inference_mode():
        drawn = torch.stack([attend(inputs, dropout) for _ in range(_DROPOUT_DRAWS)]).double()
        error = drawn.std(dim=0) / _DROPOUT_DRAWS**0.5
        distances = (drawn.mean(dim=0) - attend(inputs, 0.0).double()) / error
    return float(distances.square().mean().sqrt())
