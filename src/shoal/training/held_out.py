"""Held-out losses while a model learns: their curve, the gap to the training loss, and what is done by them.

The documents are scored by a function that the caller gives, so that this room needs no evaluator. Each evaluation
gives the loss of every document, and the documents are the same each time: so evaluations are compared document by
document. The gap is the held-out loss less that of a sample of the training documents, both of the same weights without
dropout, label smoothing or penalties, in nats per token.

Shapes: K evaluations, D held-out documents, S documents of the training sample.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.errors import UsageError
from shoal.statistics import percentile_ends, resampled_ratios

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from transformers import PreTrainedModel

    from shoal.training.overfitting import OverfittingOnset

Array = np.ndarray[Any, np.dtype[np.float64]]

CONFIDENCE = 0.95
"""Of the intervals of a held-out curve."""

# One seed for both sides and all evaluations would make equal draws of unlike documents; equal losses have equal
# intervals all the same.
_HELD_OUT_SEED, _TRAINING_SEED = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoredDocuments:
    """Documents whose losses are measured while a model learns."""

    losses: Callable[[PreTrainedModel], Sequence[float]]
    """Gives the loss of each document, summed over its predicted tokens, in nats. It leaves the model as it is."""

    tokens: Sequence[int]
    """The predicted tokens of each document."""

    def measure(self, model: PreTrainedModel) -> Array:
        """The loss of each document in nats.

        Args:
            model: as it is now.

        Raises:
            UsageError: the function gives another number of losses than there are documents.
        """
        found = np.asarray(self.losses(model), dtype=np.float64)
        if found.shape != (len(self.tokens),):
            raise UsageError(f"there are {len(self.tokens)} documents, and their function gave {found.shape} losses")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutPoint:
    """One evaluation; losses in nats per token, intervals by a bootstrap over documents, None of five or fewer."""

    step: int
    loss: float
    """Of the held-out documents."""

    low: float | None
    high: float | None
    training_loss: float | None = None
    """Of the sample of training documents, by the same weights; None without a sample."""

    gap: float | None = None
    """The held-out loss less the training loss."""

    gap_low: float | None = None
    gap_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutCurve:
    """What held-out documents showed of a training."""

    points: tuple[HeldOutPoint, ...]
    documents: int
    """Held-out documents, the units of the intervals and tests."""

    confidence: float
    best_step: int
    """The step with the lowest held-out loss."""

    returned_step: int
    """The step whose weights the model has: the last one, or the best."""

    stopped_early: bool
    onset: OverfittingOnset | None
    """From where on the model overfits; None where there is no evidence that it does."""

    @property
    def best(self) -> HeldOutPoint:
        """The evaluation with the lowest held-out loss."""
        return next(point for point in self.points if point.step == self.best_step)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """The evaluations: a row each."""
        import pandas as pd

        return pd.DataFrame([asdict(point) for point in self.points])

    def __str__(self) -> str:
        last = self.points[-1]
        lowest = f"lowest {self.best.loss:.4f} at step {self.best_step:,}"
        interval = _bracketed(last.low, last.high)
        held_out = f"held-out loss {last.loss:.4f} nats per token{interval} at step {last.step:,}; {lowest}"
        lines = [f"{held_out} ({self.documents:,} documents)"]
        if last.gap is not None:
            lines.append(
                f"gap to the training loss {last.gap:.4f} nats per token{_bracketed(last.gap_low, last.gap_high)} at "
                f"step {last.step:,}"
            )
        lines.append(self.overfitting)
        if self.stopped_early:
            lines.append(f"stopped early after step {last.step:,}")
        if self.returned_step != last.step:
            lines.append(f"the model has the weights of step {self.returned_step:,}, its best")
        return "\n".join(lines)

    @property
    def overfitting(self) -> str:
        """Whether and from where on the model overfits, as a sentence without a full stop."""
        low, high = self.points[-1].low, self.best.high
        if self.onset is None and low is not None and high is not None and low > high:
            # As where the first evaluation is the best one: it has risen, but from a turn that no evaluation saw.
            return f"the held-out loss has risen since step {self.best_step:,}, without a turn that can be dated"
        if self.onset is None:
            return "no evidence of overfitting"
        return str(self.onset)


def _bracketed(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{low:.4f}, {high:.4f}]"


def held_out_curve_from(values: Mapping[str, Any]) -> HeldOutCurve:
    """A curve from what `HeldOutCurve.to_dict` gave.

    Args:
        values: plain ones, perhaps from JSON.
    """
    from shoal.training.overfitting import OverfittingOnset

    onset: Mapping[str, Any] | None = values["onset"]
    points = tuple(HeldOutPoint(**point) for point in values["points"])
    found = None if onset is None else OverfittingOnset(**onset)
    return HeldOutCurve(**dict(values) | {"points": points, "onset": found})


class Measured(NamedTuple):
    """The losses of all documents at one step."""

    step: int
    held_out_D: Array
    training_S: Array


def held_out_point(
    measured: Measured, tokens_D: Array, sample_tokens_S: Array, confidence: float = CONFIDENCE
) -> HeldOutPoint:
    """One evaluation with its intervals.

    Args:
        measured: losses of the documents, in nats.
        tokens_D: predicted tokens of the held-out documents.
        sample_tokens_S: those of the training sample, which may be empty.
        confidence: of the intervals.
    """
    loss = float(measured.held_out_D.sum() / tokens_D.sum())
    draws = resampled_ratios(measured.held_out_D, tokens_D, seed=_HELD_OUT_SEED)
    low, high = percentile_ends(draws, units=len(tokens_D), confidence=confidence)
    if not len(sample_tokens_S):
        return HeldOutPoint(step=measured.step, loss=loss, low=low, high=high)
    training = float(measured.training_S.sum() / sample_tokens_S.sum())
    # Two samples of documents that have nothing to do with each other, so the draws are independent.
    others = resampled_ratios(measured.training_S, sample_tokens_S, seed=_TRAINING_SEED)
    units = min(len(tokens_D), len(sample_tokens_S))
    gap_low, gap_high = percentile_ends(draws - others, units=units, confidence=confidence)
    return HeldOutPoint(
        step=measured.step,
        loss=loss,
        low=low,
        high=high,
        training_loss=training,
        gap=loss - training,
        gap_low=gap_low,
        gap_high=gap_high,
    )
