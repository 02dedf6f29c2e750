"""Marks stand where their values are by the labels of the axes, whatever the values, and say what they are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from drawn_chart import DrawnChart

from shoal.figures import (
    CurveLine,
    DotRow,
    EffectRow,
    HyperparameterPoint,
    LossPair,
    ScalingLine,
    StreamMark,
    StreamPiece,
    curve_chart,
    dot_chart,
    effect_chart,
    effects_chart,
    hyperparameter_chart,
    loss_gap_chart,
    scaling_chart,
    series_colour,
    stream_chart,
    to_svg,
)
from shoal.figures.curves import log_ticks


def drawn(chart, **logs: bool) -> DrawnChart:
    return DrawnChart(to_svg(chart, follow_page=False), **logs)


ROWS = [
    DotRow(label="first", series=0, mean=0.5, low=0.25, high=0.75, seeds=(0.3, 0.7)),
    DotRow(label="second", series=1, mean=0.9, low=None, high=None),
    DotRow(label="nothing", series=2, mean=None, low=None, high=None),
    DotRow(label="fourth", series=3, mean=0.0, low=0.0, high=0.04),
]


@pytest.mark.parametrize("width", [300, 440, 900])
def test_dots_intervals_and_seeds_stand_at_their_values(width: int) -> None:
    chart = drawn(dot_chart(ROWS, title="t", axis="share", domain=(0, 1), width=width))
    for row in ROWS:
        for mark in [one for one in chart.marks(f"{row.label}: {row.mean}") if row.mean is not None]:
            assert chart.x(mark.x) == pytest.approx(row.mean, abs=0.01)
    interval, dot = chart.marks("first: 0.500, interval 0.250 to 0.750")
    assert [chart.x(x) for x, _ in interval.path] == pytest.approx([0.25, 0.75], abs=0.01)
    assert chart.x(dot.x) == pytest.approx(0.5, abs=0.01)
    for value in (0.3, 0.7):
        (ring,) = chart.marks(f"first, one seed: {value:.3f}")
        assert chart.x(ring.x) == pytest.approx(value, abs=0.01)
        assert ring.y != dot.y


def test_rows_of_dots_go_down_in_the_order_given_and_an_empty_one_keeps_its_place() -> None:
    chart = drawn(dot_chart(ROWS, title="t", axis="share", domain=(0, 1)))
    heights = [chart.marks(title)[-1].y for title in chart.titles if "interval" in title and "one seed" not in title]
    first, second, fourth = sorted(set(heights))
    assert (fourth - second) == pytest.approx(2 * (second - first))
    assert [text for text in chart.texts if text in {row.label for row in ROWS}] == [row.label for row in ROWS]


def test_each_row_of_dots_has_its_colour_and_shape() -> None:
    chart = drawn(dot_chart(ROWS, title="t", axis="share", domain=(0, 1)))
    looks = {title: chart.marks(title)[-1].look for title in chart.titles if "one seed" not in title}
    assert [look["fill"] for look in looks.values()] == [series_colour(place) for place in (0, 1, 3)]
    assert len({look["d"] for look in looks.values()}) == 3


def test_shares_have_ticks_at_the_quarters_and_other_measures_round_ones() -> None:
    assert drawn(dot_chart(ROWS, title="t", axis="x", domain=(0, 1))).ticks("X") == [0, 0.25, 0.5, 0.75, 1]
    other = drawn(dot_chart([DotRow(label="a", series=0, mean=130.0, low=110.0, high=180.0)], title="t", axis="ms"))
    assert all(tick % 10 == 0 for tick in other.ticks("X"))
    assert min(other.ticks("X")) <= 130 <= max(other.ticks("X"))


@pytest.mark.parametrize(
    ("estimate", "low", "high", "smallest"),
    [(0.3, 0.1, 0.5, 0.2), (-0.02, -0.3, 0.1, -0.1), (12.0, 3.0, 18.0, 5.0), (1e-4, -2e-4, 4e-4, 1e-4)],
)
def test_an_effect_stands_at_its_estimate_between_its_ends(
    estimate: float, low: float, high: float, smallest: float
) -> None:
    differences = (low, high)
    chart = drawn(effect_chart(estimate, low, high, smallest, differences=differences))
    room = 0.01 * (high - low)
    interval, dot = chart.marks(f"{estimate:+.3f}, interval {low:+.3f} to {high:+.3f}")
    assert [chart.x(x) for x, _ in interval.path] == pytest.approx([low, high], abs=room)
    assert chart.x(dot.x) == pytest.approx(estimate, abs=room)
    rings = list(map(chart.marks, {f"one seed: {value:+.3f}" for value in differences}))
    assert sorted(chart.x(one.x) for ring in rings for one in ring) == pytest.approx([low, high], abs=room)


def test_an_open_end_reaches_the_edge_of_the_plot() -> None:
    chart = drawn(effect_chart(0.3, None, 0.5, 0.2))
    interval, _ = chart.marks("+0.300, interval unbounded to +0.500")
    (start, _), (end, _) = interval.path
    edge = next(
        float(path.get("d", "").split("h")[1].split("v")[0])
        for path in chart.root.iter()
        if path.get("class") == "background"
    )
    left, right = sorted((chart.x(start), chart.x(end)))
    assert left < 0.0
    assert right == pytest.approx(0.5, abs=0.01)
    assert edge > end


def test_effects_of_rows_share_one_axis_and_blocks_stand_below() -> None:
    rows = [
        EffectRow(label="ä", series=0, estimate=0.3, low=0.1, high=0.5, smallest=(0.2,), blocks=(("hard", 0.25),)),
        EffectRow(
            label="日本", series=1, estimate=-0.4, low=None, high=-0.1, smallest=(-0.2, 0.2), blocks=(("", -0.5),)
        ),
    ]
    chart = drawn(effects_chart(rows, axis="difference"))
    for row in rows:
        low = "unbounded" if row.low is None else f"{row.low:+.3f}"
        title = f"{row.label}: {row.estimate:+.3f}, interval {low} to {row.high:+.3f}"
        interval, dot = chart.marks(title)
        assert chart.x(dot.x) == pytest.approx(row.estimate, abs=0.01)
        ends = [chart.x(x) for x, _ in interval.path]
        assert max(ends) == pytest.approx(row.high, abs=0.01)
        assert dot.look["fill"] == series_colour(row.series)
    (block,) = chart.marks("hard: +0.250")
    (unnamed,) = chart.marks("日本: -0.500")
    assert chart.x(block.x) == pytest.approx(0.25, abs=0.01)
    assert chart.x(unnamed.x) == pytest.approx(-0.5, abs=0.01)
    assert chart.marks("ä: +0.300, interval +0.100 to +0.500")[1].y < block.y < unnamed.y
    assert chart.texts.count("┊") == 3
    assert (chart.texts.count("◂"), chart.texts.count("▸")) == (1, 0)


def test_effects_of_nothing_keep_an_axis() -> None:
    none = drawn(effects_chart([], axis="difference"))
    assert none.titles == []
    zero = [EffectRow(label="a", series=0, estimate=0.0, low=0.0, high=0.0, smallest=(0.0,))]
    assert 0.0 in drawn(effects_chart(zero, axis="difference")).ticks("X")


CURVES = [
    CurveLine(name="seed 0", steps=(0, 10, 20, 40), values=(4.0, 3.0, 2.5, 2.0)),
    CurveLine(name="seed 1", steps=(0, 10, 20, 40), values=(5.0, 3.5, 2.0, 1.5)),
]


@pytest.mark.parametrize("top", [1.0, 100.0])
def test_curves_go_through_their_values_on_either_kind_of_axis(top: float) -> None:
    lines = [CurveLine(name=one.name, steps=one.steps, values=(top * 5.0, *one.values[1:])) for one in CURVES]
    chart = drawn(curve_chart(lines, title="arm", axis="loss"), log_y=top > 1.0)
    for line in lines:
        (mark,) = chart.marks(line.name)
        assert [chart.x(x) for x, _ in mark.path] == pytest.approx(line.steps, abs=0.3)
        assert [chart.y(y) for _, y in mark.path] == pytest.approx(line.values, rel=0.03)
    (mean,) = chart.marks("mean of 2")
    expected = np.mean([line.values for line in lines], axis=0)
    assert [chart.y(y) for _, y in mean.path] == pytest.approx(expected, rel=0.03)


def test_one_curve_is_drawn_once_under_its_own_name() -> None:
    chart = drawn(curve_chart(CURVES[:1], title="arm", axis="loss", series=3))
    (mark,) = chart.marks("seed 0")
    assert mark.look["stroke"] == series_colour(3)
    assert chart.titles == ["seed 0"]
    assert {"arm", "loss", "step"} <= set(chart.texts)


def test_what_happened_stands_at_its_step() -> None:
    chart = drawn(curve_chart(CURVES, title="arm", axis="loss", marks=[(10, "spike <a & b>"), (30, "resumed")]))
    for step, what in ((10, "spike <a & b>"), (30, "resumed")):
        (rule,) = chart.marks(what)
        assert [chart.x(x) for x, _ in rule.path] == pytest.approx([step] * 2, abs=0.3)


def test_charts_of_one_domain_can_be_compared() -> None:
    first, second = (
        drawn(curve_chart([line], title="arm", axis="loss", domain=(0.5, 6.0)), log_y=True) for line in CURVES
    )
    assert first.ticks("Y") == second.ticks("Y") == [0.5, 1, 2, 5]
    assert first.marks("seed 0")[0].path[-1][1] < second.marks("seed 1")[0].path[-1][1]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(1, 20, [1, 2, 5, 10, 20]), (0.03, 0.4, [0.05, 0.1, 0.2]), (3, 30_000, [10, 100, 1000, 10_000]), (2.5, 4, [])],
)
def test_logarithmic_ticks_are_round_and_inside(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == ticks


def test_a_loss_gap_stands_at_its_values_and_the_band_at_its_ends() -> None:
    pairs = [
        LossPair(step=10 * k, held_out=3.0 - 0.5 * k, low=2.8 - 0.5 * k, high=3.2 - 0.5 * k, training=2.5 - 0.6 * k)
        for k in range(4)
    ]
    chart = drawn(loss_gap_chart(pairs, axis="nats", onset=(15, 10, 25)))
    (line,), (dashed,) = chart.marks("held out"), chart.marks("training sample")
    assert [chart.y(y) for _, y in line.path] == pytest.approx([pair.held_out for pair in pairs], abs=0.03)
    assert [chart.y(y) for _, y in dashed.path] == pytest.approx([pair.training for pair in pairs], abs=0.03)
    assert [chart.x(x) for x, _ in line.path] == pytest.approx([0, 10, 20, 30], abs=0.3)
    area, rule = chart.marks("overfits from step 15 on, confidence set 10 to 25")
    assert [chart.x(x) for x, _ in rule.path] == pytest.approx([15] * 2, abs=0.3)
    assert chart.x(area.x + min(x for x, _ in area.path) - area.x) == pytest.approx(10, abs=0.3)


def test_training_losses_that_are_not_known_leave_no_gap_to_zero() -> None:
    pairs = [LossPair(step=k, held_out=3.0, low=None, high=None, training=2.0 if k % 2 else None) for k in range(5)]
    (dashed,) = drawn(loss_gap_chart(pairs, axis="nats")).marks("training sample")
    assert len(dashed.path) == 2


def test_costs_stand_at_their_medians_with_bars_from_least_to_most() -> None:
    lines = [
        ScalingLine(
            name="a", series=0, sizes=(10, 100, 1000), costs=((1.0,), (8.0, 12.0, 90.0), (100.0,)), exponent=1.0
        ),
        ScalingLine(name="b", series=1, sizes=(10, 1000), costs=((2.0,), (2000.0,)), exponent=1.5, dashed=True),
    ]
    chart = drawn(scaling_chart(lines, title="t", size="n", axis="ms"), log_x=True, log_y=True)
    for line in lines:
        for size, samples in zip(line.sizes, line.costs, strict=True):
            bar, dot = chart.marks(f"{line.name}, {size}: {np.median(samples):.3g}")
            assert chart.x(dot.x) == pytest.approx(size, rel=0.03)
            assert chart.y(dot.y) == pytest.approx(np.median(samples), rel=0.05)
            ends = sorted(chart.y(y) for _, y in bar.path)
            assert ends == pytest.approx([min(samples), max(samples)], rel=0.05)
    (plain,), (dashed,) = chart.marks("a: exponent 1.00"), chart.marks("b: exponent 1.50")
    assert (plain.look["stroke-dasharray"], dashed.look["stroke-dasharray"]) == ("1,0", "5,4")


def test_a_fitted_law_that_leaves_the_samples_stays_inside_the_frame() -> None:
    line = ScalingLine(
        name="loss", series=0, sizes=(1.0, 4.0), costs=((3.0,), (2.9,)), exponent=1.0, fitted=((1.0, 9.0), (4.0, 1.0))
    )
    chart = drawn(scaling_chart([line], title="t", size="n", axis="nats", height=200), log_x=True, log_y=True)
    (law,) = chart.marks("loss: exponent 1.00")
    top, bottom = chart.marks("loss, 1.0: 3")[-1].y, chart.marks("loss, 4.0: 2.9")[-1].y
    heights = [y for _, y in law.path]
    assert heights[0] < top < bottom < heights[1]
    assert heights[1] - heights[0] <= 200


def test_trials_stand_at_their_values_and_scores() -> None:
    values = [0.0001, 0.001, 0.01, 0.01]
    points = [HyperparameterPoint(value=v, score=1.0 + k, tooltip=f"trial {k}") for k, v in enumerate(values)]
    chart = drawn(hyperparameter_chart(points, title="rate", axis="score"), log_x=True)
    for place, value in enumerate(values):
        (dot,) = chart.marks(f"trial {place}")
        assert chart.x(dot.x) == pytest.approx(value, rel=0.05)
        assert chart.y(dot.y) == pytest.approx(1.0 + place, abs=0.05)


def test_trials_of_words_and_numbers_mixed_stand_in_columns_by_their_names() -> None:
    points = [
        HyperparameterPoint(value=v, score=s, tooltip=f"{v} {s}") for v, s in (("none", 1.0), (3, 2.0), ("none", 3.0))
    ]
    chart = drawn(hyperparameter_chart(points, title="t", axis="score"))
    assert chart.marks("none 1.0")[0].x == chart.marks("none 3.0")[0].x < chart.marks("3 2.0")[0].x
    assert [text for text in chart.texts if text in ("none", "3")][:2] == ["none", "3"]


def stream(values: np.ndarray, edges: list[int], groups: list[int], marks: tuple[StreamMark, ...] = ()) -> DrawnChart:
    pieces = [
        StreamPiece(start=a, stop=b, group=group)
        for (a, b), group in zip(itertools.pairwise(edges), groups, strict=True)
    ]
    return drawn(stream_chart([values], pieces, list(marks), names=["x"]))


def test_a_stream_is_drawn_at_its_values_piece_by_piece() -> None:
    values = np.array([1.0, 2.0, 1.0, 5.0, 6.0, 5.5, 6.5])
    chart = stream(values, [0, 3, 7], [0, 1], (StreamMark(place=3, low=2, high=4, tooltip="place 3"),))
    for letter, part in (("A", slice(0, 3)), ("B", slice(3, 7))):
        (line,) = chart.marks(letter)
        assert [chart.x(x) for x, _ in line.path] == pytest.approx(np.arange(7)[part], abs=0.05)
        assert [chart.y(y) for _, y in line.path] == pytest.approx(values[part], abs=0.1)
        (mean,) = chart.marks(f"{letter}: mean {values[part].mean():.4g}")
        assert [chart.y(y) for _, y in mean.path] == pytest.approx([values[part].mean()] * 2, abs=0.1)
    _, rule = chart.marks("place 3")
    assert [chart.x(x) for x, _ in rule.path] == pytest.approx([3] * 2, abs=0.05)


def test_a_group_keeps_its_colour_where_another_is_missing_throughout() -> None:
    values = np.concatenate([np.zeros(5), np.full(5, np.nan), np.ones(5)])
    chart = stream(values, [0, 5, 10, 15], [0, 1, 2])
    whole = stream(np.arange(15.0), [0, 5, 10, 15], [0, 1, 2])
    for letter, group in (("A", 0), ("C", 2)):
        assert chart.marks(letter)[0].look["stroke"] == series_colour(group) == whole.marks(letter)[0].look["stroke"]
    assert [text for text in chart.texts if text in "ABC"] == ["A", "B", "C"]


def test_pieces_of_one_group_share_a_colour_and_are_not_joined() -> None:
    chart = stream(np.arange(9.0), [0, 3, 6, 9], [0, 1, 0])
    first, last = chart.marks("A")
    assert first.look["stroke"] == last.look["stroke"] == series_colour(0)
    assert (len(first.path), len(last.path)) == (3, 3)


ALL = {
    "dots": dot_chart(ROWS, title="t", axis="x", domain=(0, 1), reference=0.5),
    "effect": effect_chart(0.3, None, 0.5, 0.2, differences=(0.1,)),
    "effects": effects_chart(
        [EffectRow(label="a", series=0, estimate=0.3, low=None, high=None, smallest=(0.1,))], axis="x"
    ),
    "curves": curve_chart(CURVES, title="t", axis="x", marks=[(10, "event")]),
    "gap": loss_gap_chart(
        [LossPair(step=k, held_out=1.0, low=0.5, high=2.0) for k in (0, 9)], axis="x", onset=(1, 0, 2)
    ),
    "scaling": scaling_chart(
        [ScalingLine(name="a", series=0, sizes=(1, 2), costs=((1,), (2,)), exponent=1)], title="t", size="n", axis="x"
    ),
    "stream": stream_chart([np.arange(6.0)] * 2, [StreamPiece(start=0, stop=6, group=0)], [], names=["x", "y"]),
    "trials": hyperparameter_chart([HyperparameterPoint(value=1, score=1.0, tooltip="trial")], title="t", axis="x"),
}
FIELDS = ("step", "low", "high", "x", "part", "group", "piece", "name", "to", "greatest")


@pytest.mark.parametrize("name", ALL)
def test_no_hover_title_shows_the_names_of_fields(name: str) -> None:
    titles = drawn(ALL[name]).titles
    assert titles
    for title in titles:
        assert not any(
            f"{field}:" in title for field in ("step", "low", "high", "x", "part", "group", "piece", "name", "to")
        )


@pytest.mark.parametrize("name", ALL)
def test_every_figure_is_valid_vega_lite_and_says_what_it_is(name: str) -> None:
    ALL[name].to_dict(validate=True)
    svg = to_svg(ALL[name], title="what <this> & that is")
    root = DrawnChart(svg).root
    assert (root.get("role"), root.get("aria-label")) == ("img", "what <this> & that is")
    assert "NaN" not in svg
    assert "http" not in svg.replace("http://www.w3.org/", "")
