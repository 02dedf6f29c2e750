"""A scatter with labels that can be read: a label stands where there is room, or on hover where there is none.

Drawn as SVG by hand, since charts place labels over each other. Cost: each label is tried at eight places against what
stands already, O(points²) in the worst case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from shoal.figures.theme import FONT, LIGHT, series_colour, series_shape, themed

if TYPE_CHECKING:
    from collections.abc import Sequence

    Box = tuple[float, float, float, float]

# Arial's letters of 11 pixels, about; without a browser no text can be measured.
_LETTER, _SLIM, _BROAD = 6.2, 3.8, 9.0
_SLIM_LETTERS = frozenset("fijlrtI.,:;!'|\u00b7() ")
_LINE = 12.0
_MARGIN = 26
_MARK = 4.0
_KEY_START, _KEY_WIDTH, _KEY_LINE = 12, 120, 18
"""Pixels before the key, of a short name in it, and of a line of it."""
_PLACES = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))
"""Where a label is tried, in this order: right, left, above, below, and the corners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScatterPoint:
    """One point."""

    x: float
    y: float
    label: str
    tooltip: str = ""
    """The hover title; the label where it is empty."""

    series: int = 0
    """Which colour and mark it has (see `shoal.figures.theme`)."""


def scatter_svg(
    points: Sequence[ScatterPoint],
    *,
    title: str,
    series: Sequence[str] = (),
    width: int = 460,
    height: int = 380,
) -> str:
    """An ``<svg>`` of points in a plane whose axes mean nothing by themselves, one unit long on both.

    Args:
        points: where they are; labels of the first ones are placed first.
        title: what is drawn.
        series: names of the series, for a key under the drawing.
        width: of the whole, in pixels.
        height: of the plot, without title and key, in pixels.
    """
    places = _scaled(points, width, height)
    marks = [_mark(x, y, point) for (x, y), point in zip(places, points, strict=True)]
    labels = [_text(x, y, text) for x, y, text in _labels(places, points, width, height)]
    spots = _key_places(series, width)
    key = [
        f'<g transform="translate({x},{height + _MARGIN + 14 + y})">{_shape(0, -4, place)}'
        f'<text x="9" y="0" fill="{LIGHT["muted"]}" font-size="11">{escape(name)}</text></g>'
        for place, (name, (x, y)) in enumerate(zip(series, spots, strict=True))
    ]
    whole = height + _MARGIN + (24 + spots[-1][1] if series else 0)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {whole}" width="{width}" height="{whole}" '
        f'role="img" aria-label="{escape(title)}" font-family="{escape(FONT)}">'
        f'<text x="0" y="14" fill="{LIGHT["ink"]}" font-size="13" font-weight="600">{escape(title)}</text>'
        f'<rect x="0.5" y="{_MARGIN - 4}" width="{width - 1}" height="{height}" fill="none" stroke="{LIGHT["grid"]}"/>'
        f"{''.join(marks)}{''.join(labels)}{''.join(key)}</svg>"
    )
    return themed(svg)


def _key_places(names: Sequence[str], width: int) -> list[tuple[int, int]]:
    """(x, y) of each name of the key, side by side and in a new line where there is no room."""
    places, x, y = [], _KEY_START, 0
    for name in names:
        taken = max(_KEY_WIDTH, math.ceil(_length(name)) + 27)
        if x > _KEY_START and x + taken > width:
            x, y = _KEY_START, y + _KEY_LINE
        places.append((x, y))
        x += taken
    return places


def _scaled(points: Sequence[ScatterPoint], width: int, height: int) -> list[tuple[float, float]]:
    """Pixels, one scale for both axes, so that distances stay comparable."""
    if not points:
        return []
    lows = [min(getattr(point, axis) for point in points) for axis in "xy"]
    highs = [max(getattr(point, axis) for point in points) for axis in "xy"]
    # The rest is for labels, which mostly stand right of their points.
    room = (width - 100, height - 40)
    scale = min(
        (size / (high - low) for size, low, high in zip(room, lows, highs, strict=True) if high > low), default=1.0
    )
    middle = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
    return [
        (width / 2 + (point.x - middle[0]) * scale, _MARGIN - 4 + height / 2 - (point.y - middle[1]) * scale)
        for point in points
    ]


def _labels(
    places: Sequence[tuple[float, float]], points: Sequence[ScatterPoint], width: int, height: int
) -> list[tuple[float, float, str]]:
    """(x, y, text) of every label that has room."""
    taken: list[Box] = [(x - _MARK, y - _MARK, x + _MARK, y + _MARK) for x, y in places]
    frame = (2.0, _MARGIN - 2.0, width - 2.0, _MARGIN + height - 6.0)
    found = []
    for own, ((x, y), point) in enumerate(zip(places, points, strict=True)):
        size = _length(point.label)
        for right, down in _PLACES:
            left = x + right * (_MARK + 3) - (size if right < 0 else size / 2 if right == 0 else 0)
            top = y + down * (_MARK + _LINE / 2 + 1) - _LINE / 2
            box = (left, top, left + size, top + _LINE)
            inside = box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3]
            if inside and not any(_overlap(box, other) for place, other in enumerate(taken) if place != own):
                taken.append(box)
                found.append((left, top + _LINE - 3, point.label))
                break
    return found


def _length(text: str) -> float:
    """About as many pixels as a label takes."""
    return sum(
        _SLIM if letter in _SLIM_LETTERS else _BROAD if letter in "mw" or letter.isupper() else _LETTER
        for letter in text
    )


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _mark(x: float, y: float, point: ScatterPoint) -> str:
    return f"<g><title>{escape(point.tooltip or point.label)}</title>{_shape(x, y, point.series)}</g>"


def _shape(x: float, y: float, series: int) -> str:
    """A mark of the series' colour and shape."""
    colour, size = series_colour(series), _MARK
    edge = f'fill="{colour}" stroke="{LIGHT["paper"]}" stroke-width="0.8"'
    shapes: dict[str, list[tuple[float, float]]] = {
        "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        "triangle-up": [(0, -1.2), (1.1, 0.9), (-1.1, 0.9)],
        "triangle-down": [(0, 1.2), (1.1, -0.9), (-1.1, -0.9)],
        "diamond": [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
        "cross": [
            (-0.4, -1.2),
            (0.4, -1.2),
            (0.4, -0.4),
            (1.2, -0.4),
            (1.2, 0.4),
            (0.4, 0.4),
            (0.4, 1.2),
            (-0.4, 1.2),
            (-0.4, 0.4),
            (-1.2, 0.4),
            (-1.2, -0.4),
            (-0.4, -0.4),
        ],
    }
    corners = shapes.get(series_shape(series))
    if corners is None:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" {edge}/>'
    path = " ".join(f"{x + size * right:.1f},{y + size * down:.1f}" for right, down in corners)
    return f'<polygon points="{path}" {edge}/>'


def _text(x: float, y: float, text: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{LIGHT["ink"]}" font-size="11" xml:space="preserve">{escape(text)}</text>'
    )
