"""From the records of a crossed experiment to the verdicts of its hypotheses."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shoal.experiments.crossed.confounds import find_confounds, find_controls
from shoal.experiments.crossed.contrasts import Contrast, contrast_of
from shoal.experiments.crossed.design import corrected_alpha
from shoal.experiments.crossed.item_views import cluster_test, mixed_model
from shoal.experiments.crossed.result import BlockEffect, CellMean, CrossedResult, HypothesisResult, SecondView
from shoal.experiments.crossed.sentences import verdict_line
from shoal.experiments.measures import MEASURES, gain
from shoal.statistics import BlockedPermutation, StudentTest, detectable_shift, holm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.experiments.crossed.plan import CrossedExperiment
    from shoal.experiments.crossed.records import CrossedRun
    from shoal.statistics import Word

# Above it the answer is no number of seeds but another design.
_MAX_SEEDS = 10_000

Inference = BlockedPermutation | StudentTest
"""Both have an estimate, a standard error, one-sided p-values of any effect, and the interval of their inversion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tested:
    """A hypothesis with its test, before the correction over all hypotheses."""

    contrast: Contrast
    test: Inference | None
    """None where a side has no value."""

    trained: BlockedPermutation | None
    items: StudentTest | None
    freedom: float
    p_found: float
    """Of no effect."""

    p_refuted: float
    """Of an effect that matters."""

    @property
    def reached(self) -> bool:
        """Whether the estimate, in the direction of the claim, is as large as what matters."""
        if self.test is None:
            return False
        hypothesis, estimate = self.contrast.hypothesis, self.test.estimate
        towards = {"better": estimate, "worse": -estimate, "different": abs(estimate)}[hypothesis.direction]
        return towards >= hypothesis.smallest_effect

    @property
    def decisive(self) -> float:
        """The p-value of the one claim that the estimate allows: that there is an effect, or that none matters."""
        return self.p_found if self.reached else self.p_refuted


def judge_crossed(run: CrossedRun) -> CrossedResult:
    """The verdicts of a crossed experiment whose trainings are finished.

    Args:
        run: as `open_crossed` reads it.
    """
    experiment = run.experiment
    tested = [_tested(run, contrast_of(experiment, hypothesis)) for hypothesis in experiment.hypotheses]
    decisive = [each.decisive for each in tested]
    # The claim that each hypothesis comes closer to is what is corrected: two for each would double the penalty.
    corrected = holm(decisive) if experiment.measure.correction == "holm" else tuple(decisive)
    measure = MEASURES[experiment.measure.primary]
    return CrossedResult(
        experiment=experiment.name,
        preset=experiment.preset,
        question=experiment.question,
        measure=measure.label if measure.higher_is_better else f"{measure.label} saved",
        higher_is_better=measure.higher_is_better,
        confidence=experiment.measure.confidence,
        correction=experiment.measure.correction,
        seeds=experiment.seeds,
        trainings=sum(map(len, run.trainings.values())),
        spread=pooled_spread(run, experiment.measure.primary),
        hypotheses=tuple(_judged(run, each, p) for each, p in zip(tested, corrected, strict=True)),
        cells=tuple(_cell_mean(run, cell.name, cell.levels) for cell in experiment.cells),
    )


def pooled_spread(run: CrossedRun, measure: str) -> float | None:
    """The standard deviation between the trainings of a cell, pooled over cells; None where no cell has two.

    Args:
        run: finished or not.
        measure: its name.
    """
    squares, freedom = 0.0, 0
    for trainings in run.trainings.values():
        values = [value for each in trainings if (value := each.value(measure)) is not None]
        if len(values) > 1:
            squares += statistics.variance(values) * (len(values) - 1)
            freedom += len(values) - 1
    return math.sqrt(squares / freedom) if freedom else None


