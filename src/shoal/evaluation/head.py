"""The head on completion positions only, block by block, so that the logits never exist as a whole; in float64 at ties.

For each position four values are computed: the logit of the target, the best other logit, the log of the normaliser,
and whether the target is the argmax. A block of rows meets a block of the vocabulary in a buffer that stays in the
cache; the target's logit is recorded and masked, then the maximum and the sum of exponentials of
the block are noted. Logits are compared in the dtype in which the model gives them; exponentials are summed in at least
float32 within a block and in float64 over blocks (the blockwise normaliser of Milakov and Gimelshein 2018, section 3).

The order of additions in a matrix product depends on the shape of the batch, so a float32 logit is known to a few
units in its last place only. A verdict that depends on less is one of the batch and not of the model. Such an item is
scored again with a float64 copy of the model, which is made once and only when needed. What is equal there is a tie;
in half precision, where rounding makes many logits equal, that is seldom so, and the float64 order decides.

Shapes: N positions, R positions in a block, S blocks of the vocabulary, C logits in a block, D hidden width.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import torch
from torch.overrides import TorchFunctionMode

from shoal.models import FactoredModel, factor_model

if TYPE_CHECKING:
    from shoal.models import LMHead


LogitBlock = Callable[["slice | torch.Tensor", int, int], torch.Tensor]
"""Gives the logits (R by C) of some positions and of the tokens from the first number to the second, in memory that may
be overwritten."""

# A block of 512 x 512 float32 logits is 1 MiB, which stays in a core's second-level cache between the product and the
# exponentials; a GPU needs larger ones to be busy.
_ROWS = 512
_COLUMNS = 512
_COLUMNS_ON_GPU = 8192
_LOG2_E = 1.4426950408889634
_LOWEST = -1e30
"""In place of minus infinity (a block whose only token is the target), so that no difference is NaN."""


@dataclass(frozen=True, slots=True)
class PositionScores:
    """The head at N positions; tensors of length N on the CPU."""

    target_N: torch.Tensor
    """The target's logit, float64."""

    best_other_N: torch.Tensor
    """The highest logit of all other tokens, float64."""

    log_normalizer_N: torch.Tensor
    """log Σ exp(logit), float64."""

    home_N: torch.Tensor
    """The first id of the block of the vocabulary in which the best other token lies, the lowest such block."""

    right_N: torch.Tensor
    """Whether the target is the argmax, the lowest id at a tie; bool. False where a logit is not a number."""


def score_positions(blocks: LogitBlock, target_N: torch.Tensor, vocabulary: int) -> PositionScores:
    """Run over all blocks of positions and of the vocabulary.

    Args:
        blocks: where the logits come from.
        target_N: ids of the target tokens, on the device of the logits; at least one.
        vocabulary: V.
    """
    parts = [
        _score_rows(blocks, target_N[top : top + _ROWS], top, vocabulary) for top in range(0, len(target_N), _ROWS)
    ]
    own_N, best_N, normalizer_N, home_N = (torch.cat(part) for part in zip(*parts, strict=True))
    right_N = own_N > best_N
    ties = (own_N == best_N).nonzero()[:, 0]
    if len(ties):
        # Blocks leave maxima without ids, since an argmax of every block costs more than making those of ties again.
        rivals = find_rivals(blocks, target_N, home_N, ties, vocabulary)
        right_N[ties] = target_N[ties] < rivals
    # An infinite logit compares like a number, but leaves no margin.
    right_N &= own_N.isfinite() & best_N.isfinite() & ~normalizer_N.isnan()
    return PositionScores(own_N.cpu(), best_N.cpu(), normalizer_N.cpu(), home_N.cpu(), right_N.cpu())


def find_rivals(
    blocks: LogitBlock, target_N: torch.Tensor, home_N: torch.Tensor, rows: torch.Tensor, vocabulary: int
) -> torch.Tensor:
    """For some of the positions, the lowest id among the best of the tokens that are not the target.

    Args:
        blocks: where the logits come from.
        target_N: ids of the target tokens.
        home_N: the first id of the block in which the best other token lies.
        rows: which of the N positions.
        vocabulary: V.

    Returns:
        Ids, one for each of the rows.
    """
    rivals = torch.empty_like(rows)
    for start in home_N[rows].unique().tolist():
        places = (home_N[rows] == start).nonzero()[:, 0]
        z_RC = blocks(rows[places], start, min(start + _columns(target_N.device), vocabulary))
        own_R = target_N[rows[places]] - start
        inside = ((own_R >= 0) & (own_R < z_RC.shape[1])).nonzero()[:, 0]
        z_RC[inside, own_R[inside]] = -torch.inf
        rivals[places] = (start + z_RC.argmax(1)).to(rivals.device)
    return rivals


