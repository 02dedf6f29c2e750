"""Whatever comes to the door is a stream or one clear line, and the engine answers every stream.

A few hundred inputs in the fast share; ten thousand and more in the slow one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shoal.changes import OnlineDetector, change_points
from shoal.changes.validation import as_stream
from shoal.errors import ShoalError

ATOM = st.one_of(
    st.integers(),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf, 1e-320, 1e308]),
    st.booleans(),
    st.none(),
    st.text(max_size=3),
    st.decimals(),
    st.fractions(),
    st.complex_numbers(),
    st.binary(max_size=2),
    st.dates(),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
FLOATS = st.one_of(st.floats(), st.integers(-3, 3).map(float), st.sampled_from([math.nan, math.inf, -math.inf]))
STREAMS = st.one_of(
    st.lists(FLOATS, max_size=150),
    st.lists(st.sampled_from([0.0, 1.0]), max_size=200),
    st.lists(st.floats(-5, 5), max_size=40).map(lambda values: [value for value in values for _ in range(6)]),
    st.lists(st.floats(-5, 5), max_size=150).map(sorted),
    st.lists(st.tuples(FLOATS, FLOATS), max_size=80),
    st.text(alphabet="abc", max_size=150),
    st.lists(ATOM, max_size=30),
    ATOM,
    st.dictionaries(st.integers(), st.integers(), max_size=3),
    st.lists(st.lists(st.floats(), max_size=4), max_size=20),
)
SETTINGS = st.fixed_dictionaries(
    {
        "min_distance": st.one_of(
            st.floats(0.001, 0.5),
            st.floats(0.01, 0.999),
            st.just(0.05),
            st.sampled_from([0.0, 1.0, math.nan, "x", None]),
        ),
        "process_count": st.one_of(st.none(), st.integers(1, 5), st.sampled_from([None, 0, -1, 1.5, "2"])),
        "kind": st.sampled_from([None, None, None, "numbers", "symbols", "words"]),
    }
)


def or_fault(function: Callable[[], Any]) -> Any:
    """What a function returns, or None where it refuses in one line."""
    try:
        return function()
    except ShoalError as fault:
        message = str(fault)
    assert message
    assert "\n" not in message
    return None


def answered(x: object, chosen: dict) -> None:
    found = or_fault(lambda: change_points(x, **chosen))
    if found is None:
        return
    assert found.places == sorted(set(found.places))
    assert all(0 < place < found.length for place in found.places)
    assert len(found.processes) == len(found.places) + 1
    for change in found.changes:
        assert change.low <= change.place <= change.high
        assert 0.0 <= change.p_value <= 1.0


def read(x: object) -> None:
    stream = or_fault(lambda: as_stream(x))
    if stream is None:
        return
    assert (stream.values is None) != (stream.symbols is None)
    if stream.values is not None:
        assert stream.values.shape[0] == stream.length
        assert stream.values.dtype == np.float64
    else:
        assert 0 <= stream.symbols.min() <= stream.symbols.max() < len(stream.alphabet)


def read_online(values: list[float]) -> None:
    for alarm in OnlineDetector(50, history=64).update_many(values):
        assert 0 <= alarm.place <= alarm.time < len(values)


def few(count: int):
    return settings(
        max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), derandomize=count < 1000
    )


@few(300)
@given(STREAMS)
def test_validation_reads_or_refuses_anything(x: object) -> None:
    read(x)


@few(120)
@given(STREAMS, SETTINGS)
def test_the_engine_answers_anything(x: object, chosen: dict) -> None:
    answered(x, chosen)


@few(60)
@given(st.lists(FLOATS, min_size=60, max_size=400))
def test_an_online_detector_reads_any_numbers(values: list[float]) -> None:
    read_online(values)


@pytest.mark.slow
@few(10_000)
@given(STREAMS, SETTINGS)
def test_the_engine_answers_ten_thousand_inputs(x: object, chosen: dict) -> None:
    read(x)
    answered(x, chosen)


@pytest.mark.slow
@few(1000)
@given(st.lists(FLOATS, min_size=60, max_size=600))
def test_an_online_detector_reads_a_thousand_streams(values: list[float]) -> None:
    read_online(values)
