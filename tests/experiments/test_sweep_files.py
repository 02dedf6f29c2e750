"""Sweep files: every key is known, every value fits, and what cannot be compared is refused."""

from __future__ import annotations

import pytest

from shoal.errors import ExperimentFileError, ShoalError, UnknownNameError
from shoal.experiments.sweeps import load_sweep
from shoal.experiments.sweeps.sampling import rounds, trial_count
from shoal.experiments.sweeps.space import flat_settings, grid_point, split_settings

RECIPE = """
[[corpus]]
name = "tales"
grammar = 200

[[corpus]]
name = "more"
grammar = 100
seed = 1
"""


@pytest.fixture
def load(tmp_path):
    (tmp_path / "r.toml").write_text(RECIPE)

    def loaded(text, recipe='recipe = "r.toml"\n'):
        (tmp_path / "s.toml").write_text(recipe + text)
        return load_sweep(tmp_path / "s.toml")

    return loaded


def test_a_grid_is_gone_through_with_the_last_key_the_fastest(load):
    sweep = load('[keys]\n"model.width" = [32, 64]\n"model.layers" = { low = 1, high = 3, step = 1 }').sweep
    points = [tuple(grid_point(sweep, number).values()) for number in range(6)]
    assert points == [(1, 32), (1, 64), (2, 32), (2, 64), (3, 32), (3, 64)]
    assert list(grid_point(sweep, 0)) == ["model.layers", "model.width"]
    assert trial_count(sweep) == 6
    assert rounds(sweep) == [range(6)]


def test_the_order_of_the_keys_in_the_file_changes_no_trial(load):
    one = load('[keys]\n"model.width" = [32, 64]\n"model.layers" = [1, 2]').sweep
    other = load('[keys]\n"model.layers" = [1, 2]\n"model.width" = [32, 64]').sweep
    assert [grid_point(one, number) for number in range(4)] == [grid_point(other, number) for number in range(4)]


def test_keys_that_are_set_together_become_single_settings(load):
    sweep = load('[keys]\n"model.width, model.heads" = [[32, 2], [64, 4]]').sweep
    assert flat_settings(grid_point(sweep, 1)) == {"model.width": 64, "model.heads": 4}


def test_corruption_of_a_corpus_is_told_from_keys_of_the_recipe():
    changes, corruption = split_settings({"corpus.a.b.noise": 0.1, "corpus.a.passes": 2.0, "model.width": 8})
    assert changes == {"corpus.a.passes": 2.0, "model.width": 8}
    assert corruption == {"a.b": {"noise": 0.1}}


def test_a_number_of_seeds_and_values_for_all_trials(load):
    plan = load('seeds = 3\n[values]\nmodel.width = 24\n"training.tokens" = 900\n[keys]\n"model.layers" = [1]')
    assert plan.sweep.seeds == (0, 1, 2)
    assert (plan.recipe.model.width, plan.recipe.training.tokens) == (24, 900)


def test_a_precision_that_would_be_measured_anew_for_each_trial_is_fixed(load):
    assert load('[keys]\n"model.layers" = [1]').recipe.training.precision == "float32"
    assert load(
        '[values]\ntraining.precision = "bfloat16"\n[keys]\n"model.layers" = [1]'
    ).recipe.training.precision == ("bfloat16")


GRID = '[keys]\n"model.layers" = [1, 2]'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("samplr = 'tpe'\n" + GRID, "unknown key 'samplr'; did you mean 'sampler'"),
        ("[keys]\n'model.widht' = [1, 2]", "'model.widht'; did you mean 'width'"),
        ("[keys]\n'modle.width' = [1, 2]", "'modle'; did you mean 'model'"),
        ("[keys]\n'model.width' = []", "keys: model.width = []: give a list of values, or a table with low and high"),
        ("[keys]\n'model.width' = 8", "keys: model.width = 8: give a list of values, or a table"),
        ("[keys]\n'model.width' = { low = 8, hihg = 9 }", "keys: model.width: unknown key 'hihg'; did you mean 'high'"),
        ("[keys]", "keys"),
        ("", "the key 'keys' is missing"),
        ("[keys]\n'model.width' = [8, 8]", "a value stands twice"),
        ("[keys]\n'model.width' = [8, 0]", "model.width = 0"),
        ("[keys]\n'model.width' = ['wide']", "model.width = 'wide'"),
        ("[keys]\n'model.width' = { low = 9, high = 8, step = 1 }", "from low to a higher high"),
        ("[keys]\n'model.width' = { low = 8, high = 64 }", "a grid needs a list of values or a step"),
        ("sampler = 'tpe'\n" + GRID, "needs a number of trials"),
        ("sampler = 'random'\ntrials = 0\n" + GRID, "trials = 0"),
        ("sampler = 'rnd'\n" + GRID, "sampler = 'rnd'"),
        ("[keys]\n'model.width, model.heads' = [[8, 2], [16]]", "1"),
        ("[keys]\n'model.width, model.heads' = [[8, 2, 3]]", "holds 3 values for 2 keys"),
        ("[keys]\n'model.width,' = [[8, 2]]", "names nothing at one place"),
        ("[keys]\n'model.width' = [8]\n'model.width, model.heads' = [[8, 2]]", "'model.width' is swept twice"),
        ("objective = 'bits_per_bite'\n" + GRID, "did you mean 'bits_per_byte'"),
        ("objective = 'bits_per_byte.tails'\n" + GRID, "did you mean 'bits_per_byte.tales'"),
        ("direction = 'maximize'\n" + GRID, "of bits_per_byte less is better"),
        ("objective = 'f.py:score'\n[pruning]\n" + GRID, "pruning needs scores on the way"),
        ("[values]\n'corpus.tales.held_out' = 0.0\n'corpus.more.held_out' = 0.0\n" + GRID, "no document is held out"),
        ("[keys]\n'corpus.tales.grammar' = [100, 200]", "sweep corpus.tales.kept for the size of the data"),
        ("[keys]\n'corpus.tails.noise' = [0.1]", "did you mean 'tales'"),
        ("[keys]\n'corpus.tales.noise' = [1.0]", "give shares from 0 to below 1"),
        ("[keys]\n'corpus.tales.kept' = [0.0]", "give shares above 0 to 1"),
        ("[keys]\n'seed' = [0, 1]", "give seeds = 3"),
        ("[keys]\n'training.batch_tokens' = { low = 1, high = 400000, step = 1 }", "100,000 is the most"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(load, text, said):
    with pytest.raises(ShoalError) as fault:
        load(text)
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_corpus_that_the_objective_does_not_judge_may_change(load):
    plan = load("objective = 'bits_per_byte.more'\n[keys]\n'corpus.tales.grammar' = [100, 200]")
    assert trial_count(plan.sweep) == 2


def test_a_missing_recipe_or_file_is_told(load, tmp_path):
    with pytest.raises(ExperimentFileError, match="the key 'recipe' is missing"):
        load(GRID, recipe="")
    with pytest.raises(ExperimentFileError, match=r"nothere\.toml"):
        load(GRID, recipe="recipe = 'nothere.toml'\n")
    with pytest.raises(ExperimentFileError, match="give a TOML file with a sweep"):
        load_sweep(tmp_path / "none.toml")


def test_an_unknown_objective_lists_what_there_is(load):
    with pytest.raises(UnknownNameError, match=r"FILE.py:FUNCTION"):
        load("objective = 'zzz'\n" + GRID)
