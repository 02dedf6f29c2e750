"""Charts to SVG and PNG, without a browser and without a network (Vega-Lite inside `vl-convert`)."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from shoal.figures.theme import themed

if TYPE_CHECKING:
    import altair as alt

_MARK = re.compile(r'<(path|rect|line) aria-label="([^"]*)"([^>]*?)(?:/>|></\1>)')
_LABEL = re.compile(r'(<text) aria-label="[^"]*"')


def to_svg(chart: alt.Chart, *, title: str = "", follow_page: bool = True) -> str:
    """A chart as one ``<svg>`` element.

    Args:
        chart: any Altair chart; a mark's ``description`` encoding becomes its hover title.
        title: what a screen reader says of the whole figure.
        follow_page: colours become custom properties (see `css_variables`), so that the figure turns dark with its
            page; False gives plain colours for programs that draw SVG without CSS.
    """
    import vl_convert

    svg = str(vl_convert.vegalite_to_svg(_spec(chart), allowed_base_urls=[]))
    svg = _with_hover_titles(svg)
    if title:
        svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)
    return themed(svg) if follow_page else svg


def to_png(chart: alt.Chart, *, scale: float = 2.0) -> bytes:
    """A chart as a PNG image on white paper, ``scale`` pixels a unit."""
    import vl_convert

    spec = _spec(chart.properties(background="white"))
    return bytes(vl_convert.vegalite_to_png(spec, scale=scale, allowed_base_urls=[]))


def _spec(chart: alt.Chart) -> dict[str, Any]:
    """The chart as Vega-Lite. Altair's own check takes longer than the drawing, and tests do it for every figure."""
    spec: dict[str, Any] = chart.to_dict(validate=False)
    return spec


def _with_hover_titles(svg: str) -> str:
    """Give every mark that has a label a ``<title>``, which browsers show on hover."""

    def mend(match: re.Match[str]) -> str:
        tag, label, rest = match.groups()
        return f"<{tag}{rest}><title>{label}</title></{tag}>"

    return _MARK.sub(mend, _LABEL.sub(r"\1", svg))
