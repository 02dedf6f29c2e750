"""The summary of a run is read without trust in its files: whatever they hold, it is a row and no fault."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from filelock import FileLock

from shoal.studio.index import RunIndex, RunQuery
from shoal.studio.pages.run_list import effect_text, read_query, verdict_cells
from shoal.studio.queries import Query
from shoal.studio.run_names import PLAN_KINDS, RESULT_FILES, tree_signature
from shoal.studio.summary import RunSummary, find_runs, read_summary

PLAN = 'hypothesis = "It learns é."\npreset = "quick"\nseeds = [0, 1, 2]\n[task]\nname = "counting"\n'
EFFECT = {"estimate": 0.25, "low": -0.5, "high": None}


def write(folder: Path, *, plan: str = PLAN, file: str = "experiment.toml", **files: object) -> Path:
    folder.mkdir(parents=True)
    (folder / file).write_text(plan, encoding="utf-8")
    for name, value in files.items():
        text = value if isinstance(value, str) else json.dumps(value)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def only(root: Path) -> RunSummary:
    (found,) = find_runs(root)
    return read_summary(found)


def test_everything_that_a_row_shows_is_read(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "run", verdict={"verdict": "supported", "effect": EFFECT})
    os.utime(tmp_path / "deep" / "run" / "experiment.toml", (1000, 1000))
    os.utime(tmp_path / "deep" / "run" / "verdict.json", (2000, 2000))
    assert only(tmp_path) == RunSummary(
        name="deep/run",
        kind="experiment",
        state="finished",
        verdict="supported",
        hypothesis="It learns é.",
        task="counting",
        preset="quick",
        effect=0.25,
        low=-0.5,
        high=None,
        seeds=3,
        modified=2000.0,
    )


@pytest.mark.parametrize("key", ["hypotheses", "claims", "verdicts"])
def test_a_run_with_several_claims_shows_each_kind_of_verdict_and_is_found_by_each(tmp_path: Path, key: str) -> None:
    words = ["supported", "underpowered", "supported"]
    write(tmp_path / "several", file="crossed.toml", result={key: [{"verdict": word} for word in words]})
    write(tmp_path / "one", verdict={"verdict": "supported", "effect": EFFECT})
    write(tmp_path / "none", file="recipe.toml", result={})
    assert [read_summary(found).verdict for found in find_runs(tmp_path)] == [None, "supported", ", ".join(words)]
    index = RunIndex(tmp_path, None)
    index.refresh()
    assert index.find(RunQuery()).counts["verdict"] == {"supported": 2, "underpowered": 1}
    assert {run.name for run in index.find(RunQuery(verdict="supported")).runs} == {"several", "one"}
    assert [run.name for run in index.find(RunQuery(verdict="underpowered")).runs] == ["several"]
    shown = index.find(RunQuery(verdict="underpowered")).runs[0]
    assert [(each["sign"], each["text"]) for each in verdict_cells(shown)] == [
        ("✓", "2 supported"),
        ("?", "1 underpowered"),
    ]
    index.stop()


@pytest.mark.parametrize(("file", "kind"), PLAN_KINDS.items())
def test_the_plan_tells_the_kind(tmp_path: Path, file: str, kind: str) -> None:
    write(tmp_path / "run", file=file, plan="{}" if file.endswith(".json") else PLAN)
    assert (only(tmp_path).kind, only(tmp_path).state) == (kind, "stopped")


@pytest.mark.parametrize("result", RESULT_FILES)
def test_a_result_of_any_kind_is_the_end(tmp_path: Path, result: str) -> None:
    folder = write(tmp_path / "run")
    (folder / result).write_text("{}")
    assert only(tmp_path).state == "finished"


def test_a_run_that_is_locked_is_running(tmp_path: Path) -> None:
    folder = write(tmp_path / "run")
    with FileLock(folder / ".lock"):
        assert only(tmp_path).state == "running"
    assert only(tmp_path).state == "stopped"


@pytest.mark.parametrize(
    ("plan", "shown"),
    [
        ('question = "Why?"\n[[hypothesis]]\nname = "a"\nclaim = "It is."', {"hypothesis": "Why?"}),
        ('[[overfit.claims]]\nclaim = "A wins."\n[[overfit.claims]]\nclaim = "B."', {"hypothesis": "A wins. B."}),
        ("overfit = 4", {"hypothesis": ""}),
        ("", {"hypothesis": "", "task": "", "preset": "", "seeds": None}),
        ("seeds = 5", {"seeds": 5}),
        ('seeds = "many"', {"seeds": None}),
        ('question = "What helps?"', {"hypothesis": "What helps?"}),
        ("hypothesis = 3", {"hypothesis": "3"}),
        ('task = "counting"', {"task": ""}),
        ("[task]\nname = 7", {"task": "7"}),
    ],
)
def test_a_plan_of_another_version_shows_what_it_has(tmp_path: Path, plan: str, shown: dict[str, object]) -> None:
    write(tmp_path / "run", plan=plan)
    found = only(tmp_path)
    assert {name: getattr(found, name) for name in shown} == shown
    assert found.error == ""


DAMAGED = {
    "a plan that is no TOML": ({"plan": "name = "}, "Invalid value"),
    "a plan of nothing but brackets": ({"plan": "a = " + "[" * 100_000}, "recursion"),
    "a verdict that is cut": ({"verdict": '{"verdict": "supp'}, "Unterminated string"),
    "a verdict that is a list": ({"verdict": "[]"}, "verdict.json holds a list and no object"),
    "a verdict without an effect": ({"verdict": {"verdict": "supported"}}, "effect"),
    "an effect without an end": ({"verdict": {"verdict": "supported", "effect": {"estimate": 1, "low": 2}}}, "high"),
    "an effect in words": ({"verdict": {"verdict": "x", "effect": {**EFFECT, "low": "much"}}}, "could not convert"),
    "an effect that is a list": ({"verdict": {"verdict": "x", "effect": []}}, "list indices"),
    "a verdict of nothing but brackets": ({"verdict": "[" * 200_000}, "recursion"),
    "a verdict that is too large": ({"verdict": '"' + "x" * 5_000_000 + '"'}, "verdict.json has more than 5,000,000"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_file_that_cannot_be_read_is_a_damaged_run(tmp_path: Path, damage: str) -> None:
    files, error = DAMAGED[damage]
    write(tmp_path / "run", **files)  # type: ignore[arg-type]
    found = only(tmp_path)
    assert found.state == "damaged"
    assert error in found.error
    assert "\n" not in found.error
    assert len(found.error) < 200


def test_a_plan_that_is_no_text_is_a_damaged_run(tmp_path: Path) -> None:
    (write(tmp_path / "run") / "experiment.toml").write_bytes(b"\xff\xfe")
    assert only(tmp_path).state == "damaged"


def test_one_damaged_run_keeps_no_other_from_the_list(tmp_path: Path) -> None:
    for place, (files, _) in enumerate(DAMAGED.values()):
        write(tmp_path / f"bad-{place}", **files)  # type: ignore[arg-type]
    write(tmp_path / "good")
    index = RunIndex(tmp_path, None)
    index.refresh()
    found = index.find(RunQuery(sort="name", descending=False))
    assert index.complete
    assert [run.name for run in found.runs][-1] == "good"
    assert found.counts["state"] == {"damaged": len(DAMAGED), "stopped": 1}


def test_folders_are_walked_four_levels_deep_and_a_run_holds_no_other(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b" / "c" / "d")
    write(tmp_path / "a" / "b" / "c" / "x" / "e")
    write(tmp_path / "run")
    write(tmp_path / "run" / "inner")
    write(tmp_path / ".hidden" / "run")
    (tmp_path / "experiment.toml").write_text(PLAN)
    assert [found.name for found in find_runs(tmp_path)] == ["a/b/c/d", "run"]


def test_a_folder_that_is_not_there_has_no_runs(tmp_path: Path) -> None:
    assert list(find_runs(tmp_path / "none")) == []


def test_a_stamp_changes_with_the_records_and_with_nothing_else(tmp_path: Path) -> None:
    folder = write(tmp_path / "run")
    (first,) = find_runs(tmp_path)
    (folder / "notes.txt").write_text("mine")
    (second,) = find_runs(tmp_path)
    (folder / "timings.jsonl").write_text("{}\n")
    (third,) = find_runs(tmp_path)
    assert first.stamp == second.stamp != third.stamp


def test_the_signature_of_a_folder_leaves_checkpoints_out(tmp_path: Path) -> None:
    folder = write(tmp_path / "run")
    before = tree_signature(folder)
    assert before[:2] == (1, len(PLAN.encode()))
    (folder / "arms" / "checkpoint").mkdir(parents=True)
    (folder / "arms" / "checkpoint" / "weights").write_text("x" * 100)
    assert tree_signature(folder) == before
    (folder / "arms" / "after.jsonl").write_text("12")
    assert tree_signature(folder)[:2] == (2, before[1] + 2)


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        ((None, None, None), ""),
        ((0.25, -0.5, 1.0), "+0.250 [-0.500, +1.000]"),
        ((-0.25, None, 0.125), "-0.250 [-∞, +0.125]"),
        ((0.0, 0.0, None), "+0.000 [+0.000, ∞]"),
    ],
)  # fmt: skip
def test_an_effect_is_written_with_its_interval(numbers: tuple[float | None, ...], wanted: str) -> None:
    effect, low, high = numbers
    run = RunSummary(name="a", kind="experiment", state="finished", effect=effect, low=low, high=high)
    assert effect_text(run) == wanted.replace("-", "\N{MINUS SIGN}")


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, RunQuery()),
        ({"sort": "name"}, RunQuery(sort="name", descending=False)),
        ({"sort": "effect"}, RunQuery(sort="effect", descending=True)),
        ({"sort": "effect", "order": "up"}, RunQuery(sort="effect", descending=False)),
        ({"sort": "name; DROP TABLE runs"}, RunQuery()),
        (
            {"state": "running", "verdict": "refuted", "kind": "sweep"},
            RunQuery(state="running", verdict="refuted", kind="sweep"),
        ),
        ({"state": "odd", "verdict": "odd", "kind": "odd"}, RunQuery()),
        ({"page": "7", "search": "é"}, RunQuery(page=7, search="é")),
    ],
)
def test_an_address_becomes_a_query_of_what_is_known(values: dict[str, str], wanted: RunQuery) -> None:
    assert read_query(Query({name: [value] for name, value in values.items()})) == wanted
