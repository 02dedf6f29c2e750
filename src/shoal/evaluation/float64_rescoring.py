"""Positions where two logits are closer than rounding, decided in float64 with the item alone.

The order of additions in a matrix product depends on the shape of the batch, so a float32 logit is known to a few
units in its last place only. A verdict that depends on less is one of the batch and not of the model. Such an item is
scored again with a float64 copy of the model, which is made once and only when needed. What is equal there is a tie;
in half precision, where rounding makes many logits equal, that is seldom so, and the float64 order decides.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import torch
from torch.overrides import TorchFunctionMode

from shoal.evaluation.head import PositionScores
from shoal.models import FactoredModel, factor_model

if TYPE_CHECKING:
    from collections.abc import Callable

# A float32 logit differs by a few units in the last place between batch shapes, more for wide models: 64 is on the safe
# side and costs nothing, as so close a decision is rare. A unit of half precision is coarse: with two of them one in
# five short completions of the bundled story model in bfloat16 would be read again, with one none.
_UNITS = 64.0
_UNITS_IN_HALF_PRECISION = 1.0
_ROWS = 64
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
                _score_rows(rows if factored.head is None else factored.head.logits(rows), target)
                for rows, target in zip(rows_ND.split(_ROWS), target_N.to(rows_ND.device).split(_ROWS), strict=True)
            ]
        own_N, best_N, normalizer_N, greedy_N = (torch.cat(part).cpu() for part in zip(*parts, strict=True))
        right_N = (greedy_N == target_N) & own_N.isfinite() & ~normalizer_N.isnan()
        return PositionScores(own_N, best_N, normalizer_N, torch.zeros_like(target_N), right_N), greedy_N


def _score_rows(z_NV: torch.Tensor, target_N: torch.Tensor) -> tuple[torch.Tensor, ...]:
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
