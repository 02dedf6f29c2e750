"""The settings that every analysis of a model shares."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.progress import Progress, no_progress
from shoal.statistics import check_alpha, check_confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisOptions:
    """Random seed, levels of tests and intervals, and a progress callback.

    Raises:
        UsageError: a level that is no probability.
    """

    seed: int = 0
    """Seed of everything that is drawn; equal seeds give equal results."""

    confidence: float = 0.95
    """Level of the confidence intervals."""

    alpha: float = 0.01
    """Level of the tests: the share of the heads or neurons of a model with random weights that may be found by chance.
    It is below the usual 0.05, since a model has hundreds of heads and thousands of neurons."""

    progress: Progress = no_progress

    def __post_init__(self) -> None:
        check_alpha(self.alpha)
        check_confidence(self.confidence)


DEFAULTS = AnalysisOptions()
