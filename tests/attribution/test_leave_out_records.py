"""The file of a leave-out, and its summary worked out by hand."""

from __future__ import annotations

import itertools
import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from shoal.attribution.leave_out_records import LeaveOutStore, TrainedWithout
from shoal.attribution.leave_out_result import summarize_leave_out
from shoal.errors import StoreError
from shoal.tasks import Example, Split, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GROUPS: dict[str, tuple[bool, ...]] = {"odd\u2028": (True, False), "évén": (False, True)}


def task(name: str = "letters", *, completion: str = " a") -> Task:
    examples = tuple(
        Example(prompt=prompt, completion=completion, tags={"held": held})
        for prompt, held in (("a", False), ("b", False), ("c", True))
    )
    return Task(
        name=name, examples=examples, split=Split(name="held", holds_out=lambda example: bool(example.tags["held"])),
        rule=lambda prompt: completion, shortcuts={"first": lambda prompt, seen: " a"},
    )  # fmt: skip


def record(group: str | None, seed: int, accuracy: float, *, control: bool = False, **shares: float) -> TrainedWithout:
    return TrainedWithout(
        group=group, control=control, seed=seed, removed=0 if group is None else 1, accuracy=accuracy, shares=shares
    )


RECORDS = [record(None, 0, 0.5, rule=0.5), record("odd\u2028", 0, 0.25), record("évén", 1, 1.0, control=True)]


def opened(folder: Path | None, groups: Mapping[str, Sequence[bool]] = GROUPS, recipe: str = "r") -> LeaveOutStore:
    return LeaveOutStore(folder, task(), groups, recipe)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = opened(tmp_path / "out")
    for one in RECORDS:
        assert store.add(one) == one
    return tmp_path / "out"


def found(store: LeaveOutStore) -> list[TrainedWithout]:
    places = itertools.product((None, *GROUPS), (False, True), range(3))
    return [one for place in places if (one := store.find(*place)) is not None]


def test_trainings_are_found_again_whatever_their_group_is_called(folder: Path) -> None:
    assert found(opened(folder)) == RECORDS
    assert len((folder / "leave_out.jsonl").read_bytes().splitlines()) == 1 + len(RECORDS)


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = opened(None)
    store.add(RECORDS[0])
    assert store.find(None, False, 0) == RECORDS[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_line_that_was_cut_short_is_trained_again(folder: Path, cut: int) -> None:
    path = folder / "leave_out.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    store = opened(folder)
    # The end of a line is all that is missing of the first one: its values are whole.
    assert found(store) == (RECORDS if cut == 1 else RECORDS[:2])
    store.add(RECORDS[2])
    assert found(opened(folder)) == RECORDS


def test_a_first_line_that_was_cut_short_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "leave_out.jsonl"
    path.write_text('{"leave_o', encoding="utf-8")
    opened(tmp_path).add(RECORDS[0])
    assert found(opened(tmp_path)) == RECORDS[:1]


@pytest.mark.parametrize(
    "change",
    [
        {"groups": {"odd\u2028": (True, True), "évén": (False, True)}},
        {"groups": {"odd": (True, False)}},
        {"recipe": "other"},
    ],
)
def test_another_leave_out_is_refused_and_left_alone(folder: Path, change: dict[str, Any]) -> None:
    before = (folder / "leave_out.jsonl").read_bytes()
    with pytest.raises(StoreError, match="is of another task, other groups or another recipe; give a new folder"):
        opened(folder, **change)
    assert (folder / "leave_out.jsonl").read_bytes() == before


@pytest.mark.parametrize("other", [task("words"), task(completion=" b")])
def test_another_task_is_refused(folder: Path, other: Task) -> None:
    with pytest.raises(StoreError, match="is of another task"):
        LeaveOutStore(folder, other, GROUPS, "r")


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[1, 2]",
        b"7",
        b'{"group": null}',
        b'{"group": null, "control": false, "seed": 0, "removed": 0, "accuracy": 1, "shares": {}, "more": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=["open", "list", "number", "few keys", "more keys", "no text", "nested"],
)
def test_a_damaged_line_is_named_and_the_file_left_alone(folder: Path, line: bytes) -> None:
    path = folder / "leave_out.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    content = b"".join([*lines[:2], line + b"\n", *lines[2:]])
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"leave_out\.jsonl, line 3, is damaged; remove the line, and its training"):
        opened(folder)
    assert path.read_bytes() == content


