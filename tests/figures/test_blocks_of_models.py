"""Grids of heads, tables of layers and bars: each shows the numbers and names that it was given."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from markupsafe import Markup

from page_reader import HOSTILE, PageReader, read_page
from shoal.figures import (
    BarRow,
    HeadPattern,
    LensCell,
    Section,
    bar_style,
    bar_table,
    document,
    figure,
    head_data,
    head_grid,
    head_script,
    head_style,
    lens_table,
    links_that_fit,
    table,
)


def whole(*blocks: Markup) -> PageReader:
    return read_page(document("t", "r", [Section("s", "S", Markup("").join(blocks))]))


def pattern(block: int, head: int, weights: list[list[float]], note: str = "") -> HeadPattern:
    keys = np.argsort(-np.array(weights), axis=1).astype(np.uint16)
    return HeadPattern(
        block=block, head=head, keys_LT=keys, weights_LT=-np.sort(-np.array(weights, dtype=np.float32)), note=note
    )


def test_a_grid_of_heads_has_a_row_a_block_and_a_column_a_head() -> None:
    patterns = [pattern(block, head, [[1.0], [0.5]]) for block in range(3) for head in range(2)]
    page = PageReader(str(head_grid("g", patterns, label="all <heads>")))
    cells = [attrs for _, attrs in page.tags if attrs.get("role") == "gridcell"]
    assert [cell["title"] for cell in cells] == [
        f"block {block} head {head}: links shown hold 75% of the attention" for block in range(3) for head in range(2)
    ]
    roles = [attrs.get("role") for _, attrs in page.tags]
    assert (roles.count("row"), roles.count("rowheader"), roles.count("columnheader")) == (4, 3, 3)
    assert [cell["tabindex"] for cell in cells] == ["0", "-1", "-1", "-1", "-1", "-1"]
    (grid,) = [attrs for _, attrs in page.tags if attrs.get("role") == "grid"]
    assert (grid["aria-label"], grid["style"]) == ("all <heads>", "--heads:2")


def test_a_head_with_a_note_is_marked_and_its_note_is_text() -> None:
    page = PageReader(str(head_grid("g", [pattern(0, 0, [[1.0]], note=HOSTILE), pattern(0, 1, [[1.0]])], label="l")))
    named, plain = (attrs for _, attrs in page.tags if attrs.get("role") == "gridcell")
    assert "named" in named["class"].split()
    assert "named" not in plain["class"].split()
    assert named["title"] == f"block 0 head 0: {HOSTILE}; links shown hold 100% of the attention"


@given(
    weights=st.lists(st.lists(st.floats(0.0, 1.0, width=32), min_size=3, max_size=3), min_size=1, max_size=8),
)
@settings(max_examples=30)
def test_weights_and_keys_come_back_within_a_byte_of_a_root(weights: list[list[float]]) -> None:
    one = pattern(0, 0, weights)
    held = head_data([one], ["a", "b", "c"])
    (head,) = held["heads"]
    keys = np.frombuffer(base64.b64decode(head["keys"]), dtype="<u2").reshape(one.keys_LT.shape)
    roots = np.frombuffer(base64.b64decode(head["weights"]), dtype="u1").reshape(one.weights_LT.shape) / 255
    np.testing.assert_array_equal(keys, one.keys_LT)
    np.testing.assert_allclose(roots, np.sqrt(one.weights_LT), atol=0.5 / 255 + 1e-6)
    assert held["links"] == 3
    assert held["tokens"] == ["a", "b", "c"]


def test_the_share_that_links_hold_is_the_mean_over_queries() -> None:
    assert pattern(0, 0, [[0.75, 0.25], [0.5, 0.0]]).share == pytest.approx(0.75)
    empty = HeadPattern(block=0, head=0, keys_LT=np.zeros((0, 1), np.uint16), weights_LT=np.zeros((0, 1), np.float32))
    assert empty.share == 0.0


@given(tokens=st.integers(1, 5000), heads=st.integers(1, 2000))
def test_links_are_as_many_as_fit_and_never_none(tokens: int, heads: int) -> None:
    links = links_that_fit(tokens, heads)
    assert 1 <= links <= min(8, tokens)
    assert links == 1 or tokens * heads * links * 4 <= 3_000_000
    assert links == min(8, tokens) or tokens * heads * (links + 1) * 4 > 3_000_000


def test_a_page_of_heads_reads_its_data_by_the_name_of_its_grid() -> None:
    patterns = [pattern(0, 0, [[1.0, 0.0], [0.5, 0.5]])]
    page = read_page(
        document(
            "t", "r", [Section("s", "S", head_grid("text", patterns, label="l"))], style=head_style(),
            script=head_script(), data={"heads-text": head_data(patterns, ["<s>", HOSTILE])},
        )
    )  # fmt: skip
    assert page.json("heads-text")["tokens"] == ["<s>", HOSTILE]  # type: ignore[index]
    assert [attrs["data-heads"] for _, attrs in page.tags if "data-heads" in attrs] == ["text"]


def test_a_lens_table_has_a_named_row_a_position() -> None:
    cell = LensCell(token="the", p=0.126, right=False, more="the 13%")
    page = whole(lens_table(["embedding", "0"], [(" cat", [cell, cell]), ("", [cell, cell])], caption="layers"))
    assert page.tables["layers"] == [
        ["read", "embedding", "0"],
        ["·cat", "the13%", "the13%"],
        ["∅", "the13%", "the13%"],
    ]


@pytest.mark.parametrize(
    ("row", "significant"),
    [
        (BarRow(name="a", value=1.0), True),
        (BarRow(name="a", value=1.0, low=0.5), True),
        (BarRow(name="a", value=1.0, low=0.5, high=1.5), True),
        (BarRow(name="a", value=1.0, low=-0.5, high=0.0), False),
        (BarRow(name="a", value=-1.0, low=-2.0, high=-1e-9), True),
        (BarRow(name="a", value=0.0, low=0.0, high=0.0), False),
    ],
)
def test_a_number_is_significant_where_its_interval_leaves_out_zero(row: BarRow, significant: bool) -> None:
    assert row.significant is significant
    assert ("pale" in str(bar_table([row], head=("a", "b"), caption="c"))) is not significant


def test_bars_of_nothing_are_an_empty_table() -> None:
    page = whole(bar_table([], head=("part", "adds"), caption="c"))
    assert page.tables["c"] == [["part", "adds", ""]]
    assert bar_style()


@pytest.mark.parametrize("value", [0, 0.5, None, True, HOSTILE, "", Markup("<b>x</b>"), "a\nb", "x" * 3000])
def test_cells_of_a_table_show_what_they_are_given(value: object) -> None:
    page = whole(table(["name", "value"], [["row", value]], caption="c"))
    ((_, shown),) = page.rows("c")
    expected = "x" if isinstance(value, Markup) else " ".join(str(value).split())
    assert shown == expected


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_figure_holds_its_drawings_in_order(count: int) -> None:
    page = whole(figure([f"<svg id='d{k}'></svg>" for k in range(count)], caption=HOSTILE))
    assert [attrs["id"] for attrs in page.all("svg")] == [f"d{k}" for k in range(count)]
    assert page.part("figcaption") == " ".join(HOSTILE.split())
