"""What a trial's settings hang on: the sweep, its number and earlier rounds, and never on who was faster."""

from __future__ import annotations

import math

import pytest

from shoal.experiments.sweeps.objective import medians
from shoal.experiments.sweeps.sampling import choose, importances, rounds, study_of
from shoal.experiments.sweeps.space import flat_settings
from shoal.experiments.sweeps.sweep import PruningTable, Sweep
from shoal.experiments.sweeps.trials import Trial, UnitRecord, trials_of

pytest.importorskip("optuna")

KEYS = {
    "training.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "model.width, model.heads": [[16, 2], [32, 4]],
    "model.layers": {"low": 1, "high": 4},
}


def sweep_of(sampler, **values):
    return Sweep.model_validate({"name": "s", "sampler": sampler, "trials": 24, "keys": KEYS, **values})


def record(trial, settings, score, seed=0, **values):
    return UnitRecord(trial=trial, seed=seed, settings=settings, state="complete", score=score, **values)


def bowl(settings):
    """A score that only the learning rate moves much, the least at 0.01."""
    return (math.log10(settings["training.learning_rate"]) + 2) ** 2 + 0.01 * settings["model.layers"]


def run(sweep, reverse=False):
    """All rounds with the scores of the bowl, each round ended in order or backwards."""
    records = []
    for numbers in rounds(sweep):
        finished = trials_of(records, (0,))
        drawn = [flat_settings(choice) for choice in choose(sweep, numbers, finished)]
        pairs = list(zip(numbers, drawn, strict=True))
        records += [record(number, one, bowl(one)) for number, one in (reversed(pairs) if reverse else pairs)]
    return trials_of(records, (0,))


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_order_in_which_trials_end_changes_nothing(sampler):
    sweep = sweep_of(sampler)
    assert run(sweep) == run(sweep, reverse=True)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_another_seed_draws_other_trials_within_the_bounds(sampler):
    one, other = run(sweep_of(sampler)), run(sweep_of(sampler, sampler_seed=1))
    assert [trial.settings for trial in one] != [trial.settings for trial in other]
    for trial in one:
        assert 1e-4 <= trial.settings["training.learning_rate"] <= 1e-1
        assert trial.settings["model.layers"] in {1, 2, 3, 4}
        assert isinstance(trial.settings["model.layers"], int)
        assert (trial.settings["model.width"], trial.settings["model.heads"]) in {(16, 2), (32, 4)}


def test_random_trials_do_not_hang_on_results_and_tpe_trials_come_nearer():
    random, tpe = run(sweep_of("random")), run(sweep_of("tpe"))
    drawn = choose(sweep_of("random"), range(24), ())
    assert [dict(trial.settings) for trial in random] == [flat_settings(choice) for choice in drawn]
    late = sum(bowl(trial.settings) for trial in tpe[12:]) / 12
    assert late < 0.5 * sum(bowl(trial.settings) for trial in random[12:]) / 12


def test_failed_trials_are_known_to_the_sampler_and_need_no_score():
    sweep = sweep_of("tpe")
    failed = tuple(
        Trial(
            number=number,
            settings=flat_settings(choice),
            units=(UnitRecord(trial=number, seed=0, settings=flat_settings(choice), state="failed", reason="no"),),
        )
        for number, choice in enumerate(choose(sweep, range(12), ()))
    )
    assert len(choose(sweep, range(12, 16), failed)) == 4


def test_the_key_that_moves_the_score_has_the_largest_importance():
    trials = run(sweep_of("random", trials=40))
    found = importances(sweep_of("random", trials=40), trials)
    assert next(iter(found)) == "training.learning_rate"
    assert found["training.learning_rate"] > 0.8
    assert importances(sweep_of("random"), trials[:7]) == {}
    assert importances(sweep_of("random", keys={"model.layers": KEYS["model.layers"]}), trials) == {}


def test_a_trial_is_judged_against_the_median_of_complete_trials():
    trials = [
        Trial(number=number, settings={}, units=(record(number, {}, score, milestones={"0.5": score + 1}),))
        for number, score in enumerate([1.0, 2.0, 6.0])
    ]
    table = PruningTable(after=3, at=(0.5,))
    assert medians(table, trials) == {"0.5": 3.0}
    assert medians(table, trials[:2]) == {}
    assert medians(None, trials) == {}


def test_one_and_true_are_two_choices():
    sweep = sweep_of("tpe", keys={"model.layers": [1, True], "model.width, model.heads": [[8, 1], [8, True]]})
    trials = []
    for numbers in rounds(sweep):
        drawn = [flat_settings(choice) for choice in choose(sweep, numbers, trials)]
        records = [record(number, one, float(number)) for number, one in zip(numbers, drawn, strict=True)]
        trials += trials_of(records, (0,))
    for key in ("model.layers", "model.heads"):
        assert {repr(trial.settings[key]) for trial in trials} == {"1", "True"}
    told = [trial.params["model.layers"] for trial in study_of(sweep, trials).trials]
    assert told == [repr(trial.settings["model.layers"]) for trial in trials]