def _tested(run: CrossedRun, contrast: Contrast) -> _Tested:
    sides = [[_side_values(run, side) for side in part] for part in _parts(contrast)]
    # With one training on every side there is no spread to judge by.
    usable = all(sides[0]) and all(sides[1]) and max(map(len, [*sides[0], *sides[1]])) > 1
    trained = BlockedPermutation(sides[0], sides[1]) if usable else None
    freedom = _freedom(sides) if usable else 0.0
    items = cluster_test(run, contrast, freedom) if usable else None
    test: Inference | None = items if contrast.hypothesis.test == "cluster" else trained
    p_found, p_refuted = _p_values(test, contrast) if test is not None else (1.0, 1.0)
    if isinstance(test, StudentTest):
        # Few clusters of items leave fewer than the trainings have.
        freedom = test.freedom
    return _Tested(
        contrast=contrast,
        test=test,
        trained=trained,
        items=items,
        freedom=freedom,
        p_found=p_found,
        p_refuted=p_refuted,
    )


def _parts(contrast: Contrast) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    return [block.treatment for block in contrast.blocks], [block.baseline for block in contrast.blocks]


def _side_values(run: CrossedRun, side: tuple[str, ...]) -> list[float]:
    """The values of one side of a block, so turned that more is better; of an interaction differences by seed."""
    name = run.experiment.measure.primary
    values = [
        {each.seed: gain(name, value, 0.0) for each in run.trainings[cell] if (value := each.value(name)) is not None}
        for cell in side
    ]
    if len(values) == 1:
        return list(values[0].values())
    return [values[0][seed] - values[1][seed] for seed in values[0] if seed in values[1]]


def _freedom(sides: Sequence[Sequence[Sequence[float]]]) -> float:
    """Degrees of freedom of the standard error by Welch and Satterthwaite; all there are where nothing varies."""
    parts = [
        (statistics.variance(values) / len(values), len(values) - 1)
        for side in sides
        for values in side
        if len(values) > 1
    ]
    total = sum(variance for variance, _ in parts)
    if total == 0:
        return float(sum(freedom for _, freedom in parts))
    return total**2 / sum(variance**2 / freedom for variance, freedom in parts)


def _p_values(test: Inference, contrast: Contrast) -> tuple[float, float]:
    """Two-sided p-values of no effect, and of an effect that matters in the direction of the claim."""
    smallest, direction = contrast.hypothesis.smallest_effect, contrast.hypothesis.direction
    above, below = test.one_sided(smallest)[1], test.one_sided(-smallest)[0]
    one_sided = {"better": above, "worse": below, "different": max(above, below)}[direction]
    # Doubled, so that refuting is held to the same level as finding, which is two-sided.
    return test.p_value(), min(1.0, 2 * one_sided)


def _word(tested: _Tested, p: float, alpha: float, detectable: float | None) -> Word:
    """The verdict by the rule of `shoal.experiments.verdict`, with corrected p-values in the place of the interval."""
    if tested.test is None or p > alpha:
        return "underpowered"
    if tested.reached:
        return "supported"
    # As in `shoal.statistics.decide`: what could not have been found is not refuted.
    smallest = tested.contrast.hypothesis.smallest_effect
    return "refuted" if detectable is not None and detectable <= smallest else "underpowered"


def _judged(run: CrossedRun, tested: _Tested, p: float) -> HypothesisResult:
    experiment, contrast, test = run.experiment, tested.contrast, tested.test
    hypothesis, confidence = contrast.hypothesis, experiment.measure.confidence
    controls = find_controls(run, contrast, found=tested.p_found <= 1 - confidence)
    detectable = _detectable(experiment, tested)
    word: Word = "confounded" if not all(c.passed for c in controls) else _word(tested, p, 1 - confidence, detectable)
    low, high = test.interval(confidence) if test is not None else (-math.inf, math.inf)
    result = HypothesisResult(
        name=hypothesis.name,
        claim=hypothesis.claim,
        comparison=hypothesis.comparison,
        direction=hypothesis.direction,
        test=hypothesis.test,
        verdict=word,
        sentence="",
        estimate=test.estimate if test is not None else math.nan,
        low=low,
        high=high,
        confidence=confidence,
        smallest_effect=hypothesis.smallest_effect,
        p_value=tested.p_found,
        corrected_p=p,
        freedom=tested.freedom,
        detectable=detectable,
        seeds_needed=_seeds_needed(experiment, tested) if word == "underpowered" else None,
        blocks=tuple(_block_effects(run, contrast)),
        trainings=sum(len(run.trainings[cell]) for cell in contrast.weights),
        views=tuple(_views(run, tested)),
        controls=controls,
        confounds=find_confounds(run, contrast),
    )
    return replace(result, sentence=verdict_line(result, hypothesis, MEASURES[experiment.measure.primary]))


