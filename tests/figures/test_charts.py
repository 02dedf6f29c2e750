"""What each figure draws."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from shoal.figures import (
    CurveLine,
    DotRow,
    GridItem,
    LossPair,
    ScalingLine,
    curve_chart,
    dot_chart,
    effect_chart,
    item_grid_svg,
    item_key_svg,
    loss_gap_chart,
    scaling_chart,
    to_png,
    to_svg,
)
from shoal.figures.curves import is_logarithmic, thinned
from shoal.figures.hyperparameter_plot import HyperparameterPoint, hyperparameter_chart

SVG = "{http://www.w3.org/2000/svg}"


def titles(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}title")]


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_an_effect_shows_interval_zero_threshold_and_each_seed() -> None:
    svg = to_svg(effect_chart(0.3, 0.1, 0.5, 0.2, differences=(0.25, 0.35)), title="effect")
    assert titles(svg).count("+0.300, interval +0.100 to +0.500") >= 1
    assert {"one seed: +0.250", "one seed: +0.350"} <= set(titles(svg))
    assert {"no effect", "d = 0.2"} <= set(texts(svg))
    assert ET.fromstring(svg).get("aria-label") == "effect"


def test_an_unbounded_interval_is_drawn_with_an_arrow() -> None:
    svg = to_svg(effect_chart(0.3, None, 0.5, 0.2))
    assert "+0.300, interval unbounded to +0.500" in titles(svg)
    assert texts(svg).count("◂") == 1
    assert "▸" not in texts(svg)


def test_an_effect_of_nothing_can_be_drawn() -> None:
    drawn = ET.fromstring(to_svg(effect_chart(0.0, 0.0, 0.0, 0.1, differences=(0.0, 0.0))))
    assert drawn.tag.endswith("svg")


def test_dots_show_mean_interval_and_each_seed() -> None:
    rows = [
        DotRow(label="pretrained", series=0, mean=0.5, low=0.4, high=0.6, seeds=(0.45, 0.55)),
        DotRow(label="random", series=1, mean=0.25, low=None, high=None, seeds=(0.25,)),
    ]
    svg = to_svg(dot_chart(rows, title="Exact match", axis="share", domain=(0, 1)))
    said = titles(svg)
    assert "pretrained: 0.500, interval 0.400 to 0.600" in said
    assert "random: 0.250, no interval" in said
    assert {"pretrained, one seed: 0.450", "pretrained, one seed: 0.550"} <= set(said)
    assert "Exact match" in texts(svg)


def test_a_label_from_data_is_escaped() -> None:
    rows = [DotRow(label="<script>alert(1)</script>", series=0, mean=1, low=None, high=None)]
    svg = to_svg(dot_chart(rows, title="a & b", axis="x"), title='"quoted" <b>')
    assert "<script" not in svg
    assert ET.fromstring(svg).get("aria-label") == '"quoted" <b>'


def test_curves_of_many_steps_are_averaged_over_windows() -> None:
    line = CurveLine(name="seed 0", steps=tuple(range(1, 1001)), values=tuple(float(k % 2) for k in range(1000)))
    pairs = thinned(line, 100)
    assert len(pairs) == 100
    assert pairs[-1] == (1000, 0.5)
    assert thinned(CurveLine(name="", steps=(1, 2), values=(3.0, 4.0)), 100) == [(1, 3.0), (2, 4.0)]


@pytest.mark.parametrize(
    ("values", "log"), [([0.01, 1.0], True), ([0.5, 1.0], False), ([0.0, 10.0], False), ([], False)]
)
def test_curves_are_logarithmic_where_they_span_a_decade(values: list[float], log: bool) -> None:
    assert is_logarithmic(values) is log


def test_curves_draw_each_seed_and_the_mean() -> None:
    lines = [CurveLine(name=f"seed {s}", steps=(1, 2, 3), values=(5.0 + s, 0.5, 0.1)) for s in range(3)]
    svg = to_svg(curve_chart(lines, title="pretrained", axis="loss"))
    assert {"seed 0", "seed 1", "seed 2"} <= set(titles(svg))
    assert svg.count('stroke-width="2.5"') == 1
    assert {"1", "0.1"} <= set(texts(svg))


def test_the_level_of_chance_of_a_row_is_a_mark_of_its_own() -> None:
    rows = [
        DotRow(label="two", series=0, mean=0.7, low=0.6, high=0.8, chance=0.5),
        DotRow(label="free", series=0, mean=0.1, low=0.0, high=0.2),
    ]
    svg = to_svg(dot_chart(rows, title="tasks", axis="share", domain=(0, 1)))
    assert [title for title in titles(svg) if "chance" in title] == ["two: chance 0.500"]


@pytest.mark.parametrize("value", [0.25, -3.0, 0.0, 1000.0])
def test_an_axis_of_one_value_has_that_value_between_its_ticks(value) -> None:
    svg = to_svg(dot_chart([DotRow(label="one", series=0, mean=value, low=None, high=None)], title="t", axis="a"))
    ticks = [float(text.replace(",", "").replace("\N{MINUS SIGN}", "-")) for text in texts(svg) if text[-1:].isdigit()]
    assert len(ticks) > 1
    assert min(ticks) <= value <= max(ticks)


def test_rings_of_seeds_lie_clear_of_the_line_of_their_row() -> None:
    row = DotRow(label="one", series=0, mean=0.5, low=0.4, high=0.6, seeds=(0.45, 0.55))
    for rows in ([row], [row, replace(row, label="two", chance=0.3)]):
        svg = to_svg(dot_chart(rows, title="t", axis="a"))
        heights = {
            title: float(height)
            for height, title in re.findall(r'transform="translate\([\d.]+,([\d.]+)\)"[^>]*><title>(one[^<]*)', svg)
        }
        line = heights["one: 0.500, interval 0.400 to 0.600"]
        assert abs(heights["one, one seed: 0.450"] - line) > 5


@pytest.mark.parametrize("steps", [(1, 2, 3), (0, 1)])
def test_a_short_curve_has_no_step_twice_on_its_axis(steps) -> None:
    line = CurveLine(name="loss", steps=steps, values=tuple(3.0 - step / 10 for step in steps))
    pairs = [LossPair(step=step, held_out=3.0 - step / 10, low=None, high=None) for step in steps]
    for chart in (curve_chart([line], title="t", axis="nats"), loss_gap_chart(pairs, axis="nats")):
        shown = [text for text in texts(to_svg(chart)) if text.isdecimal() and text != "3"]
        assert shown == [str(step) for step in steps if step != 3]


def test_a_loss_gap_draws_both_losses_the_band_and_where_overfitting_begins() -> None:
    pairs = [LossPair(step=step, held_out=3.0, low=2.5, high=3.5, training=2.0) for step in (0, 10, 20)]
    drawn = to_svg(loss_gap_chart(pairs, axis="nats per token", onset=(10, 5, 15)))
    plain = to_svg(loss_gap_chart([LossPair(step=0, held_out=3.0, low=2.5, high=3.5)], axis="nats per token"))
    assert {"held out", "training sample"} <= set(titles(drawn))
    assert "nats per token" in texts(drawn)
    assert "stroke-dasharray" in drawn
    assert "training sample" not in titles(plain)
    bare = to_svg(
        loss_gap_chart([LossPair(step=step, held_out=3.0 - step, low=None, high=None) for step in (0, 1)], axis="nats")
    )
    assert "held-out loss (line), training loss (dashed)" in bare
    assert "nan" not in bare.lower()


def test_a_grid_has_a_cell_per_item_and_a_bar_per_held_out_column() -> None:
    cells = [
        GridItem(column=1, row="seed 0", state="right", held_out=True),
        GridItem(column=2, row="seed 0", state="ended-early", held_out=False),
        GridItem(column=1, row="seed 1", state="went-on", held_out=True),
        GridItem(column=2, row="seed 1", state="other", held_out=False),
    ]
    svg = item_grid_svg(cells, title="random <b>")
    root = ET.fromstring(svg)
    assert titles(svg) == [
        "1 (held out), seed 0: right",
        "2 (seen), seed 0: ended too early",
        "1 (held out), seed 1: went on too long",
        "2 (seen), seed 1: another token was wrong",
    ]
    assert len([rect for rect in root.iter(f"{SVG}rect") if rect.get("height") == "3"]) == 1
    assert root.get("aria-label") == "random <b>: 1 of 4 right, 2 items by 2 seeds"


@pytest.mark.parametrize("width", [350, 900])
def test_many_items_wrap_and_stay_within_the_width(width: int) -> None:
    cells = [GridItem(column=i, row="seed 0", state="right", held_out=i == 100) for i in range(1, 101)]
    root = ET.fromstring(item_grid_svg(cells, title="a", width=width))
    assert root.get("width") == str(width)
    squares = [rect for rect in root.iter(f"{SVG}rect") if rect.get("height") == "16"]
    assert len(squares) == 100
    assert max(float(square.get("x", "0")) + float(square.get("width", "0")) for square in squares) <= width
    assert len({group.get("transform") for group in root.iter(f"{SVG}g")} - {None}) == (3 if width == 350 else 1)


@pytest.mark.parametrize("width", [350, 700])
def test_a_chart_is_as_wide_as_it_is_asked_to_be(width: int) -> None:
    rows = [DotRow(label="a rather long label of a row", series=0, mean=0.5, low=0.1, high=0.9)]
    line = CurveLine(name="seed 0", steps=(1, 2), values=(3.0, 0.1))
    charts = [
        dot_chart(rows, title="t", axis="x", domain=(0, 1), width=width),
        curve_chart([line], title="t", axis="y", width=width),
        effect_chart(0.1, None, 0.3, 0.2, width=width),
        hyperparameter_chart(setting_points([1, 2]), title="t", axis="y", width=width),
    ]
    assert {float(ET.fromstring(to_svg(chart)).get("width", "0")) for chart in charts} == {float(width)}


def test_a_reference_is_a_dashed_line() -> None:
    rows = [DotRow(label="a", series=0, mean=0.7, low=0.6, high=0.8)]
    assert "stroke-dasharray" not in to_svg(dot_chart(rows, title="t", axis="x", domain=(0, 1)))
    assert "stroke-dasharray" in to_svg(dot_chart(rows, title="t", axis="x", domain=(0, 1), reference=0.5))


def test_axes_are_labelled_in_plain_numbers() -> None:
    line = CurveLine(name="seed 0", steps=(1, 2000), values=(20000.0, 1000.0))
    assert {"1,000", "10,000"} <= set(texts(to_svg(curve_chart([line], title="t", axis="y"))))
    scaling = ScalingLine(name="a", series=0, sizes=(512, 4096), costs=((1e3,), (2e4,)), exponent=1.4)
    drawn = texts(to_svg(scaling_chart([scaling], title="t", size="n", axis="ms")))
    assert {"512", "4,096", "1,000", "10,000"} <= set(drawn)
    assert not [text for text in drawn if "e+" in text]


def test_keys_differ_in_more_than_colour() -> None:
    signs = {state: item_key_svg(state).count("<text") for state in ("right", "other", "went-on")}
    assert signs == {"right": 0, "other": 1, "went-on": 1}


def test_a_chart_becomes_a_png_and_an_svg_of_plain_colours() -> None:
    chart = dot_chart([DotRow(label="a", series=0, mean=1, low=0, high=2)], title="t", axis="x")
    assert to_png(chart).startswith(b"\x89PNG")
    assert "var(--" not in to_svg(chart, follow_page=False)
    assert "var(--series-1," in to_svg(chart)


def test_every_chart_is_valid_vega_lite() -> None:
    rows = [DotRow(label="a", series=0, mean=0.5, low=0.1, high=0.9, seeds=(0.5,))]
    line = CurveLine(name="seed 0", steps=(1, 2), values=(3.0, 0.1))
    charts = [
        effect_chart(0.1, None, 0.3, 0.2, differences=(0.1,)),
        dot_chart(rows, title="t", axis="x", domain=(0, 1)),
        curve_chart([line, line], title="t", axis="y"),
    ]
    # Altair checks a chart against the schema of Vega-Lite here; drawing leaves that out.
    assert all(chart.to_dict(validate=True)["layer"] for chart in charts)


def setting_points(values: list[float | str]) -> list[HyperparameterPoint]:
    return [
        HyperparameterPoint(value=value, score=1.0 + place, tooltip=f"trial {place}")
        for place, value in enumerate(values)
    ]


def test_a_setting_has_a_tick_for_each_listed_value_and_a_title_for_each_trial() -> None:
    svg = to_svg(hyperparameter_chart(setting_points([16, 32, 96, 96]), title="width", axis="score"))
    assert {"width", "score", "16", "32", "96"} <= set(texts(svg))
    assert {f"trial {place}" for place in range(4)} <= set(titles(svg))


def test_a_setting_of_words_keeps_their_order_and_small_numbers_are_readable() -> None:
    words = texts(
        to_svg(hyperparameter_chart(setting_points(["muon", "adamw", "sgd"]), title="optimizer", axis="score"))
    )
    assert [word for word in words if word in {"muon", "adamw", "sgd"}] == ["muon", "adamw", "sgd"]
    rates = texts(to_svg(hyperparameter_chart(setting_points([1e-3, 1e-2, 1e-2]), title="rate", axis="score")))
    assert {"0.001", "0.01"} <= set(rates)


def test_the_mean_of_curves_that_were_recorded_at_different_steps_goes_on_to_their_end() -> None:
    one = CurveLine(name="0", steps=tuple(range(1, 101)), values=tuple(map(float, range(1, 101))))
    other = CurveLine(name="1", steps=tuple(range(2, 91, 3)), values=tuple(2.0 * step for step in range(2, 91, 3)))
    mean = curve_chart([one, other], title="t", axis="y").to_dict()["layer"][1]["data"]["values"]
    whole = {record["step"]: record["value"] for record in mean if record["part"] == "all"}
    assert (min(whole), max(whole)) == (2, 89)
    assert all(value == pytest.approx(1.5 * step) for step, value in whole.items())
    alone = {record["step"]: record["value"] for record in mean if record["part"] == "some"}
    assert max(alone) == 100
    assert all(alone[step] == step for step in range(90, 101))
