"""What is chosen by measuring: once, then frozen in the run and shared by its arms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import TrainingError
from shoal.experiments.jobs import TRIAL_SEED, Job
from shoal.experiments.measures import gain
from shoal.experiments.summary import all_arms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.experiments.experiment import Experiment
    from shoal.experiments.store import RunStore


def spec_of(experiment: Experiment, arm: str) -> str:
    """The model spec of an arm; the shuffled arm starts from the treatment's."""
    return experiment.arms[experiment.treatment if arm == experiment.shuffled_arm else arm]


def trial_jobs(experiment: Experiment, precision: str) -> list[Job]:
    """A trial for each arm, learning rate and trial seed: the same budget for every arm."""
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
            shuffle=arm == experiment.shuffled_arm,
        )
        for seed in range(TRIAL_SEED, TRIAL_SEED + experiment.tuning.seeds)
        for rate in experiment.tuning.learning_rates
        for arm in all_arms(experiment)
    ]


def choose_rates(store: RunStore, experiment: Experiment) -> dict[str, dict[str, Any]]:
    """The learning rate of each arm, with every trial and its score.

    Raises:
        TrainingError: all of an arm's learning rates made its loss overflow.
    """
    if not experiment.tuning.learning_rates:
        rate = experiment.training.learning_rate
        return {arm: {"chosen": rate, "trials": []} for arm in all_arms(experiment)}
    trials = [store.read(f"{job.place}/done.json") for job in trial_jobs(experiment, "float32")]
    return {
        arm: _chosen(arm, experiment, [trial for trial in trials if trial["arm"] == arm])
        for arm in all_arms(experiment)
    }


def _chosen(arm: str, experiment: Experiment, trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    measure = experiment.tuning.score
    scores: dict[float, float] = {}
    for rate in sorted(experiment.tuning.learning_rates):
        of_rate = [trial["score"] for trial in trials if trial["learning_rate"] == rate]
        if all(score is not None for score in of_rate):
            scores[rate] = sum(of_rate) / len(of_rate)
    if not scores:
        tried = ", ".join(f"{rate:g}" for rate in experiment.tuning.learning_rates)
        raise TrainingError(f"none of the learning rates {tried} gave the arm {arm!r} a {measure}; try smaller ones")
    # Of equal scores the smaller rate wins, since it comes first.
    best = max(scores, key=lambda rate: gain(measure, scores[rate], 0.0))
    return {
        "chosen": best,
        "measure": measure,
        "scores": {repr(rate): score for rate, score in scores.items()},
        "trials": list(trials),
    }