def _detectable(experiment: CrossedExperiment, tested: _Tested) -> float | None:
    if tested.test is None or tested.freedom <= 0:
        return None
    return tested.test.standard_error * detectable_shift(tested.freedom, alpha=corrected_alpha(experiment))


def _seeds_needed(experiment: CrossedExperiment, tested: _Tested) -> int | None:
    """Seeds whose power is 80% to find an effect that matters, or to exclude it where the estimate falls short."""
    detectable = _detectable(experiment, tested)
    if tested.test is None or detectable is None:
        return None
    hypothesis = tested.contrast.hypothesis
    towards = {"better": 1.0, "worse": -1.0}.get(hypothesis.direction, math.copysign(1.0, tested.test.estimate))
    estimate = towards * tested.test.estimate
    smallest = hypothesis.smallest_effect
    distance = smallest if estimate >= smallest else min(smallest, smallest - estimate)
    # The standard error falls with the root of the seeds.
    needed = math.ceil(experiment.seeds * (detectable / distance) ** 2)
    return max(needed, experiment.seeds + 1) if needed <= _MAX_SEEDS else None


def _block_effects(run: CrossedRun, contrast: Contrast) -> list[BlockEffect]:
    effects = []
    for block in contrast.blocks:
        means = [
            statistics.fmean(values) if (values := _side_values(run, side)) else math.nan
            for side in (block.treatment, block.baseline)
        ]
        effects.append(BlockEffect(label=block.label, estimate=means[0] - means[1]))
    return [effect for effect in effects if math.isfinite(effect.estimate)]


def _views(run: CrossedRun, tested: _Tested) -> list[SecondView]:
    """The tests that do not decide."""
    confidence = run.experiment.measure.confidence
    others: list[tuple[str, Inference | None, str]] = []
    if tested.contrast.hypothesis.test == "cluster":
        others.append(("permutation within blocks", tested.trained, "over trainings, these items alone"))
    else:
        others.append(("trainings and items", tested.items, "cluster-robust: holds for other items of the kind too"))
    views = [_view(name, test, confidence, note) for name, test, note in others]
    if run.experiment.measure.mixed_model and tested.test is not None:
        views.append(mixed_model(run, tested.contrast))
    return views


def _view(name: str, test: Inference | None, confidence: float, note: str) -> SecondView:
    if test is None:
        note = "the measure has no value for some item, or there is one item alone"
        return SecondView(name=name, estimate=None, low=None, high=None, p_value=None, note=note)
    low, high = test.interval(confidence)
    return SecondView(name=name, estimate=test.estimate, low=low, high=high, p_value=test.p_value(), note=note)


def _cell_mean(run: CrossedRun, cell: str, levels: dict[str, str]) -> CellMean:
    name, trainings = run.experiment.measure.primary, run.trainings[cell]
    values = tuple(value for each in trainings if (value := each.value(name)) is not None)
    seen = [value for each in trainings if (value := each.value(name, "seen")) is not None]
    return CellMean(
        cell=cell,
        levels=levels,
        mean=statistics.fmean(values) if values else None,
        sd=statistics.stdev(values) if len(values) > 1 else None,
        values=values,
        seen=statistics.fmean(seen) if seen else None,
        steps=statistics.fmean(each.done.steps for each in trainings) if trainings else 0.0,
    )
