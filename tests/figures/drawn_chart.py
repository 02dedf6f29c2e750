"""A chart as it is drawn: where its marks stand in pixels, and in values by the labels of its axes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"
_SHIFT = re.compile(r"translate\(([-\d.e]+),([-\d.e]+)\)")
_SUFFIX = {"%": 0.01, "k": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True)
class Mark:
    """One mark with a hover title."""

    title: str
    x: float
    y: float
    path: tuple[tuple[float, float], ...]
    """Its corners: both ends of a rule, the points of a line."""
    look: dict[str, str]
    """Its attributes."""


class DrawnChart:
    """A chart of one panel, read from its SVG."""

    def __init__(self, svg: str, *, log_x: bool = False, log_y: bool = False) -> None:
        self.root = ET.fromstring(svg)
        self.texts = ["".join(element.itertext()) for element in self.root.iter(f"{SVG}text")]
        self._marks: list[Mark] = []
        self._ticks: dict[str, list[tuple[float, float]]] = {"X": [], "Y": []}
        self._walk(self.root, 0.0, 0.0, "")
        self._log = {"X": log_x, "Y": log_y}

    @property
    def titles(self) -> list[str]:
        return [mark.title for mark in self._marks]

    def marks(self, title: str) -> list[Mark]:
        """All marks of a hover title, those behind the others first."""
        return [mark for mark in self._marks if mark.title == title]

    def x(self, pixels: float) -> float:
        """The value on the horizontal axis."""
        return self._value("X", pixels)

    def y(self, pixels: float) -> float:
        """The value on the vertical axis."""
        return self._value("Y", pixels)

    def ticks(self, axis: str) -> list[float]:
        """The values at the ticks of an axis, "X" or "Y"."""
        return [value for _, value in self._ticks[axis]]

    def _value(self, axis: str, pixels: float) -> float:
        at, values = np.array(self._ticks[axis]).T
        # Ticks are drawn on whole pixels, so that a line through all of them is nearer than one through two.
        slope, start = np.polyfit(at, np.log10(values) if self._log[axis] else values, 1)
        found = slope * pixels + start
        return float(10.0**found if self._log[axis] else found)

    def _walk(self, element: ET.Element, x: float, y: float, axis: str) -> None:
        right, down = _shift(element)
        x, y = x + right, y + down
        if found := re.match(r"([XY])-axis", element.get("aria-label", "")):
            axis = found[1]
        if axis and "role-axis-label" in element.get("class", ""):
            for text in element:
                right, down = _shift(text)
                value = _number("".join(text.itertext()))
                if value is not None:
                    self._ticks[axis].append((x + right if axis == "X" else y + down - 3.0, value))
            return
        title = element.find(f"{SVG}title")
        if title is not None and element is not self.root:
            self._marks.append(Mark(title.text or "", x, y, tuple(_corners(element, x, y)), dict(element.attrib)))
        for child in element:
            self._walk(child, x, y, axis)


def _shift(element: ET.Element) -> tuple[float, float]:
    found = _SHIFT.match(element.get("transform", ""))
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)


def _number(text: str) -> float | None:
    plain = text.replace(",", "").replace("\N{MINUS SIGN}", "-")
    factor = _SUFFIX.get(plain[-1:], 1.0)
    try:
        return float(plain[:-1] if factor != 1.0 else plain) * factor
    except ValueError:
        return None


def _corners(element: ET.Element, x: float, y: float) -> Iterator[tuple[float, float]]:
    """The ends of a rule, or the points of a path of straight lines."""
    if element.tag == f"{SVG}line":
        yield x, y
        yield x + float(element.get("x2", 0)), y + float(element.get("y2", 0))
        return
    for corner in re.findall(r"[ML](-?[\d.]+),(-?[\d.]+)", element.get("d", "")):
        yield x + float(corner[0]), y + float(corner[1])
