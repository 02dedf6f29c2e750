"""What the refusal direction does on prompts that it was not found on, and what it costs elsewhere."""

from __future__ import annotations

import random
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.progress import no_progress
from shoal.safety.head import shipped_refusal_head
from shoal.safety.tuning.direction import MAX_DIVERGENCE, direction_ablated, direction_added, find_direction
from shoal.safety.tuning.measuring import answer_requests, benchmark_accuracies, held_out_losses
from shoal.statistics import CrossedMean, correct_share, crossed_mean, wilson_interval
from shoal.wording import aligned_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import pandas

    from shoal.evaluation.benchmarks import TaskItems
    from shoal.models import LoadedModel
    from shoal.progress import Progress
    from shoal.safety.tuning.chat_format import ChatFormat
    from shoal.safety.tuning.direction import RefusalDirection
    from shoal.safety.tuning.measuring import MeasuredAnswer
    from shoal.safety.tuning.rows import SafetyRequest
    from shoal.statistics import CorrectedShare, ErrorRates
    from shoal.tasks import Example

CONDITIONS = ("as it is", "ablated", "added")
_LOSS = "held-out loss"
_MIN_REFUSED = 0.1
"""A corrected rate of refused harmful prompts below which ablation has hardly anything to undo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionParts:
    """Prompts in three parts that share none."""

    fit: tuple[SafetyRequest, ...]
    tune: tuple[SafetyRequest, ...]
    test: tuple[SafetyRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRate:
    """How often prompts of a kind are refused under one condition."""

    condition: str
    harmful: bool
    rate: CorrectedShare
    change: CrossedMean | None
    """Against the model as it is, prompt by prompt, corrected; None of the model as it is."""

    empty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionCost:
    """A measure of something else under one condition."""

    measure: str
    condition: str
    value: CrossedMean
    change: CrossedMean | None
    """Against the model as it is, item by item; None of the model as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionEffects:
    """The refusal direction of a model and what it does; ``print`` shows it."""

    model: str
    blocks: int
    direction: RefusalDirection
    parts: DirectionParts
    rates: tuple[RefusalRate, ...]
    costs: tuple[DirectionCost, ...]
    answers: Mapping[str, tuple[MeasuredAnswer, ...]]
    """Of the test part, by condition."""

    def rate(self, condition: str, *, harmful: bool) -> RefusalRate:
        """One rate.

        Args:
            condition: one of `CONDITIONS`.
            harmful: of harmful prompts, or of harmless ones.
        """
        return next(one for one in self.rates if one.condition == condition and one.harmful == harmful)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "model": self.model,
            "block": self.direction.block,
            "blocks": self.blocks,
            "candidates": [one.to_dict() for one in self.direction.candidates],
            "within_divergence": self.direction.within_divergence,
            "harmful_log_odds": self.direction.harmful_log_odds,
            "harmless_log_odds": self.direction.harmless_log_odds,
            "prompts": {name: len(getattr(self.parts, name)) for name in ("fit", "tune", "test")},
            "rates": [asdict(one) for one in self.rates],
            "costs": [asdict(one) for one in self.costs],
            "answers": {name: [one.to_dict() for one in found] for name, found in self.answers.items()},
        }

    def to_frame(self) -> pandas.DataFrame:
        """A row per condition and kind of prompts."""
        import pandas

        rows = [
            {"condition": one.condition, "harmful": one.harmful, "empty": one.empty} | one.rate.to_dict()
            for one in self.rates
        ]
        return pandas.DataFrame(rows)

    def notes(self) -> list[str]:
        """What a reader must know of the numbers."""
        found = []
        before = self.rate("as it is", harmful=True).rate
        if before.corrected < _MIN_REFUSED:
            found.append(
                f"The model refuses {before.corrected:.1%} of the harmful prompts, so that ablating has hardly "
                "anything to undo: its row says nothing of whether refusing hangs on this direction."
            )
        if not self.direction.within_divergence:
            found.append(
                "No block's direction can be ablated without changing harmless answers by more than the bound; the "
                "one that changes them least was taken."
            )
        empty = sum(one.empty for one in self.rates)
        if empty:
            found.append(f"{empty} answers are empty; they stand in no rate.")
        return found

    def __str__(self) -> str:
        """The rates and costs as lines for a person."""
        one = self.direction
        head = ["", "harmful refused", "change", "harmless refused", "change"]
        rows = [head]
        for condition in CONDITIONS:
            cells = [condition]
            for harmful in (True, False):
                rate = self.rate(condition, harmful=harmful)
                cells += [_share(rate.rate), "" if rate.change is None else _signed(rate.change)]
            rows.append(cells)
        counts = {name: len(getattr(self.parts, name)) for name in ("fit", "tune", "test")}
        split = f"from {counts['fit']} prompts, chosen on {counts['tune']} others, reported on {counts['test']} others"
        length = float(one.difference_D.norm())
        lines = [
            f"direction   what block {one.block} of {self.blocks} reads, length {length:.2f}; {split}",
            "",
            *aligned_rows(rows),
            "",
        ]
        table = [["", *CONDITIONS]]
        for measure in dict.fromkeys(cost.measure for cost in self.costs):
            found = {cost.condition: cost for cost in self.costs if cost.measure == measure}
            cells = [measure]
            for condition in CONDITIONS:
                cost = found[condition]
                cells.append(f"{cost.value.value:.3f}" + ("" if cost.change is None else f" ({_signed(cost.change)})"))
            table.append(cells)
        lines += aligned_rows(table) if len(table) > 1 else []
        return "\n".join([*lines, *self.notes()])


