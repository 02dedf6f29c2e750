"""Scatters keep their labels apart, scaling plots say their exponents."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np

from shoal.figures import to_svg
from shoal.figures.scaling import ScalingLine, scaling_chart
from shoal.figures.scatter import ScatterPoint, scatter_svg

SVG = "{http://www.w3.org/2000/svg}"


def crowd(count: int) -> list[ScatterPoint]:
    places = np.random.default_rng(0).normal(size=(count, 2))
    return [ScatterPoint(x=float(x), y=float(y), label=f"word{number}") for number, (x, y) in enumerate(places)]


def test_every_point_has_a_mark_and_a_hover_title() -> None:
    points = [*crowd(5), ScatterPoint(x=0, y=0, label="<b>", tooltip="a & b", series=3)]
    drawn = ET.fromstring(scatter_svg(points, title="map"))
    titles = [element.text for element in drawn.iter(f"{SVG}title")]
    assert titles == [*(f"word{number}" for number in range(5)), "a & b"]
    assert "<b>" in ["".join(element.itertext()) for element in drawn.iter(f"{SVG}text")]
    assert drawn.get("aria-label") == "map"


def test_labels_do_not_cover_each_other() -> None:
    drawn = scatter_svg(crowd(300), title="map")
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" [^>]*>(word\d+)</text>', drawn)
    boxes = [(float(x), float(y) - 9, float(x) + 6.1 * len(text), float(y) + 3) for x, y, text in found]
    assert 40 < len(boxes) < 300
    for place, one in enumerate(boxes):
        for other in boxes[:place]:
            assert one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]


def test_a_label_of_broad_letters_is_given_more_room_than_one_of_slim_letters() -> None:
    def shown(label: str, gap: float) -> int:
        # The second point ends what the first label may take; a third one fixes the scale.
        points = [
            ScatterPoint(x=0, y=0, label=label),
            ScatterPoint(x=gap, y=0, label=""),
            ScatterPoint(x=1, y=0, label=""),
        ]
        first = re.search(rf'<text x="([\d.]+)"[^>]*>{label}</text>', scatter_svg(points, title="map"))
        assert first is not None
        return round(float(first[1]))

    assert shown("lilli", 0.1) != shown("mmmmm", 0.1)
    assert shown("lilli", 0.5) == shown("mmmmm", 0.5)


def test_points_at_one_place_can_be_drawn() -> None:
    assert scatter_svg([ScatterPoint(x=1, y=1, label="a")] * 3, title="same").count("<circle") == 3
    assert "<circle" not in scatter_svg([], title="none")


def test_scaling_lines_say_their_exponents_and_medians() -> None:
    lines = [
        ScalingLine(name="square", series=0, sizes=(1, 2, 4), costs=((1.0,), (4.0,), (16.0,)), exponent=2.0),
        ScalingLine(
            name="line", series=1, sizes=(1, 2, 4), costs=((1, 9, 1), (2, 2, 2), (4, 4, 4)), exponent=1.0, dashed=True
        ),
    ]
    drawn = ET.fromstring(to_svg(scaling_chart(lines, title="Time", size="n", axis="seconds")))
    said = {"".join(element.itertext()) for element in drawn.iter(f"{SVG}text")}
    assert {"square: exponent 2.00", "line: exponent 1.00"} <= said
    falling = ScalingLine(name="loss", series=0, sizes=(1, 2), costs=((4.0,), (3.0,)), exponent=-0.08)
    assert "loss: falls with exponent 0.08" in to_svg(scaling_chart([falling], title="t", size="n", axis="bits"))
    titles = {element.text for element in drawn.iter(f"{SVG}title")}
    assert {"line, 1: 1", "square, 4: 16"} <= titles
    assert all(str(element.get("fill")).startswith("var(--") for element in drawn.iter(f"{SVG}text"))


def test_a_fitted_law_is_drawn_in_the_place_of_the_line_through_the_medians() -> None:
    line = ScalingLine(
        name="loss",
        series=0,
        sizes=(20_000.0, 40_000.0, 80_000.0),
        costs=((4.0,), (3.0,), (2.5,)),
        exponent=0.3,
        fitted=((20_000.0, 4.1), (80_000.0, 2.4)),
    )
    drawn = to_svg(scaling_chart([line], title="Loss", size="parameters", axis="bits per byte"))
    paths = [path for path in re.findall(r'd="(M[^"]*)"', drawn) if path.count("L") == 1 and "C" not in path]
    assert any(path.count(",") == 2 for path in paths)
    assert ">20,000<" in drawn


def test_the_mark_of_two_seeds_stands_in_their_middle() -> None:
    line = ScalingLine(name="loss", series=0, sizes=(1.0, 2.0), costs=((4.0, 6.0), (3.0, 1.0)), exponent=0.3)
    drawn = to_svg(scaling_chart([line], title="Loss", size="members", axis="bits per byte"))
    assert "<title>loss, 1.0: 5</title>" in drawn
    assert "<title>loss, 2.0: 2</title>" in drawn
