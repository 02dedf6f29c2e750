"""What the folder of a comparison holds, gathered into its result.

Every interval is over seeds (`shoal.statistics.student_bootstrap`), differences are paired by seed, and a claim gets a
verdict by the rule of `shoal.statistics.decide`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import TrainingError
from shoal.experiments.overfitting.ensembles import Ensembling
from shoal.experiments.overfitting.planning import Planning
from shoal.experiments.overfitting.recipe import BASELINE, OverfitPlan
from shoal.experiments.overfitting.result import Asymptote, Claim, OverfitResult, OverfitRow
from shoal.experiments.overfitting.scoring import SeedScore, growth_curve, score_row
from shoal.statistics import Estimate, decide, fit_floors, mean_estimate, student_bootstrap

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from shoal.experiments.overfitting.recipe import ClaimTable
    from shoal.experiments.overfitting.trainings import PlannedTraining
    from shoal.statistics import Word

_FITTED_EXPONENT = 4
"""Sizes from which on the exponent is fitted: three parameters through three points would fit anything."""


def read_overfit(folder: str | os.PathLike[str]) -> OverfitResult:
    """What the folder of a comparison holds, however far it is.

    Raises:
        StoreError: it is no folder of a comparison, or a file of it is damaged.
        TrainingError: the baseline is not done, which all rows are compared with.
    """
    folder = Path(folder)
    return gather_overfit(folder, OverfitPlan.read(folder))


def gather_overfit(folder: Path, plan: OverfitPlan) -> OverfitResult:
    """The result of the trainings that are done.

    Args:
        folder: of the comparison.
        plan: what is compared.

    Raises:
        TrainingError: a training of the baseline is not done, or failed.
    """
    return _Gathering(folder, plan).result()


class _Gathering:
    """Reads each row once, and puts the rows together."""

    def __init__(self, folder: Path, plan: OverfitPlan) -> None:
        self.folder, self.plan, self.table = folder, plan, plan.overfit
        self.planning = Planning(plan, folder)
        self.confidence = plan.overfit.confidence
        self.scores: dict[str, list[SeedScore]] = {}
        self.faults: dict[str, str] = {}
        for row in [*self.table.single_names, *self.table.ensembles, *self.table.distilled]:
            found = [score_row(self.planning, row, seed) for seed in self.planning.seeds]
            faults = [one for one in found if isinstance(one, str)]
            if faults:
                self.faults[row] = faults[0]
            else:
                self.scores[row] = [one for one in found if isinstance(one, SeedScore)]
        if BASELINE not in self.scores:
            raise TrainingError(
                f"the baseline has no result ({self.faults[BASELINE]}), and all rows are compared with it"
            )
        self.curves = self._curves()

    def result(self) -> OverfitResult:
        """All of it."""
        rows = [self._row(row) for row in [*self.scores, *self.faults]]
        order = [*self.table.single_names, *self.table.ensembles, *self.table.distilled]
        return OverfitResult(
            folder=self.folder,
            plan=self.plan,
            rows=tuple(sorted(rows, key=lambda row: order.index(row.name))),
            asymptotes=tuple(self.curves.values()),
            claims=tuple(self._claim(claim) for claim in self.table.claims),
            distilled_shares={row: self._share(row) for row in self.table.distilled if self._has_share(row)},
        )

    def _row(self, row: str) -> OverfitRow:
        kind, meaning = self._kind(row)
        if row in self.faults:
            return OverfitRow(name=row, kind=kind, meaning=meaning, failed=self.faults[row])
        scores, base = self.scores[row], self.scores[BASELINE]
        tests = [score.bits["test"] for score in scores]
        gains = [one.bits["test"] - score.bits["test"] for one, score in zip(base, scores, strict=True)]
        count = len(scores)
        return OverfitRow(
            name=row,
            kind=kind,
            meaning=meaning,
            test=self._mean(tests),
            training=self._mean([score.bits["training"] for score in scores]),
            gap=self._mean([score.bits["test"] - score.bits["training"] for score in scores]),
            gain=None if row == BASELINE else self._mean(gains),
            by_seed=tuple(tests),
            training_compute=sum(score.training_compute for score in scores) / count,
            inference_compute=sum(score.inference_compute for score in scores) / count,
            parameters=scores[0].parameters,
            tokens=round(sum(score.tokens for score in scores) / count),
            weights=tuple(np.mean([score.weights for score in scores], axis=0).tolist()),
            notes=dict(scores[0].notes) or None,
        )

    def _kind(self, row: str) -> tuple[str, str]:
        """The kind of a row, and what it does."""
        if row in self.table.ensembles:
            table = self.table.ensembles[row]
            kind = Ensembling.registry[table.kind]
            shared = "which share the tokens" if table.compute == "equal" else "each with all tokens"
            return kind.name, f"{self.table.members} {kind.meaning}; {shared}"
        if row in self.table.distilled:
            distilled = self.table.distilled[row]
            texts = f", {distilled.sampled:.0%} of them written by it" if distilled.sampled else ""
            return "distilled", f"one model that learns the distributions of {distilled.teacher} over texts{texts}"
        if row == BASELINE:
            return "single", "the recipe as it is"
        axis = self.table.chosen_axis(row)
        if axis is not None:
            return "single", f"{self.planning.choice(axis) or 'none'}: the best on validation text"
        values = self.plan.values_of(row)
        return "single", ", ".join(f"{key} = {value}" for key, value in values.items()) or "the recipe as it is"

    def _mean(self, values: Sequence[float]) -> Estimate:
        return mean_estimate(values, confidence=self.confidence)

    def _curves(self) -> dict[str, Asymptote]:
        """The asymptotes all of whose trainings are done."""
        found = {}
        for row in self.table.growth.rows:
            for axis, trainings_of in (("members", self.planning.grown), ("parameters", self.planning.sized)):
                groups = [trainings_of(row, seed) for seed in self.planning.seeds]
                done = [group for group in groups if group and self.planning.is_done(group)]
                if len(done) == len(groups) and (axis == "members" or self._sizes_differ(done)):
                    name = f"{'members' if axis == 'members' else 'sizes'} of {row}"
                    found[name] = self._asymptote(name, axis, done)
        return found

    def _sizes_differ(self, groups: Sequence[Sequence[PlannedTraining]]) -> bool:
        """Whether there is a curve to fit: heads, for one, change a model and leave its size."""
        return len({record.parameters for one in groups[0] if (record := self.planning.record(one))}) > 1

    def _asymptote(self, name: str, axis: str, groups: Sequence[Sequence[PlannedTraining]]) -> Asymptote:
        if axis == "members":
            losses = [growth_curve(self.planning, group) for group in groups]
            sizes = [float(count + 1) for count in range(len(losses[0]))]
        else:
            records = [[self.planning.record(training) for training in group] for group in groups]
            losses = [[record.bits("test") for record in group if record] for group in records]
            sizes = [float(record.parameters) for record in records[0] if record]
        losses_SN, sizes_N = np.asarray(losses), np.asarray(sizes)
        fitted = len(set(sizes)) >= _FITTED_EXPONENT
        # The variance of a mean of members falls with their number; of parameters 1/2 is a convention, which the page
        # names.
        exponents = None if fitted else [1.0 if axis == "members" else 0.5]
        whole = _fit(sizes_N, losses_SN.mean(axis=0), exponents)
        return Asymptote(
            name=name,
            axis=axis,
            sizes=tuple(sizes),
            losses=tuple(map(tuple, losses)),
            floor=student_bootstrap(
                floor_of(sizes_N, losses_SN, exponents), len(losses_SN), confidence=self.confidence
            ),
            factor=whole[2],
            exponent=whole[0],
            exponent_is_fitted=fitted,
        )

    def _claim(self, claim: ClaimTable) -> Claim:
        better, than = self._statistic(claim.better), self._statistic(claim.than)
        effect: Estimate | None = None
        # A claim about a row that failed or is not done is open, and not refuted.
        word: Word = "underpowered"
        if better is not None and than is not None:
            # Both sides have the same drawn seeds, so that their difference is paired.
            effect = student_bootstrap(
                lambda places: than(places) - better(places), self.table.seeds, confidence=self.confidence
            )
            low, high = effect.bounds
            word = decide(
                estimate=effect.value,
                low=low,
                high=high,
                smallest=claim.smallest_effect,
                controls=(),
                detectable=effect.detectable_effect(),
            )
        return Claim(
            claim=claim.claim,
            better=claim.better,
            than=claim.than,
            smallest_effect=claim.smallest_effect,
            verdict=word,
            effect=effect,
        )

    def _statistic(self, name: str) -> Callable[[Any], float] | None:
        """From the places of seeds to the loss of a row, or to an asymptote; None where there is none."""
        if name in self.curves:
            curve = self.curves[name]
            exponents = None if curve.exponent_is_fitted else [curve.exponent]
            return floor_of(np.asarray(curve.sizes), np.asarray(curve.losses), exponents)
        if name not in self.scores:
            return None
        tests_S = np.asarray([score.bits["test"] for score in self.scores[name]])
        return lambda places: float(tests_S[places].mean())

    def _has_share(self, row: str) -> bool:
        teacher = self.table.distilled[row].teacher
        if row not in self.scores or teacher not in self.scores:
            return False
        # A share of no gain means nothing.
        gains = [base - one for base, one in zip(self._tests(BASELINE), self._tests(teacher), strict=True)]
        return min(gains) > 0

    def _share(self, row: str) -> Estimate:
        base, student, teacher = (
            np.asarray(self._tests(name)) for name in (BASELINE, row, self.table.distilled[row].teacher)
        )
        # A ratio of sums and no mean of ratios, which a seed whose teacher gains little would rule.
        return student_bootstrap(
            lambda places: float((base - student)[places].sum() / (base - teacher)[places].sum()),
            self.table.seeds,
            confidence=self.confidence,
        )

    def _tests(self, row: str) -> list[float]:
        return [score.bits["test"] for score in self.scores[row]]


def floor_of(
    sizes_N: np.ndarray[Any, Any], losses_SN: np.ndarray[Any, Any], exponents: Sequence[float] | None
) -> Callable[[Any], float]:
    """From the places of seeds to the floor of the law through their mean losses.

    Args:
        sizes_N: members or parameters.
        losses_SN: a row per seed.
        exponents: that are tried; None for the usual grid.
    """
    return lambda places: _fit(sizes_N, losses_SN[places].mean(axis=0), exponents)[1]


def _fit(
    sizes_N: np.ndarray[Any, Any], losses_N: np.ndarray[Any, Any], exponents: Sequence[float] | None
) -> tuple[float, float, float]:
    """Exponent, floor and factor."""
    given = {} if exponents is None else {"exponents": exponents}
    found = fit_floors(sizes_N, losses_N[None], **given)
    return float(found.exponents_R[0]), float(found.floors_R[0]), float(found.factors_R[0])