def head_blocks(head: LMHead, hidden_ND: torch.Tensor) -> LogitBlock:
    """Logits of a head over hidden states, block by block.

    All blocks share one buffer: a block is overwritten by the next call.

    Args:
        head: weights (V by D), a bias where there is one, and what follows (scale, soft cap).
        hidden_ND: hidden states of N positions.
    """
    dtype = head.weight_VD.dtype
    buffer = torch.empty(0, dtype=dtype, device=hidden_ND.device)

    def block(rows: slice | torch.Tensor, start: int, stop: int) -> torch.Tensor:
        nonlocal buffer
        hidden_RD = hidden_ND[rows]
        # Not len(), which costs a tensor as much as a small operation.
        count = hidden_RD.shape[0]
        size = count * (stop - start)
        if buffer.numel() < size:
            buffer = torch.empty(size, dtype=dtype, device=hidden_ND.device)
        out_RC = buffer[:size].view(count, stop - start)
        weight_DC = head.weight_VD[start:stop].T
        if head.bias_V is None:
            torch.mm(hidden_RD, weight_DC, out=out_RC)
        else:
            torch.addmm(head.bias_V[start:stop], hidden_RD, weight_DC, out=out_RC)
        return _wide(head.finish_(out_RC))

    return block


def full_blocks(logits_NV: torch.Tensor) -> LogitBlock:
    """The same from logits that exist as a whole."""

    def block(rows: slice | torch.Tensor, start: int, stop: int) -> torch.Tensor:
        # The caller overwrites a block, and ties need the same logits again.
        return _wide(logits_NV[rows, start:stop].clone())

    return block


def _wide(logits: torch.Tensor) -> torch.Tensor:
    """Half precision as float32, which changes no comparison and lets exponentials be summed."""
    return logits.float() if logits.dtype.itemsize < 4 else logits


def _columns(device: torch.device) -> int:
    return _COLUMNS if device.type == "cpu" else _COLUMNS_ON_GPU


def _score_rows(blocks: LogitBlock, target_R: torch.Tensor, top: int, vocabulary: int) -> tuple[torch.Tensor, ...]:
    """One block of positions against the whole vocabulary: own, best other, normaliser, home."""
    columns, count = _columns(target_R.device), target_R.shape[0]
    starts = range(0, vocabulary, columns)
    # Sorted once, so that each block of the vocabulary finds its own targets without comparing them all.
    order_R = target_R.argsort()
    bounds = torch.arange(0, vocabulary + columns, columns, device=target_R.device)
    cuts = torch.searchsorted(target_R[order_R], bounds).tolist()
    own_R = torch.empty_like(target_R, dtype=torch.float64)
    best_SR, total_SR = (torch.empty(len(starts), count, device=target_R.device) for _ in range(2))
    for number, start in enumerate(starts):
        z_RC = blocks(slice(top, top + count), start, min(start + columns, vocabulary))
        # Only the first block shows in which dtype the logits come.
        if not number:
            best_SR, total_SR = best_SR.to(z_RC.dtype), total_SR.to(z_RC.dtype)
        if cuts[number] < cuts[number + 1]:
            rows = order_R[cuts[number] : cuts[number + 1]]
            places = target_R[rows] - start
            own_R[rows] = z_RC[rows, places].double()
            # The maximum is then that of the other tokens, and the target's exponential 0; `logaddexp` adds it at the
            # end.
            z_RC[rows, places] = -torch.inf
        torch.amax(z_RC, 1, out=best_SR[number])
        # exp2 takes a third of the time of exp, and the factor goes in with the shift.
        shift_R = best_SR[number].clamp_min(_LOWEST).mul_(-_LOG2_E)
        torch.add(shift_R[:, None], z_RC, alpha=_LOG2_E, out=z_RC).exp2_()
        torch.sum(z_RC, 1, out=total_SR[number])
    best_R, number_R = best_SR.max(0)
    others_SR = best_SR.double().clamp_min(_LOWEST) + total_SR.double().log()
    normalizer_R = torch.logaddexp(others_SR.logsumexp(0), own_R)
    return own_R, best_R.double(), normalizer_R, number_R * columns


