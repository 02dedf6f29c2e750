"""Which of the swept keys mattered: functional ANOVA (Hutter, Hoos & Leyton-Brown 2014), by optuna."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.experiments.sweeps.sampling import import_optuna, study_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.experiments.sweeps.sweep import Sweep
    from shoal.experiments.sweeps.trials import Trial

FEWEST = 8
"""Complete trials that importances need; a forest over fewer says little."""


def importances(sweep: Sweep, trials: Sequence[Trial]) -> dict[str, float]:
    """The share of the variance of the score that each key explains by itself, the largest first.

    Empty for fewer than two keys with several values, or fewer than `FEWEST` complete trials.

    Args:
        sweep: what was swept.
        trials: that have come to an end.

    Raises:
        MissingExtraError: optuna is not installed.
    """
    complete = [trial for trial in trials if trial.score is not None]
    moved = len({trial.score for trial in complete}) > 1
    if len(sweep.keys) < 2 or len(complete) < FEWEST or not moved:
        return {}
    optuna = import_optuna()
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=sweep.sampler_seed)
    found = optuna.importance.get_param_importances(study_of(sweep, complete), evaluator=evaluator)
    return {key: float(share) for key, share in found.items()}
