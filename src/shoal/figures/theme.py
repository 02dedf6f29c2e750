"""The one place where colours, marks and type of all figures are chosen, and where charts become SVG and PNG in them.

The series colours are darkened Okabe-Ito hues: they can be distinguished with any common colour blindness, and have a
contrast of at least 4.5:1 to paper. Each comes with a mark of its own shape, since colour is never the only sign.
Charts are rendered without a browser and without a network, by Vega-Lite inside `vl-convert`.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import altair as alt


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


def layered(
    layers: Sequence[alt.Chart], *, width: int, height: int | alt.Step, title: str | None = None
) -> alt.LayerChart:
    """A chart of layers, the first of them behind the others.

    Args:
        layers: over one data set or several.
        width: of the whole drawing, in pixels.
        height: of the plot, in pixels or by row.
        title: above it; None for none.
    """
    # Here, since pages without charts take their colours from this file, and Altair takes half a second.
    import altair as alt

    # In one call: each of Altair's own `properties` and `configure` copies every layer with all of its data.
    titled = {} if title is None else {"title": title}
    return alt.LayerChart(layer=list(layers), width=width, height=height, config=chart_config(), **titled)


WIDE = 950
"""Pixels of a drawing that is as wide as its page."""

NARROW = 350
"""Pixels of a drawing on a phone of 390, its margins taken off."""

# vl-convert writes a mark's description as aria-label, which no browser shows.
_MARK = re.compile(r'<(path|rect|line) aria-label="([^"]*)"([^>]*?)(?:/>|></\1>)')
# Vega gives every mark a role of its own, without a name: the drawing is one image with one description.
_ROLES = re.compile(r' role="graphics-(?:symbol|object)"| aria-roledescription="[^"]*"')
_LABEL = re.compile(r'(<text) aria-label="[^"]*"')
_SEPARATORS = str.maketrans("\u2028\u2029", "  ")


def label_axis(width: int) -> alt.Axis:
    """Row labels in ink, without ticks, that leave the plot more than half of the drawing.

    Args:
        width: of the whole drawing, in pixels.
    """
    import altair as alt

    return alt.Axis(
        domain=False, ticks=False, grid=False, labelColor=LIGHT["ink"], labelLimit=2 * width // 5, labelPadding=8
    )


def to_svg(chart: alt.Chart, *, title: str = "", follow_page: bool = True) -> str:
    """A chart as one ``<svg>`` element.

    Args:
        chart: any Altair chart; a mark's ``description`` encoding becomes its hover title.
        title: what a screen reader reads of the whole figure.
        follow_page: colours become custom properties (see `css_variables`), so that the figure turns dark with its
            page; False gives plain colours for programs that draw SVG without CSS.
    """
    import vl_convert

    # Without allowed addresses a chart that names one is an error, and no request.
    svg = str(vl_convert.vegalite_to_svg(_spec(chart), allowed_base_urls=[]))
    svg = _ROLES.sub("", _with_hover_titles(svg))
    if title:
        svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)
    return themed(svg) if follow_page else svg


def responsive(draw: Callable[[int], alt.Chart | str], *, title: str = "", wide: int | None = None) -> Markup:
    """A drawing in two widths, of which the page shows the one that its screen has room for.

    A drawing that is merely scaled down to a phone has letters of five pixels, so it is drawn again for its width.

    Args:
        draw: called with the width of the whole drawing in pixels; gives a chart or an ``<svg>``.
        title: what a screen reader reads of the whole figure.
        wide: its width where there is room; None is that of the page.
    """
    drawn = [draw(WIDE if wide is None else wide), draw(NARROW)]
    svgs = [Markup(each if isinstance(each, str) else to_svg(each, title=title)) for each in drawn]
    return Markup("<div class='for-wide'>{}</div><div class='for-narrow'>{}</div>").format(*svgs)


def to_png(chart: alt.Chart, *, scale: float = 2.0) -> bytes:
    """A chart as a PNG image on white paper, ``scale`` pixels a unit.

    Args:
        chart: any Altair chart.
        scale: pixels per unit of the drawing.
    """
    import vl_convert

    spec = _spec(chart.properties(background="white"))
    return bytes(vl_convert.vegalite_to_png(spec, scale=scale, allowed_base_urls=[]))


def _spec(chart: alt.Chart) -> dict[str, Any]:
    """The chart as Vega-Lite. Altair's own check takes longer than the drawing, and tests do it for every figure."""
    spec: dict[str, Any] = _on_one_line(chart.to_dict(validate=False))
    _silence_unnamed(spec)
    return spec


def _silence_unnamed(spec: dict[str, Any]) -> None:
    """Leave marks without a description without a label: Vega would make one of the names of the fields of their data.

    Args:
        spec: a chart as Vega-Lite, changed in place.
    """
    for part in (*spec.get("layer", ()), *spec.get("vconcat", ())):
        _silence_unnamed(part)
    if "mark" in spec and "description" not in spec.get("encoding", {}):
        mark = spec["mark"]
        spec["mark"] = ({"type": mark} if isinstance(mark, str) else mark) | {"aria": False}


def _on_one_line(value: Any) -> Any:
    """A specification whose texts have no line separators: Vega writes labels into expressions, which end at them."""
    if isinstance(value, str):
        return value.translate(_SEPARATORS)
    if isinstance(value, dict):
        return {name: _on_one_line(part) for name, part in value.items()}
    return [_on_one_line(part) for part in value] if isinstance(value, list) else value


def _with_hover_titles(svg: str) -> str:
    """Give every mark that has a label a ``<title>``, which browsers show on hover."""

    def mend(match: re.Match[str]) -> str:
        tag, label, rest = match.groups()
        return f"<{tag}{rest}><title>{label}</title></{tag}>"

    return _MARK.sub(mend, _LABEL.sub(r"\1", svg))
