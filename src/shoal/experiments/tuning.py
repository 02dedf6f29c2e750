"""Learning rates, chosen by trials: once for each arm and seed, and then frozen in the run.

Each seed chooses by trials of its own. A rate that was chosen once for all seeds would be one draw that moves them all
together, and the spread of the seeds, from which the verdict's interval comes, would not show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import TrainingError
from shoal.experiments.controls import all_arms
from shoal.experiments.jobs import TRIAL_SEED, Job
from shoal.experiments.measures import gain
from shoal.experiments.records import TrialRecord, read_trial

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shoal.experiments.experiment import Experiment
    from shoal.experiments.store import RunStore


def spec_of(experiment: Experiment, arm: str) -> str:
    """The model spec of an arm; one that a control trains starts from the treatment's.

    Args:
        experiment: has the arms.
        arm: one of `all_arms`.
    """
    return experiment.arms.get(arm, experiment.arms[experiment.treatment])


def trial_jobs(experiment: Experiment, precision: str) -> list[Job]:
    """A trial for each arm, seed of the run, learning rate and trial seed: the same budget for every arm.

    Args:
        experiment: has the learning rates.
        precision: of the training.
    """
    return [
        Job(
            kind="trial",
            # By repr, which is exact: two rates that print alike would share a folder.
            place=f"tuning/{arm}/rate-{rate!r}/seed-{seed}",
            title=f"the trial of learning rate {rate:g} for {arm}, seed {run_seed}",
            spec=spec_of(experiment, arm),
            arm=arm,
            seed=seed,
            run_seed=run_seed,
            learning_rate=rate,
            precision=precision,
            shuffle=arm not in experiment.arms,
        )
        # Seed by seed: a run that is stopped has chosen for some seeds completely.
        for run_seed in experiment.seeds
        for seed in _trial_seeds(experiment, run_seed)
        for rate in experiment.tuning.learning_rates
        for arm in all_arms(experiment)
    ]


def _trial_seeds(experiment: Experiment, run_seed: int) -> Iterable[int]:
    """The seeds of the trials that choose for a seed of the run; no two of its seeds share one."""
    first = TRIAL_SEED + run_seed * experiment.tuning.seeds
    return range(first, first + experiment.tuning.seeds)


def choose_rates(store: RunStore, experiment: Experiment) -> dict[str, dict[str, Any]]:
    """The learning rate of each arm and seed, with every trial and its score.

    Args:
        store: the run folder, in which every trial is finished.
        experiment: what runs in it.

    Returns:
        By arm: ``chosen``, from each seed (as text, since JSON has no other keys) to its rate; ``trials``, and where
        there are any, ``measure`` and ``scores``, from each seed to the mean score of each rate.

    Raises:
        TrainingError: all of an arm's learning rates made its loss overflow for some seed.
    """
    if not experiment.tuning.learning_rates:
        rates = {str(seed): experiment.training.learning_rate for seed in experiment.seeds}
        return {arm: {"chosen": rates, "trials": []} for arm in all_arms(experiment)}
    # The precision has no part in a trial's place, so that any serves to find the records.
    trials = [read_trial(store.path(f"{job.place}/done.json")) for job in trial_jobs(experiment, "float32")]
    return {
        arm: choose_by_trials(arm, experiment, [trial for trial in trials if trial.arm == arm])
        for arm in all_arms(experiment)
    }


def choose_by_trials(arm: str, experiment: Experiment, trials: Sequence[TrialRecord]) -> dict[str, Any]:
    """What `choose_rates` gives for one arm.

    Args:
        arm: its name.
        experiment: has the seeds, the rates and the measure that decides.
        trials: all of the arm's.

    Raises:
        TrainingError: all of its learning rates made its loss overflow for some seed.
    """
    measure = experiment.tuning.score
    scores = {
        seed: _scores(experiment, [trial for trial in trials if trial.run_seed == seed]) for seed in experiment.seeds
    }
    chosen = {}
    for seed, found in scores.items():
        if not found:
            tried = ", ".join(f"{rate:g}" for rate in experiment.tuning.learning_rates)
            raise TrainingError(
                f"none of the learning rates {tried} gave the arm {arm!r} a {measure} for seed {seed}; try smaller ones"
            )
        # Of equal scores the smaller rate wins, since it comes first.
        chosen[str(seed)] = max(found, key=lambda rate: gain(measure, found[rate], 0.0))
    return {
        "chosen": chosen,
        "measure": measure,
        "scores": {str(seed): {repr(rate): score for rate, score in found.items()} for seed, found in scores.items()},
        "trials": [trial.to_dict() for trial in trials],
    }


def _scores(experiment: Experiment, trials: Sequence[TrialRecord]) -> dict[float, float]:
    """The mean score of each rate, from small to large, over the trials of one arm and seed."""
    scores: dict[float, float] = {}
    for rate in sorted(experiment.tuning.learning_rates):
        found = [trial.score for trial in trials if trial.learning_rate == rate]
        known = [score for score in found if score is not None]
        # A rate that diverged for one trial is out: the mean over the others would be of the lucky ones.
        if len(known) == len(found):
            scores[rate] = sum(known) / len(known)
    return scores
