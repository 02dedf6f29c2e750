from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from item_records import item_record

from shoal.errors import StoreError, UnknownNameError, UsageError
from shoal.experiments import compare_runs
from shoal.experiments.loading import experiment_from
from shoal.experiments.records import arm_place
from shoal.experiments.storage import write_json, write_jsonl
from shoal.experiments.store import RunStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PLAN: dict[str, Any] = {
    "name": "small",
    "hypothesis": "One beats two.",
    "treatment": "one",
    "baseline": "two",
    "seeds": 6,
    "task": {"name": "counting", "options": {"largest": 20}},
    "split": {"name": "last-digit"},
    "arms": {"one": "a/b", "two": "random:a/b"},
    "measure": {"primary": "exact_match", "smallest_effect": 0.2},
    "controls": {"shuffled_weights": False},
}


def item(number: int, *, right: bool, split: str = "held_out") -> dict[str, Any]:
    record = item_record(
        split=split,
        prompt=f"to {number}:",
        completion=" 1" * number,
        tags={"index": number},
        exact_match=right,
        string_match=right,
        divergence=None if right else "other",
        first_divergence=None if right else 1,
        tokens=4,
        token_accuracy=0.5,
        bits_per_byte=1.0 if right else 2.0,
    )
    return asdict(record)


def write_run(
    folder: Path, right: Mapping[str, Sequence[int]], *, items: Sequence[int] = range(10), **changes: Any
) -> Path:
    """A finished run whose arms have so many held-out items right, seed by seed."""
    experiment = experiment_from(PLAN | changes, "test")
    RunStore(folder, experiment).close()
    for arm, counts in right.items():
        for seed, count in zip(experiment.seeds, counts, strict=True):
            rows = [item(number, right=place < count) for place, number in enumerate(items)]
            write_jsonl(folder / arm_place(arm, seed) / "after.jsonl", [item(99, right=True, split="seen"), *rows])
    write_json(folder / "verdict.json", {})
    return folder


def test_two_runs_are_compared_seed_by_seed_on_every_measure(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", {"one": [6, 7, 8, 6, 7, 8]})
    second = write_run(tmp_path / "b", {"one": [3, 3, 4, 2, 3, 3]}, arms={"one": "c/d", "two": "random:c/d"})
    found = compare_runs(first, second)
    exact = next(row for row in found.differences if row.measure == "exact_match")
    assert (exact.first, exact.second) == (pytest.approx(0.7), pytest.approx(0.3))
    assert exact.estimate == pytest.approx(0.4)
    assert (exact.low, exact.high) == (pytest.approx(0.3), pytest.approx(0.5))
    assert exact.p_value == 2 / 64
    bits = next(row for row in found.differences if row.measure == "bits_per_byte")
    assert bits.estimate == pytest.approx(0.4)
    assert (found.seeds, found.items) == (6, 10)
    assert found.mcnemar["0"] == {"only_first": 3, "only_second": 0, "p_value": 0.25}
    json.dumps(found.to_dict(), allow_nan=False)


def test_items_are_paired_by_what_they_are_and_not_by_their_place(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", {"one": [5] * 6}, items=range(10))
    second = write_run(tmp_path / "b", {"one": [5] * 6}, items=range(9, -1, -1))
    assert compare_runs(first, second).mcnemar["0"] == {"only_first": 5, "only_second": 5, "p_value": 1.0}


def test_two_arms_of_one_run_can_be_compared(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", {"one": [6] * 6, "two": [2] * 6})
    found = compare_runs(run, run, second_arm="two")
    assert found.differences[0].estimate == pytest.approx(0.4)
    assert found.second.endswith("(two)")
    with pytest.raises(UsageError, match="given twice"):
        compare_runs(run, run)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"task": {"name": "counting", "options": {"largest": 30}}}, "task.options.largest is 20 in .*a and 30 in .*b"),
        ({"split": {"name": "length"}}, "split.name is 'last-digit'"),
        ({"training": {"epochs": 3}}, "training.epochs is 10.0"),
        ({"evaluation": {"token_budget": 5}}, "evaluation.token_budget is 4096"),
        ({"seeds": [1, 2, 3, 4, 5, 6]}, "seeds is"),
    ],
)
def test_runs_with_other_settings_are_refused_with_the_difference(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    first = write_run(tmp_path / "a", {"one": [5] * 6})
    second = write_run(tmp_path / "b", {"one": [5] * 6}, **change)
    with pytest.raises(UsageError, match=words):
        compare_runs(first, second)


def test_runs_with_other_items_are_refused(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", {"one": [5] * 6})
    second = write_run(tmp_path / "b", {"one": [5] * 6}, items=range(1, 11))
    with pytest.raises(UsageError, match="share 9"):
        compare_runs(first, second)


def test_a_folder_that_is_no_finished_run_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", {"one": [5] * 6})
    with pytest.raises(StoreError, match="is not a run"):
        compare_runs(run, tmp_path)
    (run / "verdict.json").unlink()
    with pytest.raises(StoreError, match="has not come to its end"):
        compare_runs(run, run, second_arm="two")


def test_an_unknown_arm_names_the_nearest(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", {"one": [5] * 6})
    with pytest.raises(UnknownNameError, match="did you mean 'two'"):
        compare_runs(run, run, second_arm="tow")


def test_a_comparison_prints_itself_and_gives_a_frame(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    run = write_run(tmp_path / "a", {"one": [6] * 6, "two": [2] * 6})
    found = compare_runs(str(run), run, second_arm="two")
    text = str(found)
    assert text.startswith(f"{run} (one) against {run} (two): 6 seeds, 10 held-out items")
    assert "exact_match         0.600    0.200      +0.400  [+0.400, +0.400]  0.0312" in text
    assert "seed 5: 4 right in the first alone, 0 in the second alone, p 0.1250" in text
    frame = found.to_frame().set_index("measure")
    assert frame.loc["exact_match", "estimate"] == pytest.approx(0.4)
    assert list(frame.index) == [row.measure for row in found.differences]
