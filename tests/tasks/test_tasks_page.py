from __future__ import annotations

import inspect
from pathlib import Path

import shoal.tasks
from shoal.tasks import Splitter, make_task
from shoal.tasks.catalog.counting import counting
from shoal.tasks.catalog.counting.wording import WORDINGS

PAGE = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")


def test_the_page_names_every_option_wording_split_and_shortcut() -> None:
    options = inspect.signature(counting).parameters
    splits = [kind.name for kind in Splitter.__subclasses__()]
    names = [*options, *WORDINGS, *splits, *make_task("counting").shortcuts]
    assert [name for name in names if f"`{name}`" not in PAGE and f'`"{name}"`' not in PAGE] == []


def test_the_exported_names_are_there_and_sorted() -> None:
    assert sorted(shoal.tasks.__all__) == shoal.tasks.__all__
    assert all(hasattr(shoal.tasks, name) for name in shoal.tasks.__all__)