# A float32 logit differs by a few units in the last place between batch shapes, more for wide models: 64 is on the safe
# side and costs nothing, as so close a decision is rare. A unit of half precision is coarse: with two of them one in
# five short completions of the bundled story model in bfloat16 would be read again, with one none.
_UNITS = 64.0
_UNITS_IN_HALF_PRECISION = 1.0
_FEW = 64
"""Positions whose float64 logits exist at a time, each as long as the vocabulary."""
_SAME = 1e-13
"""Of the largest logit: some hundred units of float64, by which logits that are equal by construction may differ."""


def near_ties(own_N: torch.Tensor, best_N: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Where the target's logit and the best other are closer than rounding can decide (bool, N).

    The tolerance is 64 units in the last place of the larger logit (or of 1) in float32 and one in half precision.

    Args:
        own_N: logits of the targets, float64.
        best_N: the highest logits of the other tokens, float64.
        dtype: of the model, in which the logits were computed.
    """
    units = _UNITS if dtype.itemsize >= 4 else _UNITS_IN_HALF_PRECISION
    scale_N = torch.maximum(own_N.abs(), best_N.abs()).clamp_min(1.0)
    return scale_N.isfinite() & ((own_N - best_N).abs() <= units * torch.finfo(dtype).eps * scale_N)


class Float64Scorer:
    """Scores one item at a time in float64."""

    def __init__(self, factored: FactoredModel) -> None:
        self._source = factored

    @cached_property
    def _factored(self) -> FactoredModel:
        if self._source.fast is not None:
            return factor_model(self._source.fast.to(dtype=torch.float64))
        model: Any = copy.deepcopy(self._source.model)
        if hasattr(model, "set_experts_implementation"):
            model.set_experts_implementation("eager")  # the grouped kernels know no float64
        with _Float64Throughout():
            # The source's lengths: they decide at which length a text is read, which must not differ between the two.
            return replace(factor_model(model.double()), lengths=self._source.lengths)

    def score(
        self, ids: list[int], where_N: torch.Tensor, target_N: torch.Tensor
    ) -> tuple[PositionScores, torch.Tensor]:
        """Score positions of one row.

        Args:
            ids: what the model reads.
            where_N: the positions whose logits are wanted.
            target_N: the id that is wanted at each.

        Returns:
            The scores, and the argmax at each position, the lowest id at a tie.
        """
        factored = self._factored
        with _Float64Throughout():
            ids_BL = torch.tensor([ids], device=factored.model.device)
            rows_ND = (factored.full_logits(ids_BL) if factored.head is None else factored.hidden(ids_BL))[0, where_N]
            parts = [
                _score_in_float64(rows if factored.head is None else factored.head.logits(rows), target)
                for rows, target in zip(rows_ND.split(_FEW), target_N.to(rows_ND.device).split(_FEW), strict=True)
            ]
        own_N, best_N, normalizer_N, greedy_N = (torch.cat(part).cpu() for part in zip(*parts, strict=True))
        right_N = (greedy_N == target_N) & own_N.isfinite() & ~normalizer_N.isnan()
        return PositionScores(own_N, best_N, normalizer_N, torch.zeros_like(target_N), right_N), greedy_N


def _score_in_float64(z_NV: torch.Tensor, target_N: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Own logit, best other, normaliser and argmax from whole rows; a difference below 1e-13 of their size is none."""
    own_N = z_NV.gather(1, target_N[:, None])[:, 0]
    normalizer_N = z_NV.logsumexp(1)
    # Equal rows of the head may be summed in another order at another place of a product, in float64 as well.
    slack_N = _SAME * z_NV.abs().amax(1)
    greedy_N = (z_NV >= (z_NV.amax(1) - slack_N)[:, None]).int().argmax(1)
    best_N = z_NV.scatter(1, target_N[:, None], -torch.inf).amax(1)
    best_N = torch.where((best_N - own_N).abs() <= slack_N, own_N, best_N)
    return own_N, best_N, normalizer_N, greedy_N


class _Float64Throughout(TorchFunctionMode):
    """Models ask for float32 by name in norms and rotary angles; within this they get float64 there too.

    It is also what tensors are made in that name no dtype.
    """

    def __enter__(self) -> Self:
        self._before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        super().__enter__()
        return self

    def __exit__(self, *fault: Any) -> None:
        super().__exit__(*fault)
        torch.set_default_dtype(self._before)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        # `x.float()` names float32 by its method and not by an argument, so that the exchange below would miss it.
        if func is torch.Tensor.float:
            return args[0].double()
        wide = [torch.float64 if value is torch.float32 else value for value in args]
        return func(*wide, **{k: torch.float64 if v is torch.float32 else v for k, v in (kwargs or {}).items()})
