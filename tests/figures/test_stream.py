"""The figure of a stream: every piece in its group's colour, a rule and a band for each change."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.figures import to_svg
from shoal.figures.stream import MAX_POINTS, StreamMark, StreamPiece, stream_chart
from shoal.figures.theme import series_colour

PIECES = [StreamPiece(start=0, stop=40, group=0), StreamPiece(start=40, stop=100, group=1)]
MARKS = [StreamMark(place=40, low=36, high=47, tooltip="40, from 36 to 47")]


def rows(chart) -> list[dict]:
    return [row for layer in chart.to_dict()["vconcat"][0]["layer"] for row in layer["data"]["values"]]


def test_the_chart_is_valid_and_holds_values_places_and_sets() -> None:
    chart = stream_chart([np.arange(100.0)], PIECES, MARKS, names=["x"])
    records = rows(chart)
    assert sum("value" in row for row in records) == 2 * 100  # for the line and for the range
    assert {"from": 36, "to": 47, "tooltip": "40, from 36 to 47"} in records
    assert {"step": 40, "tooltip": "40, from 36 to 47"} in records
    svg = to_svg(chart, title="a stream")
    assert series_colour(0) in svg
    assert series_colour(1) in svg
    assert ">A<" in svg
    assert ">B<" in svg


def test_each_piece_has_its_mean_and_one_standard_deviation_around_it() -> None:
    values = np.arange(100.0)
    levels = {(row["from"], row["to"], row["off"]): row["level"] for row in rows(
        stream_chart([values], PIECES, MARKS, names=["x"])
    ) if "level" in row}  # fmt: skip
    assert levels[40, 99, 0] == values[40:].mean()
    assert levels[0, 39, 1] == pytest.approx(values[:40].mean() + values[:40].std(ddof=1))
    assert len(levels) == 6


def test_a_long_stream_is_drawn_by_stretches_that_keep_its_extremes() -> None:
    values = np.random.default_rng(0).normal(size=100_000)
    values[77_777] = 50.0
    pieces = [StreamPiece(start=0, stop=60_000, group=0), StreamPiece(start=60_000, stop=100_000, group=1)]
    records = [row for row in rows(stream_chart([values], pieces, [], names=["x"])) if "value" in row]
    assert len(records) == 2 * MAX_POINTS
    assert max(row["greatest"] for row in records) == 50.0


def test_missing_and_infinite_values_are_left_out() -> None:
    values = np.arange(100.0)
    values[[3, 50]] = [np.nan, np.inf]
    records = [row for row in rows(stream_chart([values], PIECES, MARKS, names=["x"])) if "value" in row]
    assert len(records) == 2 * 98


def test_dates_are_the_axis_where_there_are_some() -> None:
    dates = np.arange("2020-01-01", "2020-04-10", dtype="datetime64[D]")
    chart = stream_chart([np.arange(100.0)], PIECES, MARKS, names=["x"], labels=dates)
    assert {"step": "2020-02-10", "tooltip": "40, from 36 to 47"} in rows(chart)
    assert "<svg" in to_svg(chart)


def test_each_coordinate_has_a_panel_and_nothing_found_is_drawn_as_well() -> None:
    chart = stream_chart([np.arange(9.0)] * 3, [StreamPiece(start=0, stop=9, group=0)], [], names=["a", "b", "c"])
    assert len(chart.to_dict()["vconcat"]) == 3
    assert "<svg" in to_svg(chart)


@pytest.mark.parametrize("length", [1, 2])
def test_the_shortest_streams_are_drawn(length: int) -> None:
    chart = stream_chart([np.ones(length)], [StreamPiece(start=0, stop=length, group=0)], [], names=["x"])
    assert "<svg" in to_svg(chart)
