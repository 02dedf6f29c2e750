"""The one place where colours, marks and type of all figures are chosen.

The series colours are darkened Okabe-Ito hues: they can be distinguished with any common colour blindness, and have a
contrast of at least 4.5:1 to paper. Each comes with a mark of its own shape, since colour is never the only sign.
"""

from __future__ import annotations

from typing import Any

FONT = "Arial, 'Liberation Sans', Helvetica, Arimo, sans-serif"
"""What figures are set in: fonts of one width, so that a layout made here holds where it is read."""

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1c2127",
    "muted": "#5a6470",
    "grid": "#e4e7eb",
    "rule": "#98a2ae",
    "band": "#f0f4f8",
    "right": "#00735a",
    "near": "#8fd0bd",
    "wrong": "#b3261e",
    "miss": "#f4dcd9",
    "series-1": "#0067a3",
    "series-2": "#b84a00",
    "series-3": "#00795c",
    "series-4": "#98377f",
    "series-5": "#7a5f00",
    "series-6": "#43567d",
    "series-7": "#5b4fc4",
    "series-8": "#8c4a2f",
    "series-9": "#00737d",
    "series-10": "#b0246a",
}
"""Colours by role, for light paper. Charts use six series, whose marks differ; a text in classes uses ten."""

DARK = {
    "paper": "#14181d",
    "ink": "#e7eaee",
    "muted": "#a2adb9",
    "grid": "#2b323a",
    "rule": "#6d7883",
    "band": "#1d242c",
    "right": "#3fc39b",
    "near": "#1f6a55",
    "wrong": "#ff8a80",
    "miss": "#4a2826",
    "series-1": "#63b7ea",
    "series-2": "#f49355",
    "series-3": "#45c99e",
    "series-4": "#df8fc9",
    "series-5": "#d8b93f",
    "series-6": "#aab9da",
    "series-7": "#a9a1f5",
    "series-8": "#d9a184",
    "series-9": "#4cc3cf",
    "series-10": "#f285b5",
}
"""The same roles for dark paper."""

SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")


def series_colour(place: int) -> str:
    """The light colour of the series at ``place`` (from 0), after six of them from the start again."""
    return LIGHT[f"series-{place % 6 + 1}"]


def series_shape(place: int) -> str:
    """The mark of the series at ``place`` (from 0)."""
    return SHAPES[place % len(SHAPES)]


def themed(svg: str) -> str:
    """An SVG whose colours follow the page: each colour of the theme becomes its custom property."""
    for role, colour in LIGHT.items():
        # In quotes it is a whole attribute; the colour itself follows for programs that know no custom properties.
        svg = svg.replace(f'"{colour}"', f'"var(--{role},{colour})"')
    return svg


def chart_config() -> dict[str, Any]:
    """The Vega-Lite ``config`` of every chart."""
    ink, muted, grid, rule = LIGHT["ink"], LIGHT["muted"], LIGHT["grid"], LIGHT["rule"]
    return {
        # Charts are requested by the width of the whole drawing: how much of it their labels take is not known before.
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": muted,
            "titleColor": muted,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "gridColor": grid,
            "domainColor": rule,
            "tickColor": rule,
            "tickSize": 4,
        },
        "legend": {"labelColor": ink, "titleColor": muted, "labelFontSize": 11, "titleFontSize": 11},
        "title": {"color": ink, "fontSize": 13, "fontWeight": 600, "anchor": "start", "offset": 10},
        "text": {"color": ink, "fontSize": 12},
    }
