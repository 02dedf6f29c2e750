"""Charts to SVG and PNG, without a browser and without a network (Vega-Lite inside `vl-convert`)."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.figures.theme import themed

if TYPE_CHECKING:
    from collections.abc import Callable

    import altair as alt

WIDE = 950
"""Pixels of a drawing that is as wide as its page."""

NARROW = 350
"""Pixels of a drawing on a phone of 390, its margins taken off."""

# vl-convert writes a mark's description as aria-label, which no browser shows.
_MARK = re.compile(r'<(path|rect|line) aria-label="([^"]*)"([^>]*?)(?:/>|></\1>)')
# Vega gives every mark a role of its own, without a name: the drawing is one image with one description.
_ROLES = re.compile(r' role="graphics-(?:symbol|object)"| aria-roledescription="[^"]*"')
_LABEL = re.compile(r'(<text) aria-label="[^"]*"')


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


def responsive(draw: Callable[[int], alt.Chart | str], *, title: str = "", wide: int = WIDE) -> Markup:
    """A drawing in two widths, of which the page shows the one that its screen has room for.

    A drawing that is merely scaled down to a phone has letters of five pixels, so it is drawn again for its width.

    Args:
        draw: called with the width of the whole drawing in pixels; gives a chart or an ``<svg>``.
        title: what a screen reader reads of the whole figure.
        wide: its width where there is room.
    """
    drawn = [draw(wide), draw(NARROW)]
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
    spec: dict[str, Any] = chart.to_dict(validate=False)
    return spec


def _with_hover_titles(svg: str) -> str:
    """Give every mark that has a label a ``<title>``, which browsers show on hover."""

    def mend(match: re.Match[str]) -> str:
        tag, label, rest = match.groups()
        return f"<{tag}{rest}><title>{label}</title></{tag}>"

    return _MARK.sub(mend, _LABEL.sub(r"\1", svg))
