"""Which settings a trial has, and which of them mattered: the grid, and optuna's samplers and importances.

A trial's settings are a function of the sweep, the trial's number and the results of the rounds before its own. They do
not depend on when each trial came to its end, so that any number of workers, of any kind, does the same trials.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from shoal.errors import MissingExtraError
from shoal.experiments.sweeps.space import grid_point, grid_size
from shoal.experiments.sweeps.sweep import RangeTable, identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.experiments.sweeps.sweep import Setting, Sweep
    from shoal.experiments.sweeps.trials import Trial

STARTUP = 10
"""The most trials that ``tpe`` draws at random before it looks at results."""

MIN_FOR_IMPORTANCE = 8
"""Complete trials that importances need; the random forest over fewer of them is mostly noise."""


def trial_count(sweep: Sweep) -> int:
    """How many trials the sweep has."""
    if sweep.sampler != "grid":
        return sweep.trials or 0
    return min(sweep.trials or grid_size(sweep), grid_size(sweep))


def rounds(sweep: Sweep) -> list[range]:
    """The numbers of the trials that are chosen together."""
    count = trial_count(sweep)
    # Without a look at results all trials can be chosen at once, and any number of workers kept busy.
    size = sweep.at_once if sweep.sampler == "tpe" or sweep.pruning is not None else count
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def choose(sweep: Sweep, numbers: Sequence[int], finished: Sequence[Trial]) -> list[dict[str, Setting]]:
    """The settings of the trials of one round.

    Args:
        sweep: what is swept.
        numbers: of the trials.
        finished: the trials of all rounds before.

    Raises:
        MissingExtraError: a sampler other than the grid without optuna.
    """
    if sweep.sampler == "grid":
        return [grid_point(sweep, number) for number in numbers]
    study = study_of(sweep, finished)
    chosen = []
    for number in numbers:
        study.sampler = _sampler(sweep, number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # lists of numbers are choices to optuna, which we mean
            drawn = study.ask(_distributions(sweep))
        chosen.append({key: _setting(sweep, key, value) for key, value in drawn.params.items()})
    return chosen


def study_of(sweep: Sweep, trials: Sequence[Trial], storage: Any = None) -> Any:
    """An optuna study that holds the trials.

    Args:
        sweep: what is swept.
        trials: that have come to an end.
        storage: where optuna keeps it; None for memory.

    Raises:
        MissingExtraError: optuna is not installed.
    """
    optuna = import_optuna()
    study = optuna.create_study(direction=sweep.direction, storage=storage, study_name=sweep.name)
    states = optuna.trial.TrialState
    for trial in trials:
        complete = trial.score is not None
        study.add_trial(
            optuna.trial.create_trial(
                state=states.COMPLETE if complete else states.PRUNED if trial.state == "pruned" else states.FAIL,
                value=trial.score,
                params={key: _choice(sweep, key, trial.settings) for key in sweep.keys},
                distributions=_distributions(sweep),
                user_attrs={"number": trial.number, "reason": trial.reason},
            )
        )
    return study


def importances(sweep: Sweep, trials: Sequence[Trial]) -> dict[str, float]:
    """The share of the variance of the score that each key explains by itself, the largest first.

    Source: functional ANOVA (Hutter, Hoos & Leyton-Brown 2014), as optuna computes it.

    Empty for fewer than two keys with several values, or fewer than `MIN_FOR_IMPORTANCE` complete trials.

    Args:
        sweep: what was swept.
        trials: that have come to an end.

    Raises:
        MissingExtraError: optuna is not installed.
    """
    complete = [trial for trial in trials if trial.score is not None]
    # A score that never moves has no variance to be shared out.
    moved = len({trial.score for trial in complete}) > 1
    if len(sweep.keys) < 2 or len(complete) < MIN_FOR_IMPORTANCE or not moved:
        return {}
    optuna = import_optuna()
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=sweep.sampler_seed)
    found = optuna.importance.get_param_importances(study_of(sweep, complete), evaluator=evaluator)
    return {key: float(share) for key, share in found.items()}


def import_optuna() -> Any:
    """The library, with its log at warnings.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("sweep", "choosing trials by optuna") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _sampler(sweep: Sweep, number: int) -> Any:
    """A sampler whose chance is that of this trial alone."""
    import numpy as np

    optuna = import_optuna()
    # By the trial's number: a sampler kept across a resumption would be in another state.
    seed = int(np.random.SeedSequence([sweep.sampler_seed, number]).generate_state(1)[0])
    if sweep.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    # At most a third of the trials at random: a short sweep would otherwise be random search.
    startup = max(4, min(STARTUP, trial_count(sweep) // 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the constant liar is marked experimental
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup, constant_liar=True)


def _distributions(sweep: Sweep) -> dict[str, Any]:
    distributions = import_optuna().distributions
    drawn: dict[str, Any] = {}
    for key, values in sweep.keys.items():
        if not isinstance(values, RangeTable):
            drawn[key] = distributions.CategoricalDistribution(_choices(values))
        elif values.whole:
            step = 1 if values.step is None else int(values.step)
            drawn[key] = distributions.IntDistribution(int(values.low), int(values.high), log=values.log, step=step)
        else:
            drawn[key] = distributions.FloatDistribution(values.low, values.high, log=values.log, step=values.step)
    return drawn


def _choices(values: Sequence[Setting]) -> list[Any]:
    """What optuna takes for choices: settings of several keys become texts, and all do where some would be equal."""
    plain = [", ".join(map(str, value)) if isinstance(value, tuple) else value for value in values]
    # 1 and True are one choice to optuna.
    return plain if len(set(plain)) == len(plain) else [repr(value) for value in values]


def _setting(sweep: Sweep, key: str, value: Any) -> Setting:
    values = sweep.keys[key]
    if isinstance(values, RangeTable):
        return value  # type: ignore[no-any-return]  # a number, as the distribution gives it
    return values[_choices(values).index(value)]


def _choice(sweep: Sweep, key: str, settings: Any) -> Any:
    """A trial's single values as the choice for a key of the sweep file."""
    given = tuple(settings[name.strip()] for name in key.split(","))
    values = sweep.keys[key]
    if isinstance(values, RangeTable):
        return given[0]
    return _choices(values)[[identity(value) for value in values].index(identity(given))]
