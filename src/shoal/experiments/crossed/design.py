"""The design, described before the run: which effects can be told apart, and how large one must be to be found.

An effect (of a factor, or the interaction of two) is a set of columns of the design matrix over the cells that are
trained, in sum coding. It has as many degrees of freedom as it adds to the rank of all other effects. Where that is
fewer than its columns, it is aliased: some of it equals a combination of others, and no number of seeds can tell them
apart.

Source: Montgomery (2017), Design and Analysis of Experiments, chapter 8 (aliases); Box, Hunter and Hunter (2005),
chapter 6.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.experiments.crossed.contrasts import contrast_of
from shoal.experiments.measures import MEASURES
from shoal.statistics import detectable_shift
from shoal.textfiles import finite
from shoal.wording import joined, plural

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from shoal.experiments.crossed.contrasts import Contrast
    from shoal.experiments.crossed.plan import CrossedExperiment

# The usual power (Cohen 1988, section 2.4), and that of the verdicts.
_TARGET = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignEffect:
    """One effect of the design."""

    factors: tuple[str, ...]
    """One factor, or the two of an interaction."""

    columns: int
    """Degrees of freedom that it has where every combination is trained."""

    freedom: int
    """Degrees of freedom that can be told from all other effects."""

    aliases: tuple[str, ...]
    """Effects that it cannot be told from."""

    @property
    def name(self) -> str:
        """``model``, or ``model x examples``."""
        return " x ".join(self.factors)

    @property
    def line(self) -> str:
        """What can be said of it, in a clause."""
        if self.freedom == self.columns:
            return f"{plural(self.freedom, 'degree')} of freedom, told apart from all others"
        mixed = f"mixed with {joined(self.aliases)}" if self.aliases else "mixed with a combination of others"
        return f"{self.freedom} of {self.columns} degrees of freedom, the rest {mixed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HypothesisPlan:
    """What the design can say of one hypothesis."""

    name: str
    comparison: str
    blocks: int
    trainings: int
    freedom: int
    """Degrees of freedom of its standard error: the trainings of its cells, less one for each cell."""

    smallest_effect: float
    detectable_sds: float
    """The effect that is found with a power of 80%, in standard deviations between the trainings of a cell."""

    detectable: float | None
    """The same in the units of the measure; None where no spread is assumed."""

    def line(self, measure: str) -> str:
        """The effect that it can find, in a sentence.

        Args:
            measure: the label of the measure.
        """
        in_sds = f"{self.detectable_sds:.2f} standard deviations between trainings"
        if self.detectable is None:
            return f"80% power finds an effect of {in_sds}; design.assumed_sd or design.pilot gives it in {measure}"
        enough = "at most" if self.detectable <= self.smallest_effect else "MORE than"
        return (
            f"80% power finds an effect of {self.detectable:.3f} {measure} ({in_sds}): {enough} the "
            f"{self.smallest_effect:g} that matters"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignReport:
    """What the design of a crossed experiment can find, before anything is trained."""

    experiment: str
    cells: int
    left_out: int
    seeds: int
    trainings: int
    measure: str
    assumed_sd: float | None
    effects: tuple[DesignEffect, ...]
    hypotheses: tuple[HypothesisPlan, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain: dict[str, Any] = finite(asdict(self))
        return plain

    def to_frame(self) -> pd.DataFrame:
        """A row per hypothesis."""
        import pandas as pd

        return pd.DataFrame([asdict(each) for each in self.hypotheses])

    def __str__(self) -> str:
        left = f", {self.left_out} left out" if self.left_out else ""
        trainings = plural(self.trainings, "training")
        lines = [
            f"design      {plural(self.cells, 'cell')}{left}, {self.seeds} seeds each: {trainings}",
            "",
            "effects",
            *(f"  {effect.name:28} {effect.line}" for effect in self.effects),
            "",
            "hypotheses",
        ]
        for plan in self.hypotheses:
            basis = f"{plural(plan.blocks, 'block')}, {plural(plan.trainings, 'training')}"
            lines += [
                f"  {plan.name}: {plan.comparison}",
                f"    {basis}, {plan.freedom} degrees of freedom",
                f"    {plan.line(self.measure)}",
            ]
        return "\n".join(lines)


def describe_design(experiment: CrossedExperiment, *, assumed_sd: float | None = None) -> DesignReport:
    """Describe what a crossed experiment can find.

    Args:
        experiment: as `load_crossed` gives it.
        assumed_sd: standard deviation of the measure between trainings of a cell; None for that of the file.

    Raises:
        UsageError: a hypothesis names an effect that this design cannot tell from another one.
    """
    contrasts = [contrast_of(experiment, hypothesis) for hypothesis in experiment.hypotheses]
    spread = experiment.design.assumed_sd if assumed_sd is None else assumed_sd
    combinations = math.prod(len(levels) for levels in experiment.factors.values())
    return DesignReport(
        experiment=experiment.name,
        cells=len(experiment.cells),
        left_out=combinations - len(experiment.cells),
        seeds=experiment.seeds,
        trainings=experiment.trainings,
        measure=MEASURES[experiment.measure.primary].label,
        assumed_sd=spread,
        effects=_effects(experiment),
        hypotheses=tuple(_plan(experiment, contrast, spread) for contrast in contrasts),
    )


def corrected_alpha(experiment: CrossedExperiment) -> float:
    """The level at which the hypothesis with the smallest p-value is tested, which is the strictest."""
    alpha = 1 - experiment.measure.confidence
    # Planning for the strictest step of Holm's method: which hypothesis it will meet is not known before the run.
    return alpha / len(experiment.hypotheses) if experiment.measure.correction == "holm" else alpha


def _plan(experiment: CrossedExperiment, contrast: Contrast, spread: float | None) -> HypothesisPlan:
    weights = contrast.weights
    # Each cell gives up one degree for its mean; the spread is pooled over the cells of the contrast.
    freedom = len(weights) * (experiment.seeds - 1)
    deviation = math.sqrt(sum(weight * weight for weight in weights.values()) / experiment.seeds)
    in_sds = detectable_shift(freedom, target=_TARGET, alpha=corrected_alpha(experiment)) * deviation
    return HypothesisPlan(
        name=contrast.hypothesis.name,
        comparison=contrast.hypothesis.comparison,
        blocks=len(contrast.blocks),
        trainings=len(weights) * experiment.seeds,
        freedom=freedom,
        smallest_effect=contrast.hypothesis.smallest_effect,
        detectable_sds=in_sds,
        detectable=None if spread is None else in_sds * spread,
    )


def _effects(experiment: CrossedExperiment) -> tuple[DesignEffect, ...]:
    """Main effects and interactions of two factors; those of three and more are averaged over."""
    columns: dict[tuple[str, ...], NDArray[np.float64]] = {
        (factor,): _coded(experiment, factor) for factor in experiment.factors
    }
    for one, other in itertools.combinations(experiment.factors, 2):
        columns[one, other] = _product(columns[one,], columns[other,])
    return tuple(_effect(names, columns) for names in columns)


def _effect(names: tuple[str, ...], columns: dict[tuple[str, ...], NDArray[np.float64]]) -> DesignEffect:
    others = {key: block for key, block in columns.items() if key != names}
    freedom = _rank([*others.values(), columns[names]]) - _rank(list(others.values()))
    wanted = columns[names].shape[1]
    aliases = [
        " x ".join(key)
        for key, block in others.items()
        # The intercept is in both ranks, and counts once.
        if _rank([block, columns[names]]) < _rank([block]) + _rank([columns[names]]) - 1
    ]
    return DesignEffect(
        factors=names, columns=wanted, freedom=freedom, aliases=tuple(aliases) if freedom < wanted else ()
    )


def _rank(blocks: list[NDArray[np.float64]]) -> int:
    """The rank of columns with the intercept; 1 without any."""
    import numpy as np

    if not blocks:
        return 1
    whole = np.hstack([np.ones((len(blocks[0]), 1)), *blocks])
    return int(np.linalg.matrix_rank(whole))


def _coded(experiment: CrossedExperiment, factor: str) -> NDArray[np.float64]:
    """A factor in sum coding: a column per level but the last, which is -1 in all."""
    import numpy as np

    levels = list(experiment.factors[factor])
    # Sum coding keeps a main effect apart from the mean of its interactions, where treatment coding would mix them.
    codes = np.vstack([np.eye(len(levels) - 1), -np.ones((1, len(levels) - 1))])
    return np.asarray(codes[[levels.index(cell.levels[factor]) for cell in experiment.cells]])


def _product(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """The columns of an interaction: each of one factor times each of the other."""
    import numpy as np

    return np.stack([one[:, i] * other[:, j] for i in range(one.shape[1]) for j in range(other.shape[1])], axis=1)
