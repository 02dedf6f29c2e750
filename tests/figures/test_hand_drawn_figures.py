"""Figures that are drawn by hand: cells, points, labels and keys stand where they should, inside the drawing."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings, strategies as st

from shoal.figures import (
    ITEM_STATES,
    GridItem,
    ScatterPoint,
    item_grid_svg,
    item_key_svg,
    responsive,
    scatter_svg,
    series_colour,
)
from shoal.figures.theme import LIGHT, SHAPES

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>&\"'<b> Größe 日本 🐟"


def points_of(svg: str) -> list[tuple[str, float, float]]:
    """(title, x, y) of each mark: the centre of a circle, or of what a polygon spans."""
    found = []
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is None:
            continue
        circle, polygon = group.find(f"{SVG}circle"), group.find(f"{SVG}polygon")
        if circle is not None:
            found.append((title.text or "", float(circle.get("cx", 0)), float(circle.get("cy", 0))))
        elif polygon is not None:
            corners = [tuple(map(float, corner.split(","))) for corner in polygon.get("points", "").split()]
            xs, ys = zip(*corners, strict=True)
            found.append((title.text or "", (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2))
    return found


PLANE = st.lists(st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000)), min_size=2, max_size=12, unique=True)


@given(places=PLANE, width=st.sampled_from([350, 900]))
@settings(max_examples=40)
def test_points_keep_their_distances_and_stay_in_the_frame(places: list[tuple[int, int]], width: int) -> None:
    points = [ScatterPoint(x=x, y=y, label=f"p{k}") for k, (x, y) in enumerate(places)]
    drawn = points_of(scatter_svg(points, title="t", width=width, height=380))
    assert [title for title, _, _ in drawn] == [f"p{k}" for k in range(len(places))]
    assert all(0 <= x <= width and 20 <= y <= 410 for _, x, y in drawn)
    scales = [
        ((drawn[a][1] - drawn[b][1]) ** 2 + (drawn[a][2] - drawn[b][2]) ** 2) ** 0.5
        / ((places[a][0] - places[b][0]) ** 2 + (places[a][1] - places[b][1]) ** 2) ** 0.5
        for a, b in itertools.combinations(range(len(places)), 2)
        if abs(places[a][0] - places[b][0]) + abs(places[a][1] - places[b][1]) > 200
    ]
    assert not scales or max(scales) == pytest.approx(min(scales), rel=0.02)


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e9])
def test_a_map_does_not_know_the_unit_of_its_plane(factor: float) -> None:
    places = [(0.0, 0.0), (3.0, 1.0), (1.0, 2.0)]
    plain, scaled = (
        points_of(scatter_svg([ScatterPoint(x=a * x + a, y=a * y, label="p") for x, y in places], title="t"))
        for a in (1.0, factor)
    )
    assert [x for _, x, _ in scaled] == pytest.approx([x for _, x, _ in plain])
    assert [y for _, _, y in scaled] == pytest.approx([y for _, _, y in plain])


def test_up_is_up_and_right_is_right() -> None:
    (_, x0, y0), (_, x1, y1) = points_of(
        scatter_svg([ScatterPoint(x=0, y=0, label="a"), ScatterPoint(x=2, y=1, label="b")], title="t")
    )
    assert x1 > x0
    assert y1 < y0
    assert (x1 - x0) == pytest.approx(2 * (y0 - y1), abs=0.2)


def test_every_series_has_a_colour_and_a_mark_of_its_own() -> None:
    points = [ScatterPoint(x=k, y=0, label="", tooltip=f"s{k}", series=k) for k in range(len(SHAPES))]
    root = ET.fromstring(scatter_svg(points, title="t"))
    shapes = []
    for group in root.iter(f"{SVG}g"):
        if group.find(f"{SVG}title") is None:
            continue
        mark = group[-1]
        corners = [tuple(map(float, corner.split(","))) for corner in mark.get("points", "").split()]
        middle = [sum(axis) / len(axis) for axis in zip(*corners, strict=True)]
        shapes.append((mark.tag, tuple((round(x - middle[0], 0), round(y - middle[1], 0)) for x, y in corners)))
    assert len(set(shapes)) == len(SHAPES)
    colours = re.findall(r'fill="var\(--series-\d,(#\w+)\)"', scatter_svg(points, title="t"))
    assert colours == [series_colour(k) for k in range(len(SHAPES))]


@pytest.mark.parametrize("width", [350, 460, 900])
@pytest.mark.parametrize(
    "names", [["a", "b"], ["nouns", "verbs", "names", "places", "colours", "numbers"], ["x" * 40, "y"]]
)
def test_the_key_of_a_map_stays_in_the_drawing_and_its_names_apart(width: int, names: list[str]) -> None:
    root = ET.fromstring(scatter_svg([ScatterPoint(x=0, y=0, label="a")], title="t", series=names, width=width))
    spots = []
    for group in root.iter(f"{SVG}g"):
        found = re.match(r"translate\((\d+),(\d+)\)", group.get("transform", ""))
        if found:
            text = "".join(group.find(f"{SVG}text").itertext())  # type: ignore[union-attr]
            spots.append((int(found[1]), int(found[2]), text))
    assert [text for _, _, text in spots] == names
    assert all(y + 4 <= float(root.get("height", 0)) for _, y, _ in spots)
    for (x, y, text), (other, line, _) in itertools.pairwise(spots):
        assert line > y or other >= x + 9 + 6.1 * len(text)
    assert all(x + 9 + 6.1 * len(text) <= width for x, _, text in spots)


def test_labels_of_a_map_are_text_wherever_they_come_from() -> None:
    svg = scatter_svg([ScatterPoint(x=0, y=0, label=HOSTILE, tooltip=HOSTILE)], title=HOSTILE, series=[HOSTILE])
    root = ET.fromstring(svg)
    assert root.get("aria-label") == HOSTILE
    assert points_of(svg)[0][0] == HOSTILE
    assert [("".join(text.itertext())) for text in root.iter(f"{SVG}text")] == [HOSTILE] * 3


def test_the_label_of_a_point_alone_stands_beside_it() -> None:
    svg = scatter_svg([ScatterPoint(x=5, y=5, label="alone")], title="t")
    ((_, x, y),) = points_of(svg)
    ((left, base),) = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" [^>]*>alone</text>', svg)
    assert 0 < float(left) - x < 10
    assert abs(float(base) - y) < 8


def cells(rows: int, columns: list[int], held_out: tuple[int, ...] = ()) -> list[GridItem]:
    states = list(ITEM_STATES)
    return [
        GridItem(column=column, row=f"seed {row}", state=states[(row + place) % 4], held_out=column in held_out)
        for row in range(rows)
        for place, column in enumerate(columns)
    ]


def squares(svg: str) -> dict[str, tuple[float, float]]:
    """Where each cell stands, by its hover title; of wrapped lines with what these are moved by."""
    found = {}

    def walk(element: ET.Element, down: float) -> None:
        moved = re.match(r"translate\(0,([\d.]+)\)", element.get("transform", ""))
        down += float(moved[1]) if moved else 0.0
        title = element.find(f"{SVG}title")
        if title is not None:
            found[title.text or ""] = float(element.get("x", 0)), down + float(element.get("y", 0))
        for child in element:
            walk(child, down)

    walk(ET.fromstring(svg), 0.0)
    return found


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 7), (2, 200), (5, 33)])
@pytest.mark.parametrize("width", [350, 900])
def test_cells_stand_in_the_row_of_their_seed_and_the_column_of_their_item(rows: int, columns: int, width: int) -> None:
    svg = item_grid_svg(cells(rows, list(range(columns))), title="arm", width=width)
    found = squares(svg)
    assert len(found) == rows * columns == len(set(found.values()))
    places = {tuple(re.findall(r"\d+", title)[:2]): place for title, place in found.items()}
    for column in range(columns):
        of_column = [places[str(column), str(row)] for row in range(rows)]
        assert len({x for x, _ in of_column}) == 1
        assert [y - of_column[0][1] for _, y in of_column] == [17.0 * row for row in range(rows)]
    assert all(x <= width - 8 for x, _ in found.values())
    height = float(ET.fromstring(svg).get("height", 0))
    assert all(y + 16 < height for _, y in found.values())


def test_columns_are_sorted_and_rows_keep_their_order() -> None:
    shuffled = [GridItem(column=c, row=row, state="right", held_out=False) for row in ("b", "a") for c in (9, 2, 5)]
    found = squares(item_grid_svg(shuffled, title="arm"))
    assert [found[f"{c} (seen), b: right"][0] for c in (2, 5, 9)] == sorted(x for x, _ in found.values())[::2]
    assert found["2 (seen), b: right"][1] < found["2 (seen), a: right"][1]


def test_held_out_columns_have_a_bar_under_their_last_row() -> None:
    svg = item_grid_svg(cells(2, [1, 2, 3], held_out=(3,)), title="arm")
    (bar,) = [rect for rect in ET.fromstring(svg).iter(f"{SVG}rect") if rect.get("height") == "3"]
    found = squares(svg)
    (place,) = [place for title, place in found.items() if title.startswith("3 (held out), seed 1")]
    assert float(bar.get("x", 0)) == place[0]
    assert float(bar.get("y", 0)) > place[1] + 16


@pytest.mark.parametrize("state", ITEM_STATES)
def test_a_state_has_its_colour_its_sign_and_its_words(state) -> None:
    svg = item_grid_svg([GridItem(column=4, row="r", state=state, held_out=True)], title="arm")
    assert list(squares(svg)) == [f"4 (held out), r: {ITEM_STATES[state]}"]
    role = {"right": "right", "ended-early": "near", "went-on": "near", "other": "miss"}[state]
    for drawn in (svg, item_key_svg(state)):
        assert f"var(--{role},{LIGHT[role]})" in drawn
        texts = ["".join(text.itertext()) for text in ET.fromstring(drawn).iter() if text.tag.endswith("text")]
        signs = {"ended-early": "‹", "went-on": "›", "other": "×"}  # noqa: RUF001
        assert [text for text in texts if text in signs.values()] == ([signs[state]] if state in signs else [])


@pytest.mark.parametrize(
    ("rows", "columns", "says"),
    [
        (1, 1, "arm: 1 of 1 right, 1 item by 1 seed"),
        (2, 4, "arm: 2 of 8 right, 4 items by 2 seeds"),
    ],
)
def test_a_grid_says_what_it_holds(rows: int, columns: int, says: str) -> None:
    assert ET.fromstring(item_grid_svg(cells(rows, list(range(columns))), title="arm")).get("aria-label") == says


def test_columns_are_numbered_by_tens_and_from_the_first() -> None:
    root = ET.fromstring(item_grid_svg(cells(1, list(range(3, 45))), title="arm"))
    numbers = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert [text for text in numbers if text.isdigit()] == ["3", "10", "20", "30", "40"]
    close = ET.fromstring(item_grid_svg(cells(1, list(range(9, 45))), title="arm"))
    assert "9" not in ["".join(text.itertext()) for text in close.iter(f"{SVG}text")]


def test_names_of_a_grid_are_text() -> None:
    svg = item_grid_svg([GridItem(column=0, row=HOSTILE, state="other", held_out=False)], title=HOSTILE, axis=HOSTILE)
    assert list(squares(svg)) == [f"0 (seen), {HOSTILE}: another token was wrong"]
    assert ET.fromstring(svg).get("aria-label", "").startswith(HOSTILE)


def test_a_drawing_for_two_widths_is_drawn_for_each() -> None:
    point = ScatterPoint(x=0, y=0, label="a")
    html = str(responsive(lambda width: scatter_svg([point], title="t", width=width), wide=700))
    assert re.findall(r'viewBox="0 0 (\d+) ', html) == ["700", "350"]
    assert html.index("for-wide") < html.index("for-narrow")
