"""Where a score rises over checkpoints, by change point and by threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import DataError
from shoal.insight import Rise, checkpoint_folders, find_rise

STEPS = list(range(0, 4000, 100))


def series(*parts: tuple[int, float], seed: int = 0) -> np.ndarray:
    """Levels with a little noise."""
    noise = np.random.default_rng(seed).normal(0, 0.01, sum(count for count, _ in parts))
    return np.concatenate([np.full(count, level) for count, level in parts]) + noise


@pytest.mark.parametrize("place", [6, 15, 23, 34])
def test_one_jump_is_placed_by_both(place: int) -> None:
    found = find_rise(STEPS, series((place, 0.1), (40 - place, 0.9)), 0.5)
    assert found.change_step == found.threshold_step == STEPS[place]
    assert found.change_low is not None
    assert found.change_low <= STEPS[place] <= found.change_high
    assert found.p_value is not None
    assert found.p_value < 0.05


def test_of_two_jumps_the_larger_rise_is_the_change() -> None:
    found = find_rise(STEPS, series((10, 0.1), (10, 0.25), (20, 0.95)), 0.2)
    assert found.change_step == 2000
    assert found.threshold_step == 1000


def test_a_score_that_falls_back_does_not_stay_above_the_threshold() -> None:
    found = find_rise(STEPS, series((10, 0.1), (20, 0.9), (10, 0.1)), 0.5)
    assert found.threshold_step is None
    assert found.change_step == 1000


def test_a_fall_is_no_rise() -> None:
    found = find_rise(STEPS, series((20, 0.9), (20, 0.1)), 0.5)
    assert (found.change_step, found.change_low, found.change_high, found.p_value) == (None, None, None, None)


@pytest.mark.parametrize("scores", [[0.1], [0.1, 0.9], []])
def test_too_few_checkpoints_have_a_threshold_and_no_change(scores: list[float]) -> None:
    found = find_rise(STEPS[: len(scores)], np.array(scores), 0.5)
    assert found.change_step is None
    assert found.threshold_step == (100 if scores == [0.1, 0.9] else None)


def test_what_is_not_a_number_is_below_every_threshold() -> None:
    assert find_rise([1, 2], np.array([0.9, np.nan]), 0.5).threshold_step is None
    assert find_rise([1, 2], np.array([np.nan, 0.9]), 0.5).threshold_step == 2


@given(st.lists(st.floats(0, 1), min_size=1, max_size=2), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_from_the_threshold_step_on_no_score_is_below(scores: list[float], threshold: float) -> None:
    steps = list(range(len(scores)))
    found = find_rise(steps, np.array(scores), threshold).threshold_step
    if found is None:
        assert scores[-1] < threshold
    else:
        assert min(scores[found:]) >= threshold
        assert found == 0 or scores[found - 1] < threshold


def test_both_steps_are_described() -> None:
    rise = Rise(change_step=300, change_low=200, change_high=400, p_value=0.01, threshold_step=None)
    assert rise.describe(0.25) == "by change point step 300, by threshold 0.25 not reached"
    none = Rise(change_step=None, change_low=None, change_high=None, p_value=None, threshold_step=7)
    assert none.describe(0.5) == "by change point not found, by threshold 0.50 step 7"


def test_folders_are_ordered_by_their_number_and_not_by_their_name(tmp_path) -> None:
    for name in ("step-9", "step-10", "nested/step-100", "final"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "config.json").write_text("{}")
    (tmp_path / "step-11").mkdir()  # holds no model
    assert [(step, folder.name) for step, folder in checkpoint_folders(str(tmp_path))] == [
        (9, "step-9"),
        (10, "step-10"),
        (100, "step-100"),
    ]


def test_the_final_model_of_a_run_whose_name_ends_with_a_number_is_no_checkpoint(tmp_path) -> None:
    run = tmp_path / "tinystories-260"
    for folder in (run, run / "checkpoint-500", run / "checkpoint-1000"):
        folder.mkdir()
        (folder / "config.json").write_text("{}")
    assert [step for step, _ in checkpoint_folders(run)] == [500, 1000]


def test_one_checkpoint_is_too_few(tmp_path) -> None:
    (tmp_path / "step-1").mkdir()
    (tmp_path / "step-1" / "config.json").write_text("{}")
    with pytest.raises(DataError, match="holds 1 checkpoints; give a folder of model folders"):
        checkpoint_folders(tmp_path)
