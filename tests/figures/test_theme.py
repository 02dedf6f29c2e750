"""Colours can be read on paper, light and dark, and told apart by everybody."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from shoal.figures import css_variables
from shoal.figures.theme import DARK, LIGHT, SHAPES, series_colour, series_shape, themed

# Machado, Oliveira and Fernandes (2009), table 1, severity 1.0.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    weights = np.array([0.2126, 0.7152, 0.0722])
    high, low = sorted((float(weights @ linear(one)), float(weights @ linear(other))), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("role", ["ink", "muted", "right", "wrong", *(f"series-{n}" for n in range(1, 11))])
def test_text_and_marks_stand_out_from_paper(colours: dict[str, str], role: str) -> None:
    assert contrast(colours[role], colours["paper"]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_signs_stand_out_from_their_cells(colours: dict[str, str]) -> None:
    assert contrast(colours["wrong"], colours["miss"]) >= 4.5
    assert contrast(colours["ink"], colours["near"]) >= 4.5
    assert contrast(colours["paper"], colours["right"]) >= 4.5


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_first_two_series_and_the_states_differ_for_the_colour_blind(kind: str, colours: dict[str, str]) -> None:
    seen = {role: np.array(BLINDNESS[kind]) @ linear(colour) for role, colour in colours.items()}
    for one, other in [("series-1", "series-2"), ("right", "near"), ("right", "miss"), ("near", "miss")]:
        assert np.linalg.norm(seen[one] - seen[other]) > 0.1, (one, other)


def test_both_papers_have_the_same_roles_and_no_colour_stands_for_two() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert all(LIGHT[one] != LIGHT[other] for one, other in combinations(LIGHT, 2))


def test_neighbouring_series_differ_in_shape_as_well() -> None:
    assert len(set(SHAPES)) == 6
    assert series_shape(0) != series_shape(1)
    assert series_colour(0) == series_colour(6)


def test_themed_colours_follow_the_page_and_keep_a_fallback() -> None:
    assert themed(f'<rect fill="{LIGHT["right"]}"/>') == f'<rect fill="var(--right,{LIGHT["right"]})"/>'


def test_dark_colours_apply_only_where_the_reader_asks_for_them() -> None:
    light, dark, print_ = css_variables().strip().split("\n")
    assert LIGHT["paper"] in light
    assert dark.startswith("@media (prefers-color-scheme:dark)")
    assert DARK["paper"] in dark
    assert print_.startswith("@media print")
    assert LIGHT["paper"] in print_
