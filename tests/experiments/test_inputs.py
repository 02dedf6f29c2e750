"""A run that is resumed reads what it read when it was begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shoal.errors import StoreError
from shoal.experiments.inputs import keep_inputs
from shoal.experiments.store import RunStore
from shoal.experiments.tables import SettingsTable

if TYPE_CHECKING:
    from pathlib import Path


class Corpus(SettingsTable):
    source: str


class Plan(SettingsTable):
    name: str
    corpora: tuple[Corpus, ...]
    ids: str | None = None


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "one.txt").write_text("one")
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "two.txt").write_text("two")
    sources = (
        str(tmp_path / "one.txt"),
        str(tmp_path / "many"),
        "hub:org/name",
        "/",
        "no\0path",
        "x" * 9000,
        "/" + "x" * 300,
    )
    return Plan(name="plan", corpora=tuple(Corpus(source=source) for source in sources))


def opened(folder: Path, plan: Plan) -> None:
    store = RunStore(folder, plan, plan="plan.toml")
    try:
        keep_inputs(store, plan)
    finally:
        store.close()


@pytest.mark.parametrize("name", ["one.txt", "many/two.txt", "many/three.txt"])
def test_a_run_goes_on_with_the_same_files_and_not_with_edited_ones(tmp_path: Path, plan: Plan, name: str) -> None:
    opened(tmp_path / "run", plan)
    opened(tmp_path / "run", plan)
    before = (tmp_path / name).read_text() if (tmp_path / name).exists() else None
    (tmp_path / name).write_text("other")
    with pytest.raises(StoreError, match=rf"other contents of .*{name.split('/')[0]}; put them back"):
        opened(tmp_path / "run", plan)
    if before is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(before)
    opened(tmp_path / "run", plan)


def test_a_file_that_is_gone_is_left_to_what_needs_it(tmp_path: Path, plan: Plan) -> None:
    opened(tmp_path / "run", plan)
    held = (tmp_path / "run" / "inputs.json").read_text()
    (tmp_path / "one.txt").unlink()
    opened(tmp_path / "run", plan)
    assert (tmp_path / "run" / "inputs.json").read_text() == held
