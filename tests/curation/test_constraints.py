"""Combinations are drawn evenly, texts are checked against them, and what is missing is named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from shoal.curation.constraints import (
    ConstraintAxis,
    ConstraintSpace,
    find_check,
    load_constraints,
    measure_coverage,
)
from shoal.errors import DataError, UnknownNameError, UsageError


def space_of(*sizes: int) -> ConstraintSpace:
    axes = [
        ConstraintAxis(name=f"axis{place}", values=tuple(f"value{place}x{k}" for k in range(size)))
        for place, size in enumerate(sizes)
    ]
    return ConstraintSpace(axes=tuple(axes), template=" ".join(f"{{{axis.name}}}" for axis in axes))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(1, 40), st.integers(0, 99))
def test_every_value_is_drawn_equally_often_up_to_one(sizes: list[int], count: int, seed: int) -> None:
    space = space_of(*sizes)
    rows = space.draw(count, seed=seed)
    assert len(rows) == count
    for axis in space.axes:
        counts = Counter(row[axis.name] for row in rows)
        assert max(counts.values()) - min(counts[value] for value in axis.values) <= 1
    assert rows == space.draw(count, seed=seed)


def test_no_combination_is_drawn_twice_before_all_are() -> None:
    for count, most in ((12, 1), (24, 2), (20, 2)):
        rows = space_of(3, 4).draw(count)
        assert max(Counter(row["prompt"] for row in rows).values()) == most


@pytest.mark.parametrize(
    ("check", "value", "text", "met"),
    [
        ("mention", "the falling stars", "A star falls.", True),
        ("mention", "falling stars", "A star.", False),
        ("function", "add_all", "def add_all(items):\n    return sum(items)", True),
        ("function", "add_all", "def add(items):\n    return add_all(items)", False),
        ("function", "add_all", "def add_all(items) return", False),
        ("grade", "grades 0-3", "The cat sat. The dog ran. We had fun.", False),
        ("grade", "0-6", "The cat sat on the mat with a small dog. They had some fun in the sun together.", True),
        ("none", "anything", "x", True),
    ],
)
def test_a_text_meets_its_constraint_or_not(check: str, value: str, text: str, met: bool) -> None:
    assert find_check(check).is_met(text, value) is met


def test_coverage_counts_what_is_met_and_names_what_is_missing() -> None:
    space = ConstraintSpace(
        axes=(
            ConstraintAxis(name="topic", values=("rain", "snow", "wind")),
            ConstraintAxis(name="tone", values=("glad", "sad"), check="none"),
        ),
        template="{topic} {tone}",
    )
    rows = [
        {"text": "It rains.", "topic": "rain", "tone": "glad"},
        {"text": "It snows.", "topic": "snow", "tone": "glad"},
        {"text": "Sun.", "topic": "wind", "tone": "sad"},
        {"text": "Rain again.", "topic": "rain", "tone": "sad"},
    ]
    found = measure_coverage(rows, space)
    topic, tone = found.axes
    assert (found.all_met, topic.met, topic.missing, topic.counts) == (
        3,
        3,
        ("wind",),
        {"rain": 2, "snow": 1, "wind": 0},
    )
    assert (found.pairs, found.pairs_covered) == (6, 3)
    assert topic.evenness == pytest.approx(0.579, abs=0.001)  # H(2/3, 1/3) / log 3
    assert tone.evenness == 1
    assert topic.low < 0.75 < topic.high
    assert "no text meets wind" in str(found)
    assert found.to_frame()["met"].tolist() == [2, 1, 0, 2, 2]


def test_a_space_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(
        'template = "Explain {topic} for grades {grade}."\n[axes.topic]\nvalues = ["rain", "snow"]\n'
        '[axes.grade]\nvalues = ["3-5"]\ncheck = "grade"\n',
        encoding="utf-8",
    )
    space = load_constraints(file)
    assert space.size == 2
    assert sorted(row["prompt"] for row in space.draw(2)) == [
        "Explain rain for grades 3-5.",
        "Explain snow for grades 3-5.",
    ]
    file.write_text("template = 3", encoding="utf-8")
    with pytest.raises(UsageError, match=r"expected template and axes\.NAME"):
        load_constraints(file)
    file.write_text('template = "{a}"\n[axes.a]\nvalues = [1]', encoding="utf-8")
    with pytest.raises(UsageError, match="a list of texts"):
        load_constraints(file)


def test_wrong_spaces_and_rows_are_refused() -> None:
    axis = ConstraintAxis(name="topic", values=("rain",))
    with pytest.raises(UsageError, match="places for tone, the axes are topic"):
        ConstraintSpace(axes=(axis,), template="{tone}")
    with pytest.raises(UsageError, match="give each value once"):
        ConstraintSpace(axes=(ConstraintAxis(name="topic", values=()),), template="{topic}")
    with pytest.raises(UsageError, match="no range of grades"):
        ConstraintSpace(axes=(ConstraintAxis(name="g", values=("old",), check="grade"),), template="{g}")
    with pytest.raises(UnknownNameError, match="mention"):
        ConstraintSpace(axes=(ConstraintAxis(name="g", values=("a",), check="mentions"),), template="{g}")
    space = ConstraintSpace(axes=(axis,), template="{topic}")
    with pytest.raises(UsageError, match="at least 1"):
        space.draw(0)
    with pytest.raises(DataError, match="none of its 1 values"):
        measure_coverage([{"text": "x", "topic": "fog"}], space)
    with pytest.raises(DataError, match="no texts"):
        measure_coverage([], space)
