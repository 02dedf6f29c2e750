"""What the page's script is given of each item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.experiments import open_run
from shoal.reports.items import MARGIN_CAP, items_data, windows
from shoal.statistics import even_sample

if TYPE_CHECKING:
    from pathlib import Path


def test_few_tokens_are_shown_whole() -> None:
    assert windows(160, 80) == [(0, 160)]


def test_many_tokens_are_cut_to_beginning_divergence_and_end() -> None:
    assert windows(1300, 700) == [(0, 40), (660, 740), (1260, 1300)]
    assert windows(1300, None) == [(0, 40), (1260, 1300)]


def test_windows_that_touch_become_one() -> None:
    assert windows(1300, 30) == [(0, 70), (1260, 1300)]
    assert windows(1300, 1299) == [(0, 40), (1259, 1300)]


def test_a_sample_is_even_and_in_order() -> None:
    assert even_sample(range(10), 5) == [0, 2, 4, 6, 8]
    assert even_sample(range(3), 5) == [0, 1, 2]
    assert even_sample(range(3), 0) == []


def test_a_long_item_keeps_its_divergence_and_the_least_margin_of_what_is_left_out(hostile: Path) -> None:
    row = next(row for row in items_data(open_run(hostile), max_items=5000)["items"] if row["at"] == 700)
    assert [span[:2] for span in row["spans"]] == [[0, 40], [660, 740], [1260, 1300]]
    assert row["gaps"] == [3.0, None]
    assert row["spans"][1][2][40:42] == [-1.0, None]
    assert row["shared_characters"] == 1401
    assert row["answer"].startswith("2 2")
    assert row["cut"] == 1199 - 240
    assert row["answer_ends"] is False


def test_items_after_training_come_before_those_of_before(hostile: Path) -> None:
    data = items_data(open_run(hostile), max_items=4003)
    stages = [row["stage"] for row in data["items"]]
    assert stages.count("after") == 4002
    assert stages.count("before") == 1
    assert data["total"] == 4008


def test_a_right_item_shares_its_whole_answer_with_the_target(finished: Path) -> None:
    right = next(row for row in items_data(open_run(finished))["items"] if row["exact"])
    assert right["answer"] == ""
    assert right["at"] is None
    assert len(right["spans"]) == 1
    assert all(abs(margin) <= MARGIN_CAP for margin in right["spans"][0][2])
