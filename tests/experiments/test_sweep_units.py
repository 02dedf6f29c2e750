"""Units without trainings: locks between processes, records, and the rule by which a trial is pruned."""

from __future__ import annotations

import json
import multiprocessing
from types import SimpleNamespace
from typing import Any

import pytest

from shoal.errors import StoreError, UsageError, WorkerError
from shoal.experiments.sweeps.objective import Pruned, Pruner, locate_objective, score_of
from shoal.experiments.sweeps.trials import Trial, Unit, UnitRecord, trials_of
from shoal.experiments.sweeps.units import do_unit, ended_record, locked, read_record, write_record

FORK = multiprocessing.get_context("fork")


def hold(file: Any, held: Any, release: Any) -> None:
    with locked(file, "the trial"):
        held.set()
        release.wait()


def test_a_lock_of_another_process_is_waited_for_and_then_named(tmp_path: Any) -> None:
    held, release = FORK.Event(), FORK.Event()
    child = FORK.Process(target=hold, args=(tmp_path / ".lock", held, release))
    child.start()
    held.wait()
    with (
        pytest.raises(WorkerError, match="another process holds the trial"),
        locked(tmp_path / ".lock", "the trial", timeout=0.2),
    ):
        raise AssertionError("the lock was held twice")
    release.set()
    with locked(tmp_path / ".lock", "the trial"):
        pass
    child.join()


def test_a_lock_ends_with_the_process_that_was_killed(tmp_path: Any) -> None:
    held = FORK.Event()
    child = FORK.Process(target=hold, args=(tmp_path / ".lock", held, FORK.Event()))
    child.start()
    held.wait()
    child.kill()
    with locked(tmp_path / ".lock", "the trial", timeout=60.0):
        pass
    child.join()


def test_an_error_under_the_lock_is_passed_on_and_the_lock_is_free(tmp_path: Any) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / ".lock", "the trial"):
        raise ZeroDivisionError
    with locked(tmp_path / ".lock", "the trial", timeout=0.0):
        pass


def test_a_folder_that_this_machine_does_not_see_ends_the_sweep(tmp_path: Any) -> None:
    with pytest.raises(StoreError, match="is not visible from this machine"):
        do_unit(tmp_path / "none", {"trial": 0, "seed": 0}, "bits_per_byte")


def test_a_record_is_read_back_and_a_strange_one_is_named(tmp_path: Any) -> None:
    record = UnitRecord(trial=3, seed=1, settings={"a": 1}, state="complete", score=0.5, scores={"x": 0.5})
    assert read_record(tmp_path, 3, 1) is None
    write_record(tmp_path, record)
    assert read_record(tmp_path, 3, 1) == record
    (tmp_path / "trials" / "0003" / "seed-1" / "done.json").write_text('{"mood": "good"}')
    with pytest.raises(StoreError, match="is no record of a trial"):
        read_record(tmp_path, 3, 1)


def test_the_reason_of_a_failure_is_one_line() -> None:
    unit = Unit(trial=1, seed=2, settings={}, recipe={})
    assert unit.title == "trial 1, seed 2"
    assert ended_record(unit.to_dict(), "no\n  room\tleft").reason == "no room left"
    assert ended_record(unit.to_dict(), "slow", "pruned").state == "pruned"


def unit_record(trial: int, seed: int, score: float | None, **more: Any) -> UnitRecord:
    state = "complete" if score is not None else "failed"
    return UnitRecord(**{"trial": trial, "seed": seed, "settings": {}, "state": state, "score": score, **more})


def test_a_trial_is_complete_where_all_of_its_seeds_are() -> None:
    records = [
        unit_record(1, 1, 0.4),
        unit_record(0, 0, 0.2),
        unit_record(1, 0, None, reason="x"),
        unit_record(0, 1, 0.4),
    ]
    first, second = trials_of(records, [0, 1])
    assert (first.number, first.state) == (0, "complete")
    assert first.score == pytest.approx(0.3)
    assert (second.state, second.score, second.reason) == ("failed", None, "x")
    assert trials_of(records[:2], [0, 1]) == ()


def test_the_compute_of_a_trial_is_six_operations_for_each_parameter_and_token() -> None:
    unit = unit_record(0, 0, 1.0, parameters=10, tokens=7)
    assert Trial(number=0, settings={}, units=(unit,)).compute == 420.0
    assert Trial(number=0, settings={}, units=(unit_record(0, 0, 1.0),)).compute is None


def evaluation(step: int, **scores: float) -> Any:
    return SimpleNamespace(
        step=step, scores={name: SimpleNamespace(bits_per_byte=score) for name, score in scores.items()}
    )


def test_a_trial_is_pruned_at_the_first_share_where_it_is_behind(tmp_path: Any) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"steps": 100}))
    pruner = Pruner({"0.3": 2.0, "0.6": 1.0}, "bits_per_byte", tmp_path)
    pruner.judge(evaluation(20, a=9.0, b=9.0))  # no share is reached yet
    pruner.judge(evaluation(30, a=2.5, b=1.5))  # the mean is just what is required
    pruner.judge(evaluation(50, a=9.0, b=9.0))  # between two shares nothing is judged
    with pytest.raises(Pruned, match=r"bits_per_byte was 1.5000 at step 60 of 100, above the median 1.0000"):
        pruner.judge(evaluation(60, a=1.5, b=1.5))


def test_one_corpus_can_be_the_objective_of_pruning(tmp_path: Any) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"steps": 10}))
    Pruner({"0.5": 1.0}, "bits_per_byte.a", tmp_path).judge(evaluation(5, a=0.5, b=9.0))
    with pytest.raises(Pruned, match=r"bits_per_byte\.b was 9\.0000"):
        Pruner({"0.5": 1.0}, "bits_per_byte.b", tmp_path).judge(evaluation(5, a=0.5, b=9.0))


@pytest.mark.parametrize("given", [True, "0.5", None])
def test_an_objective_that_gives_no_number_is_refused(tmp_path: Any, given: Any) -> None:
    (tmp_path / "own.py").write_text(f"def score(result): return {given!r}")
    with pytest.raises(UsageError, match="it must give a number"):
        score_of(f"{tmp_path}/own.py:score", None)  # type: ignore[arg-type]


def test_scores_of_corpora_are_averaged_and_a_missing_one_is_an_error() -> None:
    result: Any = SimpleNamespace(bits_per_byte={"a": 1.0, "b": 2.0})
    assert score_of("bits_per_byte", result) == 1.5
    assert score_of("bits_per_byte.b", result) == 2.0
    with pytest.raises(UsageError, match=r"no held-out document was scored for bits_per_byte\.c"):
        score_of("bits_per_byte.c", result)


def test_the_file_of_an_objective_is_found_from_the_sweep_file(tmp_path: Any) -> None:
    assert locate_objective("own.py:score", tmp_path) == f"{tmp_path.resolve()}/own.py:score"
    assert locate_objective("package.module:score", tmp_path) == "package.module:score"
    assert locate_objective("bits_per_byte", tmp_path) == "bits_per_byte"