def _share(rate: CorrectedShare) -> str:
    return f"{rate.corrected:.1%} [{rate.low:.1%}, {rate.high:.1%}]"


def _signed(change: CrossedMean) -> str:
    return f"{change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"


def split_prompts(requests: Sequence[SafetyRequest], *, tune: int, test: int, seed: int = 0) -> DirectionParts:
    """Three parts, each with harmful and harmless prompts of all types.

    Args:
        requests: prompts of both kinds; one that comes twice counts once, so that no two parts have it.
        tune: prompts of each kind to choose the block on.
        test: prompts of each kind to report on; the rest is averaged.
        seed: of the draw.

    Raises:
        DataError: a kind has too few prompts to leave two for the means.
    """
    parts: dict[str, list[SafetyRequest]] = {"test": [], "tune": [], "fit": []}
    different: dict[str, SafetyRequest] = {}
    for one in requests:
        different.setdefault(one.prompt, one)
    for harmful in (True, False):
        kind = [one for one in different.values() if one.harmful == harmful]
        if len(kind) < tune + test + 2:
            raise DataError(
                f"there are {len(kind)} {'harmful' if harmful else 'harmless'} prompts, and {tune + test + 2} are "
                f"needed ({tune} to choose the block, {test} to report on, 2 or more for the means); give more "
                "prompts, or smaller parts"
            )
        # A generator of its own for each kind: more prompts of one kind do not move those of the other to other parts.
        random.Random(f"{seed} {harmful} parts").shuffle(kind)
        parts["test"] += kind[:test]
        parts["tune"] += kind[test : test + tune]
        parts["fit"] += kind[test + tune :]
    return DirectionParts(**{name: tuple(found) for name, found in parts.items()})


def measure_direction(
    model: LoadedModel,
    chat: ChatFormat,
    parts: DirectionParts,
    *,
    held_out: Sequence[Example] = (),
    benchmarks: Mapping[str, Sequence[TaskItems]] | None = None,
    max_tokens: int = 64,
    stride: int = 1,
    max_divergence: float = MAX_DIVERGENCE,
    confidence: float = 0.95,
    progress: Progress = no_progress,
) -> DirectionEffects:
    """Find the refusal direction of a model, ablate it, add it, and measure what changes.

    Args:
        model: a causal language model; it is left as it was.
        chat: how a prompt stands before it.
        parts: as `split_prompts` gives them.
        held_out: instructions with answers, whose loss shows what the change costs.
        benchmarks: as `shoal.safety.tuning.read_benchmarks` gives them.
        max_tokens: of an answer.
        stride: distance between the blocks that are tried; 2 tries every second one.
        max_divergence: nats by which ablation may change the first token of harmless answers.
        confidence: of the intervals.
        progress: called with (what, done, total).

    Raises:
        DataError: a part lacks a kind of prompts, or every answer is empty.
        ModelError: the model's blocks cannot be found.
    """
    from shoal.insight import find_parts

    direction = find_direction(
        model, chat, parts.fit, parts.tune, stride=stride, max_divergence=max_divergence, progress=progress
    )
    answers, measured = {}, {}
    for condition in CONDITIONS:
        with _under(model, direction, condition):
            answers[condition] = tuple(
                answer_requests(model, chat, parts.test, max_tokens=max_tokens, progress=progress)
            )
            measured[condition] = _other_measures(model, held_out, benchmarks or {}, progress)
    errors = shipped_refusal_head().errors["refused"]
    return DirectionEffects(
        model=model.spec,
        blocks=len(find_parts(model.model).blocks),
        direction=direction,
        parts=parts,
        rates=tuple(
            _rate(answers, condition, harmful, errors, confidence)
            for condition in CONDITIONS
            for harmful in (True, False)
        ),
        costs=tuple(_costs(measured, confidence)),
        answers=answers,
    )


