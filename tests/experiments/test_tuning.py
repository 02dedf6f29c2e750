from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shoal.errors import TrainingError
from shoal.experiments.loading import experiment_from
from shoal.experiments.records import TrialRecord
from shoal.experiments.store import RunStore
from shoal.experiments.tasks import shuffle_labels, train_validation_split
from shoal.experiments.tuning import choose_rates, trial_jobs
from shoal.tasks import Example

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shoal.experiments.experiment import Experiment
    from shoal.experiments.jobs import Job


def experiment_with(**tuning: Any) -> Experiment:
    return experiment_from(
        {
            "name": "small",
            "hypothesis": "One beats two.",
            "treatment": "one",
            "baseline": "two",
            "seeds": 6,
            "task": {"name": "counting"},
            "split": {"name": "last-digit"},
            "arms": {"one": "a/b", "two": "random:a/b"},
            "measure": {"primary": "exact_match", "smallest_effect": 0.1},
            "tuning": tuning,
        },
        "test",
    )


def chosen(folder: Path, experiment: Experiment, scores: dict[float, float | None]) -> dict[str, float]:
    """The choice of all seeds where every arm's trials of a rate had this score."""
    found = chosen_by_seed(folder, experiment, lambda job: scores[job.learning_rate])
    assert {len(set(rates.values())) for rates in found.values()} == {1}
    return {arm: rates["0"] for arm, rates in found.items()}


def chosen_by_seed(
    folder: Path, experiment: Experiment, score: Callable[[Job], float | None]
) -> dict[str, dict[str, float]]:
    """The choice of each arm and seed where a trial has the score that the function gives it."""
    store = RunStore(folder, experiment)
    for job in trial_jobs(experiment, "float32"):
        trial = TrialRecord(
            arm=job.arm,
            learning_rate=job.learning_rate,
            run_seed=job.run_seed,
            seed=job.seed,
            measure=experiment.tuning.score,
            score=score(job),
            validation_examples=4,
        )
        store.write(f"{job.place}/done.json", trial.to_dict())
    found = choose_rates(store, experiment)
    store.close()
    return {arm: choice["chosen"] for arm, choice in found.items()}


def test_every_arm_gets_the_same_trials() -> None:
    experiment = experiment_with(learning_rates=[0.1, 0.2], seeds=2)
    jobs = trial_jobs(experiment, "float32")
    by_arm = {arm: [(j.learning_rate, j.seed) for j in jobs if j.arm == arm] for arm in ("one", "two", "one-shuffled")}
    assert len(jobs) == 6 * 12
    assert len({tuple(sorted(trials)) for trials in by_arm.values()}) == 1
    assert [job.shuffle for job in jobs if job.arm == "one-shuffled"] == [True] * 24


def test_no_trial_shares_its_folder_with_another() -> None:
    jobs = trial_jobs(experiment_with(learning_rates=[0.001, 0.0010000001], seeds=2), "float32")
    assert len({job.place for job in jobs}) == len(jobs)


def test_every_seed_chooses_by_its_own_trials(tmp_path: Path) -> None:
    experiment = experiment_with(learning_rates=[0.1, 0.2], seeds=2)

    def score(job: Job) -> float:
        # Bits per byte, of which less is better: the odd seeds do best with the larger rate.
        return 1.0 if (job.learning_rate == 0.2) == bool(job.run_seed % 2) else 2.0

    found = chosen_by_seed(tmp_path, experiment, score)
    assert found["one"] == {"0": 0.1, "1": 0.2, "2": 0.1, "3": 0.2, "4": 0.1, "5": 0.2}
    trials = {(job.arm, job.seed): job.run_seed for job in trial_jobs(experiment, "float32")}
    assert sorted(run_seed for (arm, _), run_seed in trials.items() if arm == "one") == sorted([*range(6)] * 2)


def test_the_best_score_wins_by_the_measures_own_sense(tmp_path: Path) -> None:
    scores: dict[float, float | None] = {0.1: 2.0, 0.2: 1.0, 0.3: 3.0}
    bits = experiment_with(learning_rates=[0.1, 0.2, 0.3], score="bits_per_byte")
    share = experiment_with(learning_rates=[0.1, 0.2, 0.3], score="token_accuracy")
    assert chosen(tmp_path / "bits", bits, scores) == {"one": 0.2, "two": 0.2, "one-shuffled": 0.2}
    assert chosen(tmp_path / "share", share, scores)["one"] == 0.3


def test_of_equal_scores_the_smaller_rate_wins(tmp_path: Path) -> None:
    experiment = experiment_with(learning_rates=[0.3, 0.1])
    assert chosen(tmp_path, experiment, {0.1: 1.0, 0.3: 1.0})["one"] == 0.1


def test_a_rate_without_a_score_cannot_win(tmp_path: Path) -> None:
    experiment = experiment_with(learning_rates=[0.1, 0.3])
    assert chosen(tmp_path / "a", experiment, {0.1: 5.0, 0.3: None})["one"] == 0.1
    with pytest.raises(TrainingError, match=r"none of the learning rates 0.1, 0.3 gave the arm 'one'"):
        chosen(tmp_path / "b", experiment, {0.1: None, 0.3: None})


def test_without_rates_to_try_the_training_table_decides(tmp_path: Path) -> None:
    assert chosen(tmp_path, experiment_with(), {}) == {"one": 1e-3, "two": 1e-3, "one-shuffled": 1e-3}


def examples(count: int) -> list[Example]:
    return [Example(prompt=f"p{place}", completion=f"c{place}") for place in range(count)]


def test_a_trial_trains_on_one_part_and_is_scored_on_the_rest() -> None:
    whole = examples(21)
    kept, validation = train_validation_split(whole, 0.2, seed=1)
    assert (len(kept), len(validation)) == (17, 4)
    assert sorted([*kept, *validation], key=whole.index) == whole
    assert train_validation_split(whole, 0.2, seed=1) == (kept, validation)
    assert train_validation_split(whole, 0.2, seed=2) != (kept, validation)


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_neither_part_of_a_trial_is_empty(share: float) -> None:
    kept, validation = train_validation_split(examples(3), share, seed=0)
    assert kept
    assert validation


def test_dealt_completions_are_the_same_ones_and_none_stays_in_its_place() -> None:
    whole = examples(9)
    dealt = shuffle_labels(whole, seed=3)
    assert [example.prompt for example in dealt] == [example.prompt for example in whole]
    assert sorted(example.completion for example in dealt) == sorted(example.completion for example in whole)
    assert all(before.completion != after.completion for before, after in zip(whole, dealt, strict=True))