def test_nothing_but_the_file_is_left_in_the_folder(folder: Path) -> None:
    opened(folder)
    assert [path.name for path in folder.iterdir()] == ["leave_out.jsonl"]


def summary(seeds: int, confidence: float = 0.95) -> Any:
    records = []
    for seed in range(seeds):
        shift = seed / 100
        records += [
            record(None, seed, 0.5 + shift, rule=0.5, first=0.5, rare=0.04),
            record("A", seed, 0.8 + shift, rule=0.75, first=0.25, rare=0.0),
            record("A", seed, 0.6 + shift, control=True, rule=0.5, first=0.5, rare=0.01),
            record("B", seed, 0.4 + shift, first=0.0, late=0.9),
            record("B", seed, 0.5 + shift, control=True, rule=0.5),
        ]
    return summarize_leave_out(task(), records, confidence)


def test_changes_are_against_all_examples_and_against_random_ones() -> None:
    result = summary(6)
    assert (result.task, result.seeds, result.held_out) == ("letters", (0, 1, 2, 3, 4, 5), 1)
    # rare reaches 0.05 nowhere; late does where B is left out.
    assert list(result.all_examples) == ["accuracy", "rule", "first", "late"]
    assert result.all_examples["accuracy"] == pytest.approx(0.525)
    one, two = result.groups
    assert (one.group, one.examples, two.group) == ("A", 1, "B")
    estimates = {name: round(change.estimate, 9) for name, change in one.changes.items()}
    assert estimates == {"accuracy": 0.3, "rule": 0.25, "first": -0.25, "late": 0.0}
    assert {name: round(change.estimate, 9) for name, change in one.beyond_chance.items()} == {
        "accuracy": 0.2, "rule": 0.25, "first": -0.25, "late": 0.0,
    }  # fmt: skip
    assert two.changes["rule"].estimate == pytest.approx(-0.5)
    assert two.beyond_chance["late"].estimate == pytest.approx(0.9)
    # Every seed changes alike, and six seeds reach 95%.
    assert one.changes["accuracy"].by_seed == pytest.approx((0.3,) * 6)
    assert (one.changes["accuracy"].low, one.changes["accuracy"].high) == pytest.approx((0.3, 0.3), abs=1e-6)


@pytest.mark.parametrize(("seeds", "confidence", "needed"), [(1, 0.95, 6), (5, 0.95, 6), (6, 0.99, 8)])
def test_too_few_seeds_bound_nothing_and_the_text_says_how_many_do(seeds: int, confidence: float, needed: int) -> None:
    result = summary(seeds, confidence)
    change = result.groups[0].changes["accuracy"]
    assert (change.low, change.high) == (-math.inf, math.inf)
    assert str(result).endswith(f"An interval of {100 * confidence:g}% needs {needed} seeds or more.")
    plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert plain["groups"][0]["changes"]["accuracy"]["low"] is None
    assert plain["groups"][0]["beyond_chance"]["accuracy"]["high"] is None
    assert plain["groups"][0]["changes"]["accuracy"]["estimate"] == pytest.approx(0.3)


def test_the_text_and_the_table_hold_every_change() -> None:
    result = summary(6)
    text = str(result)
    assert text.startswith("Trained without each group; 6 seeds, 1 held-out example:\n")
    assert "without A (1 example)" in text
    assert "  rule: 0.50 +0.25 [+0.25, +0.25]; beyond chance +0.25 [+0.25, +0.25]" in text
    assert "needs" not in text
    frame = result.to_frame()
    assert len(frame) == 2 * 4
    row = frame[(frame.group == "B") & (frame.quantity == "rule")].iloc[0]
    assert (row.with_all, row.change, row.change_beyond_chance) == pytest.approx((0.5, -0.5, -0.5))
