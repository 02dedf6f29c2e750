"""The index of runs: what is found, how it is searched, and that a request never builds it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from shoal.studio import index as index_module
from shoal.studio.index import PAGE_SIZE, RunIndex, RunQuery

PLAN = 'name = "{name}"\nhypothesis = "{name} learns"\nseeds = [0, 1]\n[task]\nname = "{task}"\n'


def write_small(root: Path, name: str, *, task: str = "counting", estimate: float | None = None) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "experiment.toml").write_text(PLAN.format(name=name, task=task))
    if estimate is not None:
        effect = {"estimate": estimate, "low": None, "high": estimate + 0.1}
        (folder / "verdict.json").write_text(json.dumps({"verdict": "supported", "effect": effect}))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_small(tmp_path, "a", estimate=0.5)
    write_small(tmp_path, "deep/er/b", estimate=-0.2, task="parity")
    write_small(tmp_path, "c_under")
    (write_small(tmp_path, "broken") / "experiment.toml").write_text("name = ")
    write_small(tmp_path, ".hidden/d")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "sweep.toml").write_text("")
    return tmp_path


@pytest.fixture
def index(root: Path) -> RunIndex:
    found = RunIndex(root, None)
    found.refresh()
    return found


def names(index: RunIndex, **query: object) -> list[str]:
    return [run.name for run in index.find(RunQuery(**query)).runs]  # type: ignore[arg-type]


def test_runs_are_found_at_any_depth_without_hidden_folders_and_links(index: RunIndex) -> None:
    assert names(index, sort="name", descending=False) == ["a", "broken", "c_under", "deep/er/b", "sweep"]


def test_runs_are_filtered_searched_and_sorted(index: RunIndex) -> None:
    assert names(index, state="finished", sort="effect") == ["a", "deep/er/b"]
    assert names(index, sort="effect", descending=False)[:2] == ["deep/er/b", "a"]
    assert names(index, kind="sweep") == ["sweep"]
    assert names(index, state="damaged") == ["broken"]
    assert names(index, search="PARITY learns") == ["deep/er/b"]
    # Signs that a search of SQL has are letters here.
    assert names(index, search="c_u") == ["c_under"]
    assert names(index, search="%") == []
    assert names(index, search="x' OR '1'='1") == []


def test_a_run_is_read_again_when_it_changes_and_forgotten_when_it_is_gone(root: Path, index: RunIndex) -> None:
    effect = {"estimate": 0.9, "low": 0.8, "high": 1.0}
    (root / "c_under" / "verdict.json").write_text(json.dumps({"verdict": "refuted", "effect": effect}))
    shutil.rmtree(root / "a")
    index.refresh()
    assert names(index, state="finished", sort="effect") == ["c_under", "deep/er/b"]


def test_an_unchanged_run_is_not_read_again(root: Path, index: RunIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = index_module.read_summary
    monkeypatch.setattr(index_module, "read_summary", lambda found: (read.append(found.name), real(found))[1])
    index.refresh()
    # What is not at its end may have been locked or released without a change of its records.
    assert read == ["c_under", "sweep"]
    index.find(RunQuery())
    assert read == ["c_under", "sweep"]


def test_the_index_outlives_the_studio_and_a_damaged_one_is_made_again(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "index.sqlite"
    first = RunIndex(root, file)
    first.refresh()
    first.stop()
    second = RunIndex(root, file)
    assert len(names(second)) == 5
    second.stop()
    file.write_bytes(b"no data base" * 1000)
    for more in ("-wal", "-shm"):
        Path(f"{file}{more}").unlink(missing_ok=True)
    third = RunIndex(root, file)
    assert names(third) == []
    third.refresh()
    assert len(names(third)) == 5
    third.stop()


def test_many_runs_are_given_page_by_page(tmp_path: Path) -> None:
    for number in range(PAGE_SIZE + 5):
        write_small(tmp_path, f"run-{number:04d}")
    index = RunIndex(tmp_path, None)
    index.refresh()
    last = index.find(RunQuery(sort="name", descending=False, page=99))
    assert (last.page, last.pages, len(last.runs), last.matching) == (2, 2, 5, PAGE_SIZE + 5)


@pytest.mark.parametrize("descending", [False, True])
def test_runs_without_a_task_stand_last_in_either_order(index: RunIndex, descending: bool) -> None:
    with_task = ["deep/er/b", "a", "c_under"] if descending else ["a", "c_under", "deep/er/b"]
    assert names(index, sort="task", descending=descending) == [*with_task, "broken", "sweep"]


def test_a_search_takes_capitals_and_small_letters_of_any_alphabet_for_the_same(tmp_path: Path) -> None:
    for name in ("Größe", "ЧИСЛА", "plain"):
        write_small(tmp_path, name)
    index = RunIndex(tmp_path, None)
    index.refresh()
    assert names(index, search="GRÖSSE") == names(index, search="größe LEARNS") == ["Größe"]
    assert names(index, search="числа") == ["ЧИСЛА"]
    assert not names(index, search="é")
