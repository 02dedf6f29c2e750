from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st
from item_records import item_record

from shoal.errors import ExperimentFileError
from shoal.experiments import MEASURES, Measure, load_experiment, register_measure
from shoal.experiments.loading import experiment_from
from shoal.experiments.measures import gain, mean_of, measures_of
from shoal.experiments.tables import as_table

if TYPE_CHECKING:
    from shoal.experiments import ItemRecord

KINDS = [None, "ended-early", "went-on", "other"]


def item(kind: str | None, *, at: int = 2, tokens: int = 8) -> ItemRecord:
    return item_record(
        exact_match=kind is None,
        string_match=kind is None,
        divergence=kind,
        first_divergence=None if kind is None else at,
        tokens=tokens,
        token_accuracy=0.5,
        bits_per_byte=2.0,
    )


def test_a_stopping_error_is_no_counting_error() -> None:
    rows = [item(kind) for kind in KINDS]
    assert mean_of("exact_match", rows) == 1 / 4
    assert mean_of("counting", rows) == 3 / 4
    assert mean_of("stopping", rows) == pytest.approx(1 / 3)


@given(st.lists(st.sampled_from(KINDS), min_size=1))
def test_exact_match_is_counting_times_stopping(kinds: list[str | None]) -> None:
    rows = [item(kind) for kind in kinds]
    counting, stopping = mean_of("counting", rows), mean_of("stopping", rows)
    assert counting is not None
    assert mean_of("exact_match", rows) == pytest.approx(counting * (stopping or 0.0))


def test_stopping_has_no_value_where_nothing_counts_right() -> None:
    assert mean_of("stopping", [item("other")]) is None


def test_the_agreed_prefix_is_all_of_a_right_item() -> None:
    assert mean_of("agreed_prefix", [item(None), item("other", at=2, tokens=8)]) == (1 + 0.25) / 2


def test_a_measure_that_was_not_taken_has_no_value() -> None:
    assert mean_of("bits_per_byte", [replace(item(None), bits_per_byte=None)]) is None
    assert mean_of("string_match", [replace(item(None), string_match=None)]) is None


def test_a_gain_is_positive_where_less_is_better_and_it_is_less() -> None:
    assert gain("exact_match", 0.75, 0.5) == 0.25
    assert gain("bits_per_byte", 1.5, 2.0) == 0.5


def test_every_measure_says_what_it_means() -> None:
    for measure in MEASURES.values():
        assert measure.label
        assert len(measure.meaning) > 20


def test_a_measure_that_is_registered_can_be_the_primary_one() -> None:
    table = as_table(load_experiment("counting"))
    table["measure"] = {"primary": "short_answers", "smallest_effect": 0.1}
    with pytest.raises(
        ExperimentFileError, match=r"measure.primary = 'short_answers': input should be 'exact_match', "
    ):
        experiment_from(table, "test")
    register_measure(
        Measure(
            name="short_answers",
            label="short answers",
            meaning="share of items whose greedy text is short",
            item=lambda one: float(len(one.greedy_text or "") < 3),
        )
    )
    try:
        assert experiment_from(table, "test").measure.primary == "short_answers"
        assert mean_of("short_answers", [item(None), replace(item(None), greedy_text=" 111")]) == 0.5
    finally:
        del MEASURES["short_answers"]


def test_a_task_has_its_own_measures_and_not_those_of_others() -> None:
    counting, addition, rows = (set(measures_of(task)) for task in ("counting", "addition", None))
    assert counting - rows == {"counting", "stopping"}
    assert addition - rows == {"last_digit", "digit_count"}
    assert set(measures_of("copy")) == set(measures_of("sort"))
    assert rows >= {"exact_match", "agreed_prefix", "string_match", "token_accuracy", "bits_per_byte"}


def test_a_measure_of_answers_reads_the_greedy_text() -> None:
    row = replace(item("other"), completion=" 42", greedy_text=" 52")
    assert mean_of("last_digit", [row, replace(row, greedy_text=" 43"), replace(row, greedy_text=None)]) == 0.5
    assert mean_of("digit_count", [row, replace(row, greedy_text=" 4"), replace(row, greedy_text=" an")]) == 1 / 3
    right = MEASURES["last_digit"].right
    assert right is not None
    assert [right(one) for one in (row, replace(row, greedy_text=" 43"))] == [True, False]
    assert MEASURES["places"].right is None


@pytest.mark.parametrize(
    ("key", "table"),
    [
        ("measure.primary", {"measure": {"primary": "stopping", "smallest_effect": 0.1}}),
        ("tuning.score", {"tuning": {"learning_rates": [1e-3], "score": "stopping"}}),
        ("controls.training_ceiling.measure", {"controls": {"training_ceiling": {"measure": "stopping"}}}),
    ],
)
def test_a_measure_of_another_task_is_refused(key: str, table: dict[str, object]) -> None:
    plan = as_table(load_experiment("counting")) | {"task": {"name": "addition"}, "split": {"name": "random"}}
    experiment_from(plan, "test")
    message = f"{key} = 'stopping' is a measure of counting alone; for the task 'addition' give one of exact_match, "
    with pytest.raises(ExperimentFileError, match=message):
        experiment_from(plan | table, "test")
