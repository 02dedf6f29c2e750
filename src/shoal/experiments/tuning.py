"""Learning rates, chosen by trials: once for each arm, and then frozen in the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import TrainingError
from shoal.experiments.controls import all_arms
from shoal.experiments.jobs import TRIAL_SEED, Job
from shoal.experiments.measures import gain
from shoal.experiments.records import TrialRecord, read_trial

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """A trial for each arm, learning rate and trial seed: the same budget for every arm.

    Args:
        experiment: has the learning rates.
        precision: of the training.
    """
    return [
        Job(
            kind="trial",
            place=f"tuning/{arm}/rate-{rate!r}/seed-{seed}",
            title=f"the trial of learning rate {rate:g} for {arm}",
            spec=spec_of(experiment, arm),
            arm=arm,
            seed=seed,
            learning_rate=rate,
            precision=precision,
            shuffle=arm not in experiment.arms,
        )
        for seed in range(TRIAL_SEED, TRIAL_SEED + experiment.tuning.seeds)
        for rate in experiment.tuning.learning_rates
        for arm in all_arms(experiment)
    ]


def choose_rates(store: RunStore, experiment: Experiment) -> dict[str, dict[str, Any]]:
    """The learning rate of each arm, with every trial and its score.

    Args:
        store: the run folder, in which every trial is finished.
        experiment: what runs in it.

    Raises:
        TrainingError: all of an arm's learning rates made its loss overflow.
    """
    if not experiment.tuning.learning_rates:
        rate = experiment.training.learning_rate
        return {arm: {"chosen": rate, "trials": []} for arm in all_arms(experiment)}
    # The precision has no part in a trial's place, so that any serves to find the records.
    trials = [read_trial(store.path(f"{job.place}/done.json")) for job in trial_jobs(experiment, "float32")]
    return {
        arm: _chosen(arm, experiment, [trial for trial in trials if trial.arm == arm]) for arm in all_arms(experiment)
    }


def _chosen(arm: str, experiment: Experiment, trials: Sequence[TrialRecord]) -> dict[str, Any]:
    measure = experiment.tuning.score
    scores: dict[float, float] = {}
    for rate in sorted(experiment.tuning.learning_rates):
        found = [trial.score for trial in trials if trial.learning_rate == rate]
        known = [score for score in found if score is not None]
        # A rate that diverged for one seed is out: the mean over the others would be of the lucky ones.
        if len(known) == len(found):
            scores[rate] = sum(known) / len(known)
    if not scores:
        tried = ", ".join(f"{rate:g}" for rate in experiment.tuning.learning_rates)
        raise TrainingError(f"none of the learning rates {tried} gave the arm {arm!r} a {measure}; try smaller ones")
    # Of equal scores the smaller rate wins, since it comes first.
    best = max(scores, key=lambda rate: gain(measure, scores[rate], 0.0))
    return {
        "chosen": best,
        "measure": measure,
        "scores": {repr(rate): score for rate, score in scores.items()},
        "trials": [trial.to_dict() for trial in trials],
    }
