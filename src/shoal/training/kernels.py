"""What stands between the matrix products of a Llama, each in one pass over memory; compiled by Numba, for CPUs.

Between two products a framework runs half a dozen operations, each of which reads and writes whole activations. Here
the rows of an activation are taken one at a time, while they are in the nearest cache. All arithmetic is in float32.
A number that is not one stays one, so that the loss shows it.

Every kernel works on the rows from ``start`` to ``stop``; `over_rows` divides them among as many threads as torch has.

`Workspace` is the memory that they write to, reused from step to step. Fresh memory is costly: the system clears each
page at its first touch, which for a small model costs about as much as the arithmetic on it. So pieces are cut from
slabs that stay, and given back in the reverse order, as on a stack. Slabs are added and never replaced, so that batches
of another size touch no page for the first time.

Shapes: T tokens, D hidden width, F inner width, C columns of query, key and value, Q queries of a block, J its keys,
H heads, V vocabulary.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

# Of fast math, only what keeps NaN and infinity as they are: a loss that is not a number must show.
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
_MIN_ROWS = 64
"""Rows that are worth a thread."""

_LOG2_E = np.float32(1.44269504)
# The logarithm of 2 in two parts: the first has few bits, so that its product with a whole number is exact.
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_MIN_EXPONENT = np.float32(-87.0)

_ALIGNED = 16
"""Floats in a line of the cache."""

_SLAB = 2**24
"""Floats in a slab, 64 MB; what is never touched of it costs nothing. A larger piece has a slab of its own."""


class Mark(NamedTuple):
    """A height of the stack."""

    slab: int
    used: int


class Workspace:
    """A stack of float32 tensors."""

    def __init__(self) -> None:
        self._slabs: list[torch.Tensor] = []
        self._top = Mark(0, 0)

    def begin(self) -> None:
        """Take all pieces back."""
        self._top = Mark(0, 0)

    def take(self, *shape: int) -> torch.Tensor:
        """A tensor of this shape with anything in it."""
        size = math.prod(shape)
        slab, start = self._place(-(-size // _ALIGNED) * _ALIGNED)
        return self._slabs[slab][start : start + size].view(shape)

    def mark(self) -> Mark:
        """The height of the stack, for `release`."""
        return self._top

    def release(self, mark: Mark) -> None:
        """Take back all pieces that were given since the mark."""
        self._top = mark

    def _place(self, room: int) -> Mark:
        """Where a piece begins: on top of the stack, or in the next slab that has room for it."""
        slab, start = self._top
        while slab < len(self._slabs) and start + room > len(self._slabs[slab]):
            slab, start = slab + 1, 0
        if slab == len(self._slabs):
            # Not zeroed: zeroing would touch every page, which is what slabs avoid.
            self._slabs.append(torch.empty(max(room, _SLAB)))
        self._top = Mark(slab, start + room)
        return Mark(slab, start)


def over_rows(kernel: Callable[..., None], rows: int, *arguments: Any) -> None:
    """Run a kernel on all rows, in parts of about equal size where there are several threads.

    Args:
        kernel: takes the first row, the last row and the arguments.
        rows: how many there are.
        arguments: tensors, passed on as arrays without a copy, and plain values.
    """
    parts = max(1, min(torch.get_num_threads(), rows // _MIN_ROWS))
    given = [item.numpy() if isinstance(item, torch.Tensor) else item for item in arguments]
    if parts == 1:
        kernel(0, rows, *given)
        return
    edges = [rows * part // parts for part in range(parts + 1)]
    # Threads, not processes: the kernels release the GIL (nogil).
    waits = [_pool(parts).submit(kernel, start, stop, *given) for start, stop in pairwise(edges)]
    for wait in waits:
        # Reading the result raises what a kernel raised.
        wait.result()


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


@_compiled
def _exp(x: Any) -> Any:
    """The exponential of a float32 that is at most 88, in operations that vectorise; below -87 it is that of -87.

    As in Cephes: a power of two times a polynomial on half a doubling, to two units in the last place.
    """
    x = _MIN_EXPONENT if x < _MIN_EXPONENT else x
    whole = np.floor(x * _LOG2_E + np.float32(0.5))
    rest = x - whole * _LN2_HIGH - whole * _LN2_LOW
    series = np.float32(1.9875691500e-4)
    series = series * rest + np.float32(1.3981999507e-3)
    series = series * rest + np.float32(8.3334519073e-3)
    series = series * rest + np.float32(4.1665795894e-2)
    series = series * rest + np.float32(1.6666665459e-1)
    series = series * rest + np.float32(5.0000001201e-1)
    value = series * rest * rest + rest + np.float32(1.0)
    # The power of two is put together from its exponent bits (bias 127, 23 bits of mantissa).
    return value * np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)


@_compiled
def _largest(row: Any) -> Any:
    """The largest number of a row, compared as integers in the order of floats, which vectorises; NaN above all."""
    bits = row.view(np.int32)
    largest = np.int32(-(2**31))
    for j in range(len(bits)):
        # Negative floats order the other way round as integers, so all their bits but the sign are flipped.
        largest = max(largest, np.int32(bits[j] ^ ((bits[j] >> 31) & np.int32(0x7FFFFFFF))))
    return np.int32(largest ^ ((largest >> 31) & np.int32(0x7FFFFFFF))).view(np.float32)


@_compiled
def norm_forward(start: int, stop: int, x_TD: Any, gain_D: Any, epsilon: float, out_TD: Any, scale_T: Any) -> None:
    """Each row over its root mean square, times the gain (Zhang and Sennrich 2019, arXiv:1910.07467, equation 4).

    Args:
        start: first row.
        stop: the row after the last.
        x_TD: input.
        gain_D: gain.
        epsilon: added to the mean square.
        out_TD: gets the result.
        scale_T: gets one over each row's root mean square, for `norm_backward`.
    """
    width = x_TD.shape[1]
    for t in range(start, stop):
        squares = np.float32(0.0)
        for d in range(width):
            squares += x_TD[t, d] * x_TD[t, d]
        scale = np.float32(1.0 / math.sqrt(squares / width + epsilon))
        scale_T[t] = scale
        for d in range(width):
            out_TD[t, d] = x_TD[t, d] * scale * gain_D[d]


@_compiled
def norm_backward(start: int, stop: int, x_TD: Any, scale_T: Any, gain_D: Any, by_out_TD: Any, grad_TD: Any) -> None:
    """Add what comes through a norm to its input's gradient; ``by_out_TD`` becomes each row's gradient of the gain.

    Args:
        start: first row.
        stop: the row after the last.
        x_TD: input of the forward pass.
        scale_T: from `norm_forward`.
        gain_D: gain.
        by_out_TD: gradient of the output; overwritten.
        grad_TD: gradient of the input, added to.
    """
    width = x_TD.shape[1]
    for t in range(start, stop):
        scale = scale_T[t]
        along = np.float32(0.0)
        for d in range(width):
            along += by_out_TD[t, d] * gain_D[d] * x_TD[t, d]
        along *= scale * scale / np.float32(width)
        for d in range(width):
            by_out = by_out_TD[t, d]
            grad_TD[t, d] += scale * (by_out * gain_D[d] - x_TD[t, d] * along)
            by_out_TD[t, d] = by_out * x_TD[t, d] * scale


@_compiled
def gate_forward(start: int, stop: int, gate_up_TE: Any, out_TF: Any) -> None:
    """The gated layer's inner row: silu(gate) · up (Shazeer 2020, arXiv:2002.05202, equation 6).

    Args:
        start: first row.
        stop: the row after the last.
        gate_up_TE: gate and up side by side (E = 2F).
        out_TF: gets the result.
    """
    inner = out_TF.shape[1]
    for t in range(start, stop):
        gate_F, up_F, out_F = gate_up_TE[t, :inner], gate_up_TE[t, inner:], out_TF[t]
        for f in range(inner):
            gate = gate_F[f]
            negative = -gate if -gate < np.float32(87.0) else np.float32(87.0)
            out_F[f] = gate / (np.float32(1.0) + _exp(negative)) * up_F[f]


@_compiled
def gate_backward(start: int, stop: int, gate_up_TE: Any, by_inner_TF: Any) -> None:
    """Backward pass of the gated layer, in place: ``gate_up_TE`` becomes its own gradient.

    Args:
        start: first row.
        stop: the row after the last.
        gate_up_TE: gate and up side by side (E = 2F), as in the forward pass; overwritten.
        by_inner_TF: gradient of the inner row.
    """
    inner = by_inner_TF.shape[1]
    one = np.float32(1.0)
    for t in range(start, stop):
        gate_F, up_F, by_F = gate_up_TE[t, :inner], gate_up_TE[t, inner:], by_inner_TF[t]
        for f in range(inner):
            gate = gate_F[f]
            negative = -gate if -gate < np.float32(87.0) else np.float32(87.0)
            share = one / (one + _exp(negative))
            gate_F[f] = by_F[f] * up_F[f] * share * (one + gate * (one - share))
            up_F[f] = by_F[f] * gate * share


@_compiled
def rotate(
    start: int, stop: int, columns_TC: Any, cos_PK: Any, sin_PK: Any, places_T: Any, heads: int, turn: float
) -> None:
    """Rotate the first heads of each row in place (Su et al. 2021, arXiv:2104.09864, eq. 12); ``turn`` is 1 or -1.

    Args:
        start: first row.
        stop: the row after the last.
        columns_TC: queries, keys and values; overwritten.
        cos_PK: cosines by position; here K is half the width of a head.
        sin_PK: sines likewise.
        places_T: position of each row.
        heads: how many heads are rotated, queries and keys.
        turn: 1 forward, -1 for the gradient, which is rotated back.
    """
    half = cos_PK.shape[1]
    sign = np.float32(turn)
    for t in range(start, stop):
        cos_K, sin_K = cos_PK[places_T[t]], sin_PK[places_T[t]]
        for head in range(heads):
            first = columns_TC[t, 2 * half * head : 2 * half * head + half]
            second = columns_TC[t, 2 * half * head + half : 2 * half * (head + 1)]
            for k in range(half):
                one, other, sine = first[k], second[k], sign * sin_K[k]
                first[k] = one * cos_K[k] - other * sine
                second[k] = other * cos_K[k] + one * sine


@_compiled
def attention_weights(start: int, stop: int, scores_RJ: Any, scale: float, first_Q: Any, place: int) -> None:
    """Softmax of each query's scores over the keys that it sees, in place; the others get 0.

    Row r is query r modulo Q of a head; it sees the keys from ``first_Q`` to its own, which is ``place`` further on.

    Args:
        start: first row.
        stop: the row after the last.
        scores_RJ: scores of all heads, H · Q rows; overwritten.
        scale: multiplies the scores.
        first_Q: first key of each query.
        place: key of the first query.
    """
    queries = len(first_Q)
    factor = np.float32(scale)
    for row in range(start, stop):
        low, high = first_Q[row % queries], place + row % queries + 1
        seen = scores_RJ[row, low:high]
        largest = _largest(seen)
        total = np.float32(0.0)
        for j in range(len(seen)):
            weight = _exp((seen[j] - largest) * factor)
            seen[j] = weight
            total += weight
        over = np.float32(1.0) / total
        for j in range(len(seen)):
            seen[j] *= over
        scores_RJ[row, :low] = np.float32(0.0)
        scores_RJ[row, high:] = np.float32(0.0)


@_compiled
def attention_weights_backward(
    start: int, stop: int, weights_RJ: Any, by_weight_RJ: Any, scale: float, first_Q: Any, place: int
) -> None:
    """Turn the gradient of the weights into that of the scores, in place.

    Args:
        start: first row.
        stop: the row after the last.
        weights_RJ: from `attention_weights`.
        by_weight_RJ: gradient of the weights; overwritten.
        scale: as in `attention_weights`.
        first_Q: as in `attention_weights`.
        place: as in `attention_weights`.
    """
    queries = len(first_Q)
    factor = np.float32(scale)
    for row in range(start, stop):
        low, high = first_Q[row % queries], place + row % queries + 1
        weights, by_weight = weights_RJ[row, low:high], by_weight_RJ[row, low:high]
        along = np.float32(0.0)
        for j in range(len(weights)):
            along += weights[j] * by_weight[j]
        for j in range(len(weights)):
            by_weight[j] = weights[j] * (by_weight[j] - along) * factor
        by_weight_RJ[row, :low] = np.float32(0.0)
        by_weight_RJ[row, high:] = np.float32(0.0)


@_compiled
def cross_entropy(start: int, stop: int, logits_CV: Any, targets_C: Any, denominator: float, losses_C: Any) -> None:
    """The loss of each row; the logits become their own gradient, divided by ``denominator``.

    Args:
        start: first row.
        stop: the row after the last.
        logits_CV: here C counts the positions of a chunk; overwritten.
        targets_C: token ids.
        denominator: divides the gradient, not the losses.
        losses_C: gets the losses in nats.
    """
    vocabulary = logits_CV.shape[1]
    for row in range(start, stop):
        logits = logits_CV[row]
        largest = _largest(logits)
        aim = logits[targets_C[row]]
        total = np.float32(0.0)
        for v in range(vocabulary):
            weight = _exp(logits[v] - largest)
            logits[v] = weight
            total += weight
        # Not as the logarithm of the target's own weight, which `_exp` cuts off at that of -87.
        losses_C[row] = np.float32(math.log(total)) + largest - aim
        # One division per row and a product per entry: a division takes several times as long.
        over = np.float32(1.0 / (total * denominator))
        for v in range(vocabulary):
            logits[v] *= over
        logits[targets_C[row]] -= np.float32(1.0 / denominator)


@_compiled
def smoothed_cross_entropy(
    start: int, stop: int, logits_CV: Any, targets_C: Any, smoothing: float, denominator: float, losses_C: Any
) -> None:
    """`cross_entropy` with label smoothing (Szegedy et al. 2016, arXiv:1512.00567, section 7).

    The target keeps 1 - smoothing, and each entry of the vocabulary gets smoothing / V of it.

    Args:
        start: first row.
        stop: the row after the last.
        logits_CV: overwritten by their own gradient.
        targets_C: token ids.
        smoothing: the share of the target that is spread.
        denominator: divides the gradient, not the losses.
        losses_C: gets the losses in nats, of the smoothed targets.
    """
    vocabulary = logits_CV.shape[1]
    share = np.float32(smoothing / vocabulary / denominator)
    for row in range(start, stop):
        logits = logits_CV[row]
        aim = logits[targets_C[row]]
        total = np.float32(0.0)
        for v in range(vocabulary):
            total += logits[v]
        # A row at a time, so that the kernel finds it in the nearest cache.
        cross_entropy(row, row + 1, logits_CV, targets_C, denominator, losses_C)
        losses_C[row] += np.float32(smoothing) * (aim - total / np.float32(vocabulary))
        for v in range(vocabulary):
            logits[v] -= share
        logits[targets_C[row]] += np.float32(smoothing / denominator)
