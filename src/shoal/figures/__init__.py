"""Figures and HTML blocks that rooms draw with: plain values in, Altair charts or HTML out."""

from shoal.figures.curves import CurveLine, curve_chart
from shoal.figures.dots import DotRow, dot_chart
from shoal.figures.effect import effect_chart
from shoal.figures.page import figure, page, table
from shoal.figures.render import to_png, to_svg
from shoal.figures.strips import WORDS, Cell, State, key_svg, strip_svg
from shoal.figures.theme import css_variables, series_colour, series_shape

__all__ = [
    "WORDS",
    "Cell",
    "CurveLine",
    "DotRow",
    "State",
    "css_variables",
    "curve_chart",
    "dot_chart",
    "effect_chart",
    "figure",
    "key_svg",
    "page",
    "series_colour",
    "series_shape",
    "strip_svg",
    "table",
    "to_png",
    "to_svg",
]
