"""Tables of settings: registered names, bounds, faults in one line, and what a run folder compares."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import ValidationError

from shoal.errors import StoreError
from shoal.experiments.experiment import TrainingTable
from shoal.experiments.settings_file import differing, flatten, read_settings
from shoal.experiments.tables import Count, Name, SettingsTable, fault_line, registered_name, train_settings_of

REGISTRY: dict[str, int] = {"apple": 1, "pear": 2}


class Inner(SettingsTable):
    """A table in a table."""

    count: Count = 1


class Outer(SettingsTable):
    """A file of these tests."""

    name: Name = "x"
    fruit: Annotated[str, registered_name(lambda: REGISTRY)] = "apple"
    inner: Inner = Inner()
    others: tuple[Inner, ...] = ()


def fault(**values: Any) -> str:
    with pytest.raises(ValidationError) as found:
        Outer.model_validate(values)
    return fault_line(found.value, Outer)


def test_a_name_that_is_registered_later_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fault(fruit="plum") == "fruit = 'plum': input should be 'apple' or 'pear'"
    monkeypatch.setitem(REGISTRY, "plum", 3)
    assert Outer(fruit="plum").fruit == "plum"
    assert fault(fruit="fig") == "fruit = 'fig': input should be 'apple', 'pear' or 'plum'"


def test_the_only_name_is_named_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(REGISTRY, "pear")
    assert fault(fruit="plum") == "fruit = 'plum': input should be 'apple'"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"nam": "a"}, "unknown key 'nam'; did you mean 'name'?"),
        ({"zzz": 1}, "unknown key 'zzz'; known here: name, fruit, inner, others"),
        ({"inner": {"cout": 1}}, "unknown key 'inner.cout'; did you mean 'count'?"),
        ({"inner": {"count": 0}}, "inner.count = 0: input should be greater than or equal to 1"),
        ({"inner": {"count": 0}, "name": "../up"}, "(and 1 more)"),
        ({"name": "a" * 70}, "name = '" + "a" * 56 + "...: "),
        ({"name": 3}, "name = 3: input should be a valid string"),
    ],
)
def test_a_fault_is_one_line_with_the_key_and_the_nearest_known_one(values: dict[str, Any], words: str) -> None:
    line = fault(**values)
    assert words in line
    assert "\n" not in line


def test_what_was_chosen_takes_precedence_over_the_table() -> None:
    settings = train_settings_of(TrainingTable(), {"seed": 7, "precision": "bfloat16", "learning_rate": 0.5})
    assert (settings.seed, settings.precision, settings.learning_rate) == (7, "bfloat16", 0.5)
    assert settings.batch_tokens == TrainingTable().batch_tokens


def test_nested_tables_are_flattened_to_dotted_keys() -> None:
    assert flatten({"a": {"b": {"c": 1}, "d": [1]}, "e": None}) == {"a.b.c": 1, "a.d": [1], "e": None}
    assert flatten({}) == {}


def test_a_table_and_its_copy_do_not_differ() -> None:
    table = {"a": {"b": [1, {"c": 2}]}, "d": 0.1}
    assert differing(table, {"d": 0.1, "a": {"b": [1, {"c": 2}]}}) == []
    assert differing(table, table | {"d": 0.2}) == [("d", 0.1, 0.2)]


def test_a_damaged_settings_file_is_named(tmp_path: Any) -> None:
    (tmp_path / "experiment.toml").write_bytes(b"name = \xff")
    with pytest.raises(StoreError, match=r"experiment.toml is damaged .*delete this one"):
        read_settings(tmp_path / "experiment.toml")