def _under(model: LoadedModel, direction: RefusalDirection, condition: str) -> AbstractContextManager[None]:
    """The model under a condition."""
    if condition == "ablated":
        return direction_ablated(model.model, direction.difference_D)
    if condition == "added":
        return direction_added(model.model, direction.difference_D, direction.block)
    return nullcontext()


_Measures = dict[str, tuple[Any, Any]]
"""By measure: the values of its items, and their weights."""


def _other_measures(
    model: LoadedModel,
    held_out: Sequence[Example],
    benchmarks: Mapping[str, Sequence[TaskItems]],
    progress: Progress,
) -> _Measures:
    found: _Measures = {}
    if held_out:
        losses = held_out_losses(model, held_out)
        tokens_I = np.array([loss.tokens for loss in losses], float)
        found[_LOSS] = (np.array([loss.nats for loss in losses]) / tokens_I, tokens_I)
    for name, items in benchmark_accuracies(model, benchmarks, progress=progress).items():
        values_I = np.array([items[item] for item in sorted(items)])
        found[name] = (values_I, np.ones(len(values_I)))
    return found


def _rate(
    answers: Mapping[str, Sequence[MeasuredAnswer]],
    condition: str,
    harmful: bool,
    errors: ErrorRates,
    confidence: float,
) -> RefusalRate:
    before, after = (
        np.array([one.refusal for one in found if one.harmful == harmful])
        for found in (answers[CONDITIONS[0]], answers[condition])
    )
    seen = after[~np.isnan(after)]
    if not len(seen):
        kind = "harmful" if harmful else "harmless"
        raise DataError(f"all answers to {kind} prompts are empty with the direction {condition}; give longer answers")
    change = None
    if condition != CONDITIONS[0] and not np.isnan(after - before).all():
        # Corrected as a rate is: its errors shrink every difference by the same factor.
        information = errors.sensitivity + errors.specificity - 1
        gaps_I = after - before
        found = crossed_mean(gaps_I[None, :] / information, confidence=confidence)
        both_I = gaps_I[~np.isnan(gaps_I)]
        if (both_I == both_I[0]).all():
            # Where all prompts behave alike there is no variance; what they bound is how rare another is (Wilson).
            half = wilson_interval(0, len(both_I), confidence=confidence).high / information
            found = replace(found, low=found.value - half, high=found.value + half)
        # A difference of two shares, which a correction may not carry beyond -1 or 1.
        cut = {name: min(max(getattr(found, name), -1.0), 1.0) for name in ("value", "low", "high")}
        change = replace(found, **cut)
    return RefusalRate(
        condition=condition,
        harmful=harmful,
        rate=correct_share([bool(value) for value in seen], errors, confidence=confidence),
        change=change,
        empty=int(np.isnan(after).sum()),
    )


def _costs(measured: Mapping[str, _Measures], confidence: float) -> list[DirectionCost]:
    before = measured[CONDITIONS[0]]
    found = []
    for measure, (values_I, weights_I) in before.items():
        for condition in CONDITIONS:
            now_I = measured[condition][measure][0]
            change = (
                None
                if condition == CONDITIONS[0]
                else crossed_mean((now_I - values_I)[None, :], weights_I=weights_I, confidence=confidence)
            )
            value = crossed_mean(now_I[None, :], weights_I=weights_I, confidence=confidence)
            if measure != _LOSS:
                # An accuracy: its interval stays within 0 and 1, and has a width where all items are right.
                count = value.effective_items
                within = wilson_interval(value.value * count, count, confidence=confidence)
                value = replace(value, low=within.low, high=within.high)
            found.append(DirectionCost(measure=measure, condition=condition, value=value, change=change))
    return found
