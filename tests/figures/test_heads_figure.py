"""Head grids, bars and lens tables: what they hold, and how small they stay."""

import base64
import json

import numpy as np
import pytest

from shoal.figures.inspection_blocks import (
    BarRow,
    HeadPattern,
    LensCell,
    bar_table,
    head_data,
    head_grid,
    lens_table,
    links_that_fit,
)


def pattern(block=0, head=0, note=""):
    keys = np.array([[0, 1], [1, 0], [300, 0]], dtype=np.uint16)
    weights = np.array([[1.0, 0.0], [0.75, 0.25], [0.5, 0.1]], dtype=np.float32)
    return HeadPattern(block=block, head=head, keys_LT=keys, weights_LT=weights, note=note)


def test_links_come_back_from_the_page_as_they_went_in():
    held = json.loads(json.dumps(head_data([pattern()], ["a", "b", "c"])))
    keys = np.frombuffer(base64.b64decode(held["heads"][0]["keys"]), dtype="<u2")
    weights = np.frombuffer(base64.b64decode(held["heads"][0]["weights"]), dtype="u1")
    assert held["links"] == 2
    assert keys.tolist() == [0, 1, 1, 0, 300, 0]
    assert ((weights / 255) ** 2).tolist() == pytest.approx([1.0, 0.0, 0.75, 0.25, 0.5, 0.1], abs=0.004)


def test_the_thin_attention_of_a_long_text_is_still_there():
    thin = HeadPattern(
        block=0, head=0, keys_LT=np.zeros((1, 2), dtype=np.uint16), weights_LT=np.array([[1e-3, 1e-4]], np.float32)
    )
    held = head_data([thin], ["a"])["heads"][0]["weights"]
    weights = (np.frombuffer(base64.b64decode(held), dtype="u1") / 255) ** 2
    assert weights.tolist() == pytest.approx([1e-3, 1e-4], rel=0.4)


def test_the_share_of_the_attention_that_is_kept_is_said():
    assert pattern().share == pytest.approx(2.6 / 3)
    html = head_grid("x", [pattern(), pattern(head=1, note="induction")], label="heads")
    assert "block 0 head 1: induction; links shown hold 87% of the attention" in html
    assert html.count('role="gridcell"') == 2
    assert html.count('tabindex="0"') == 1


@pytest.mark.parametrize(("tokens", "heads"), [(1000, 144), (2048, 270), (12, 16), (1, 1)])
def test_all_links_take_less_than_3_megabytes(tokens, heads):
    links = links_that_fit(tokens, heads)
    assert 1 <= links <= tokens
    assert tokens * heads * links * 4 <= 3_000_000


def test_bars_grow_to_both_sides_and_names_are_escaped():
    html = bar_table(
        [BarRow(name="<b>", value=2.0), BarRow(name="half", value=-1.0)], head=("part", "adds"), caption="c"
    )
    assert "&lt;b&gt;" in html
    assert "left:50.00%;width:50.00%" in html
    assert "left:25.00%;width:25.00%" in html
    assert "+2.000" in html


def test_a_bar_whose_interval_holds_0_is_pale_and_said_to_be_not_significant():
    rows = [
        BarRow(name="sure", value=1.0, low=0.5, high=2.0),
        BarRow(name="unsure", value=0.5, low=-0.5, high=1.0),
        BarRow(name="alone", value=0.25),
    ]
    html = bar_table(rows, head=("part", "adds"), caption="c", interval="90% interval")
    assert html.count("pale") == 1
    assert "\N{MINUS SIGN}0.500 to +1.000 (n.s.)" in html
    assert "+0.500 to +2.000</div>" in html
    assert html.count("class='whisker'") == 2
    assert 'data-label="90% interval"' in html


def test_bars_without_intervals_have_no_column_for_them():
    html = bar_table([BarRow(name="a", value=1.0)], head=("part", "adds"), caption="c")
    assert "interval" not in html


def test_the_head_that_is_shown_first_is_in_the_data():
    assert head_data([pattern(), pattern(head=1)], ["a"], start=1)["start"] == 1


def test_a_lens_cell_shows_its_token_and_marks_the_right_one():
    cell = LensCell(token=" day", p=0.5, right=True, more="'a' 50%")
    html = lens_table(["block 0"], [("One", [cell])], caption="c")
    assert "\N{MIDDLE DOT}day" in html
    assert "class='lens hit'" in html
    assert "50%" in html
