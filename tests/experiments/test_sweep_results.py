"""Trials taken together, ranked and told: scores by hand."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from shoal.experiments.sweeps.result import SweepResult, law_line
from shoal.experiments.sweeps.sweep import Sweep
from shoal.experiments.sweeps.trials import Trial, Unit, UnitRecord, trials_of, unit_place


def unit(trial: int, seed: int = 0, score: float | None = 1.0, **changes: Any) -> UnitRecord:
    values: dict[str, Any] = {
        "trial": trial, "seed": seed, "settings": {"model.width": 8 * (trial + 1)}, "state": "complete", "score": score,
    }  # fmt: skip
    return UnitRecord(**values | changes)


def trial(number: int, *units: UnitRecord) -> Trial:
    return Trial(number=number, settings={"model.width": 8 * (number + 1)}, units=units)


def result(trials: list[Trial], **changes: Any) -> SweepResult:
    sweep = Sweep.model_validate({"name": "s", "keys": {"model.width": [8, 16]}} | changes)
    # Of the plan its sweep alone is read.
    plan: Any = SimpleNamespace(sweep=sweep)
    return SweepResult(folder=Path("out"), plan=plan, trials=tuple(trials), wanted=len(trials) + 1)


@pytest.mark.parametrize(
    ("units", "state", "reason", "score"),
    [
        ([unit(0, 0, 1.0), unit(0, 1, 2.0)], "complete", "", 1.5),
        ([unit(0, 0, 1.0), unit(0, 1, None, state="failed", reason="nan")], "failed", "nan", None),
        ([unit(0, 0, 1.0), unit(0, 1, None, state="pruned", reason="slow")], "pruned", "slow", None),
        (
            [unit(0, 0, None, state="pruned", reason="slow"), unit(0, 1, None, state="failed", reason="nan")],
            "failed",
            "slow",
            None,
        ),
    ],
)
def test_a_trial_is_as_complete_as_its_units(
    units: list[UnitRecord], state: str, reason: str, score: float | None
) -> None:
    one = trial(0, *units)
    assert (one.state, one.reason, one.score) == (state, reason, score)
    assert one.to_dict()["seeds"] == {str(each.seed): each.score for each in units}


@pytest.mark.parametrize(
    ("parameters", "tokens", "compute"), [(10, 20, 1200.0), (None, 20, None), (10, None, None), (0, 20, None)]
)
def test_compute_is_six_for_each_parameter_and_token(
    parameters: int | None, tokens: int | None, compute: float | None
) -> None:
    assert trial(0, unit(0, parameters=parameters, tokens=tokens)).compute == compute


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=15), st.randoms(use_true_random=False))
def test_only_trials_with_all_their_seeds_are_taken(places: list[tuple[int, int]], random: Any) -> None:
    records = [unit(number, seed, float(number)) for number, seed in places]
    random.shuffle(records)
    found = trials_of(records, (2, 0, 1))
    whole = sorted({number for number, _ in places if {(number, seed) for seed in (0, 1, 2)} <= set(places)})
    assert [one.number for one in found] == whole
    assert all([each.seed for each in one.units] == [2, 0, 1] for one in found)


def test_a_unit_has_a_folder_of_its_own() -> None:
    assert unit_place(3, 12) == "trials/0003/seed-12"
    assert unit_place(12345, 0) == "trials/12345/seed-0"
    one = Unit(trial=3, seed=12, settings={}, recipe={})
    assert (one.place, one.title) == ("trials/0003/seed-12", "trial 3, seed 12")
    assert json.loads(json.dumps(one.to_dict()))["trial"] == 3


TRIALS = [
    trial(0, unit(0, 0, 1.5, parameters=1_000, tokens=2_000)),
    trial(1, unit(1, 0, None, state="failed", reason="the loss is nan")),
    trial(2, unit(2, 0, 1.25)),
    trial(3, unit(3, 0, None, state="pruned", reason="worse than the median")),
    trial(4, unit(4, 0, 1.5)),
]


@pytest.mark.parametrize(
    ("changes", "order"),
    [({}, [2, 0, 4]), ({"direction": "maximize", "objective": "f.py:own"}, [0, 4, 2])],
)
def test_trials_are_ranked_by_the_direction_and_equal_ones_by_number(changes: dict[str, Any], order: list[int]) -> None:
    found = result(TRIALS, **changes)
    assert [one.number for one in found.ranked] == order
    assert found.best is not None
    assert found.best.number == order[0]
    assert [one.number for one in found.failed] == [1]
    assert found.to_dict()["best"] == order[0]


def test_the_text_has_the_best_trials_and_why_the_others_have_no_score() -> None:
    lines = str(result(TRIALS)).splitlines()
    assert lines[0].split() == ["trial", "model.width", "bits_per_byte", "parameters", "tokens"]
    assert lines[1].split() == ["2", "24", "1.2500"]
    assert lines[2].split() == ["0", "8", "1.5000", "1,000", "2,000"]
    assert len({len(line) for line in lines[:4]}) == 1
    assert "trial 1 failed: the loss is nan" in lines
    assert "trial 3 was pruned: worse than the median" in lines


def test_ten_trials_are_shown_and_the_others_counted() -> None:
    lines = str(result([trial(number, unit(number, 0, float(number))) for number in range(13)])).splitlines()
    assert [line.split()[0] for line in lines[1:11]] == [str(number) for number in range(10)]
    assert lines[11] == "and 3 more"


def test_a_sweep_without_trials_has_no_best_one() -> None:
    found = result([])
    assert (found.best, found.ranked, found.failed) == (None, (), ())
    assert found.to_dict() == {
        "name": "s", "objective": "bits_per_byte", "direction": "minimize", "wanted": 1, "trials": [], "best": None,
        "importance": {}, "scaling": [],
    }  # fmt: skip
    assert str(found).split() == ["trial", "bits_per_byte", "parameters", "tokens"]
    assert len(found.to_frame()) == 0


def test_a_score_of_which_more_is_better_has_no_power_law() -> None:
    trials = [
        trial(number, unit(number, 0, 1.0 / size, parameters=size, tokens=100 * size))
        for number, size in enumerate((10, 20, 40, 80, 160, 320))
    ]
    assert result(trials, direction="maximize", objective="f.py:own").scalings == ()
    down = result(trials).scalings
    assert down
    assert any(one.law is not None and one.law.exponent == pytest.approx(1.0, abs=1e-6) for one in down)
    assert all(law_line(one).startswith(f"over {one.axis}: ") for one in down)


def test_the_table_has_a_row_for_each_trial() -> None:
    frame = result(TRIALS).to_frame()
    assert list(frame.trial) == [0, 1, 2, 3, 4]
    assert list(frame["model.width"]) == [8, 16, 24, 32, 40]
    assert list(frame.state) == ["complete", "failed", "complete", "pruned", "complete"]
    assert frame.compute[0] == 6.0 * 1_000 * 2_000
