from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import shoal.tasks
from shoal.tasks import Splitter, known_tasks, make_task
from shoal.tasks.catalog.counting import WORDINGS
from shoal.tasks.declared import declared_kinds

PAGE = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")


def test_the_page_names_every_option_wording_split_shortcut_and_measure() -> None:
    splits = [kind.name for kind in Splitter.__subclasses__()]
    names = [*WORDINGS, *splits, *declared_kinds()]
    for name, entry in known_tasks().items():
        names += [name, *entry.options, *entry.measures]
        # The extra gym is no part of `make install`.
        if name != "reasoning-gym" or find_spec("reasoning_gym"):
            names += make_task(name).shortcuts
    found = [name for name in names if not any(form.format(name) in PAGE for form in ("`{}`", '`"{}"`', "`{{ {} = "))]
    assert found == []


# The rule of reasoning-gym is the table of what it generated.
@pytest.mark.parametrize("name", sorted(known_tasks().keys() - {"reasoning-gym"}))
def test_the_example_of_each_task_is_answered_by_its_rule(name: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |") and " → " in line)
    prompt, completion = re.search(r"`([^`]+)` → `([^`]+)`", row).groups()
    assert make_task(name).rule(prompt) == completion
    assert f"`{known_tasks()[name].structural_split}`" in row


def test_the_exported_names_are_there_and_sorted() -> None:
    assert sorted(shoal.tasks.__all__) == shoal.tasks.__all__
    assert all(hasattr(shoal.tasks, name) for name in shoal.tasks.__all__)
