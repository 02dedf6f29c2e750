"""Blocks of pages: bars, tables of layers, token views, documents and what a server puts around them."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, strategies as st
from markupsafe import Markup

from page_reader import HOSTILE, PageReader, read_page
from shoal.figures import (
    BarRow,
    LensCell,
    PageContent,
    PageFrame,
    Section,
    TokenBox,
    TokenMeasure,
    bar_style,
    bar_table,
    document,
    figure,
    framed_pages,
    lens_script,
    lens_style,
    lens_table,
    table,
    token_data,
    token_script,
    token_style,
    token_view,
    visible,
)


def whole(html):
    """A block as the body of a page that passes every check."""
    return read_page(document("t", "r", [Section("s", "S", Markup("{}").format(html))]))


def styles(page, name):
    return [attrs["style"] for _, attrs in page.tags if name in attrs.get("class", "").split()]


def span(style):
    found = re.fullmatch(r"left:([\d.]+)%;width:([\d.]+)%", style)
    assert found, style
    return float(found[1]), float(found[2])


@pytest.mark.parametrize(
    ("values", "spans"),
    [
        ([1.0, -1.0, 0.5, 0.0], [(50, 50), (0, 50), (50, 25), (50, 0)]),
        ([0.25], [(50, 50)]),
        ([-0.25, 0.125], [(0, 50), (50, 25)]),
        ([0.0, 0.0], [(50, 0), (50, 0)]),
        ([4.0, -1.0], [(50, 50), (37.5, 12.5)]),
    ],
)
def test_bars_are_relative_to_the_longest_one(values, spans):
    rows = [BarRow(name=f"n{place}", value=value) for place, value in enumerate(values)]
    page = whole(bar_table(rows, head=("name", "value"), caption="c"))
    assert [span(style) for style in styles(page, "bar")] == spans
    shown = [f"{value:+.3f}".replace("-", "\N{MINUS SIGN}") for value in values]
    assert [row[1] for row in page.rows("c")] == shown
    assert page.tables["c"][0] == ["name", "value", ""]


@pytest.mark.parametrize(
    ("low", "high", "significant", "shown"),
    [
        (0.1, 0.5, True, "+0.100 to +0.500"),
        (-0.5, -0.1, True, "\N{MINUS SIGN}0.500 to \N{MINUS SIGN}0.100"),
        (-0.1, 0.5, False, "\N{MINUS SIGN}0.100 to +0.500 (n.s.)"),
        (0.0, 0.5, False, "+0.000 to +0.500 (n.s.)"),
        (None, None, True, ""),
    ],
)
def test_an_interval_that_holds_nothing_is_stated_and_its_bar_is_pale(low, high, significant, shown):
    rows = [BarRow(name="a", value=0.2, low=low, high=high), BarRow(name="b", value=1.0, low=0.9, high=1.1)]
    assert rows[0].significant is significant
    page = whole(bar_table(rows, head=("name", "value"), caption="c", interval="90% interval"))
    assert page.tables["c"][0] == ["name", "value", "90% interval", ""]
    assert page.rows("c")[0][2] == shown
    kinds = [attrs["class"] for _, attrs in page.tags if "bar" in attrs.get("class", "").split()]
    assert ("pale" in kinds[0]) is not significant
    assert len(styles(page, "whisker")) == (1 if low is None else 2)


def test_whiskers_lie_on_the_scale_of_the_bars():
    page = whole(bar_table([BarRow(name="a", value=1.0, low=-2.0, high=2.0)], head=("n", "v"), caption="c"))
    assert span(styles(page, "whisker")[0]) == (0, 100)
    assert span(styles(page, "bar")[0]) == (50, 25)
    assert ".bar" in bar_style()


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=6))
def test_no_bar_leaves_its_box(values):
    rows = [BarRow(name="a", value=value) for value in values]
    for style in styles(PageReader(str(bar_table(rows, head=("n", "v"), caption="c"))), "bar"):
        left, width = span(style)
        assert 0 <= left <= 50.01
        assert left + width <= 100.01


def test_numbers_of_a_table_have_a_true_minus_and_texts_keep_their_hyphens():
    rows = [("a-1 -2", -1, "-0.5 to -0.1", "1.6e-07", Markup("-2 <small>3-5</small>"), "-")]
    page = whole(table(("name", "n", "interval", "p", "m", "none"), rows, caption="c", numeric=range(1, 6)))
    assert page.rows("c") == [
        ["a-1 -2", "\N{MINUS SIGN}1", "\N{MINUS SIGN}0.5 to \N{MINUS SIGN}0.1", "1.6e-07", "\N{MINUS SIGN}2 3-5", "-"]
    ]


def test_names_of_bars_are_text():
    page = whole(bar_table([BarRow(name=HOSTILE, value=1.0)], head=(HOSTILE, "v"), caption=HOSTILE))
    ((head, row),) = page.tables.values()
    assert head[0] == row[0] == " ".join(HOSTILE.split())


def cell(token=" cat", p=0.5, *, right=False, more="cat 50%"):
    return LensCell(token=token, p=p, right=right, more=more)


def test_a_table_of_layers_has_a_cell_for_each_with_its_probability():
    page = whole(
        lens_table(
            ["0", "1"], [("The", [cell(), cell(p=1.0, right=True)]), ("\n", [cell("", 0.0), cell()])], caption="c"
        )
    )
    assert page.tables["c"] == [
        ["read", "0", "1"], ["The", "·cat50%", "·cat100%"], ["↵", "∅0%", "·cat50%"],
    ]  # fmt: skip
    kinds = [attrs["class"].split() for tag, attrs in page.tags if tag == "span" and "lens" in attrs["class"].split()]
    assert ["hit" in kind for kind in kinds] == [False, True, False, False]
    heats = [float(style.partition(":")[2]) for style in styles(page, "lens")]
    assert heats == [0.5, 1.0, 0.0, 0.5]


def test_what_a_cell_holds_besides_is_its_title_and_cannot_leave_it():
    page = whole(lens_table(["0"], [(HOSTILE, [cell(HOSTILE, more=HOSTILE)])], caption="c"))
    (title,) = [attrs["title"] for tag, attrs in page.tags if "lens" in attrs.get("class", "").split()]
    assert title == HOSTILE
    assert "lens" in lens_style()
    assert "lens-says" in lens_script()


@pytest.mark.parametrize(
    ("text", "shown"),
    [("", "∅"), (" ", "·"), ("a b", "a·b"), ("\n", "↵"), ("\t", "⇥"), ("é日", "é日"), ("a\r", "a\r")],
)
def test_white_space_is_made_visible(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (None, None), (1, 1), (1.23456, 1.235), (-0.000012345, -1.234e-05), (123456, 123500), (math.inf, None),
        (-math.inf, None), (math.nan, None), (0, 0),
    ],
)  # fmt: skip
def test_numbers_of_tokens_are_short_and_always_json(value, held):
    data = token_data([TokenBox(text="a")], [TokenMeasure(name="m", values=[value], unit="bits")])
    assert data["measures"] == [
        {"name": "m", "unit": "bits", "values": [pytest.approx(held, rel=1e-3) if held else held]}
    ]


def token_page(boxes, measures=(), name="0"):
    view = token_view(name, boxes, label="a <label>", measures=measures)
    return read_page(
        document(
            "t", "r", [Section("s", "S", view)], style=token_style(), script=token_script(),
            data={f"tokens-{name}": token_data(boxes, measures)},
        )
    )  # fmt: skip


def test_every_token_is_a_box_with_its_facts():
    boxes = [TokenBox(text=" a", facts={"id": 3, "probability": "0.5"}), TokenBox(text="<s>", kind="special")]
    page = token_page(boxes, [TokenMeasure(name="length", values=[2, None]), TokenMeasure(name="id", values=[3, 4])])
    assert "·a" in page.text
    assert page.json("tokens-0")["facts"] == [[["id", 3], ["probability", "0.5"]], []]
    assert [one["name"] for one in page.json("tokens-0")["measures"]] == ["length", "id"]
    titles = [attrs["title"] for _, attrs in page.tags if "title" in attrs]
    assert "id 3; probability 0.5" in titles


@pytest.mark.parametrize("count", [0, 1, 500])
def test_any_number_of_tokens_can_be_shown(count):
    page = token_page([TokenBox(text=str(place)) for place in range(count)])
    assert len(page.json("tokens-0")["facts"]) == count


def test_tokens_and_facts_are_text():
    page = token_page([TokenBox(text=HOSTILE, facts={HOSTILE: HOSTILE})])
    assert page.json("tokens-0")["facts"] == [[[HOSTILE, HOSTILE]]]
    assert visible(HOSTILE).split("\u2028")[0].strip() in page.text


@pytest.mark.parametrize(("count", "listed"), [(1, 0), (3, 0), (4, 4), (9, 9)])
def test_a_long_page_lists_its_sections(count, listed):
    sections = [Section(f"s{place}", f"Part {place} & é", Markup("<p>x</p>")) for place in range(count)]
    page = read_page(document("t", "r", sections))
    links = [attrs["href"] for attrs in page.all("a") if attrs["href"].startswith("#s")]
    assert links == [f"#s{place}" for place in range(count)][:listed]
    assert page.part("h2").startswith("Part 0 & é")


def test_a_page_without_sections_is_a_page():
    page = read_page(document("t & u", "r < s", []))
    assert (page.part("h1"), page.part(".result")) == ("t & u", "r < s")
    assert page.part("title") == "t & u"
    assert page.part(".details") == ""


def test_everything_that_is_no_markup_is_escaped():
    page = read_page(
        document(
            HOSTILE, HOSTILE, [Section("s", HOSTILE, Markup("<p>{}</p>").format(HOSTILE))], details=HOSTILE,
            picture=figure([Markup("<svg></svg>")], caption=HOSTILE), data={"d": {HOSTILE: [HOSTILE]}},
        )
    )  # fmt: skip
    wanted = " ".join(HOSTILE.split())
    for part in ("h1", ".result", ".details", "h2", "figcaption", "title"):
        assert page.part(part) == wanted
    assert page.json("d") == {HOSTILE: [HOSTILE]}


def test_result_and_details_may_be_markup():
    page = read_page(document("t", Markup("<p class='result'>a <b>b</b></p>"), [], details=Markup("<i>c</i>")))
    assert (page.part("b"), page.part("i")) == ("b", "c")


def test_content_without_html_is_left_out():
    content = PageContent(
        title="t", result="r", sections=(Section("a", "A", Markup("<p>x</p>")), Section("b", "B", Markup("")))
    )
    assert [attrs["id"] for attrs in read_page(content.to_html()).all("section")] == ["a"]


def frame_of(script_address):
    return PageFrame(
        navigation=Markup("<nav><a href='/runs'>Runs</a></nav>"), footer="a <footer>", head=Markup(""),
        script_address=script_address,
    )  # fmt: skip


def test_a_page_of_a_server_has_its_frame_and_no_script_of_its_own():
    given_scripts = []

    def address(script):
        given_scripts.append(script)
        return "/assets/x.js"

    with framed_pages(frame_of(address)):
        inside = read_page(document("t", "r", [], script="let x = 1;", data={"d": [1]}), served=True)
    outside = read_page(document("t", "r", [], script="let x = 1;"))
    assert given_scripts == ["let x = 1;"]
    assert [attrs["src"] for attrs in inside.all("script") if "src" in attrs] == ["/assets/x.js"]
    assert inside.part("footer") == "a <footer>"
    assert inside.json("d") == [1]
    assert outside.scripts == ["let x = 1;"]
    assert "Runs" not in outside.text


def test_a_frame_ends_with_its_block_even_where_a_page_fails():
    with pytest.raises(ZeroDivisionError), framed_pages(frame_of(str)):
        raise ZeroDivisionError
    assert "Runs" not in document("t", "r", [])


@pytest.mark.parametrize(
    ("rows", "numeric"), [([], ()), ([["a", 1]], (1,)), ([["a", None]], ()), ([[Markup("<b>x</b>"), 1.5]], (1,))]
)
def test_a_table_has_its_rows(rows, numeric):
    page = whole(table(["n", "v"], rows, caption="c", numeric=numeric))
    assert len(page.rows("c")) == len(rows)
    cells = [attrs.get("class", "") for attrs in page.all("td")]
    assert cells == ["number" if numeric else ""] * len(rows)
