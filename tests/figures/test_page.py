"""Pages fetch nothing, run one script, and escape whatever comes from data."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from markupsafe import Markup

from shoal.figures import figure, page, responsive, table

HEADER = Markup("<h1>t</h1>")
HOSTILE = "</script><script>alert('1')</script>\u2028 \U0001f41f"


def test_the_policy_allows_this_script_alone() -> None:
    html = page(title="t", header=HEADER, body=Markup("<p>x</p>"), script='document.title = "a & b < c";')
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert len(script) == 1
    assert f"script-src 'sha256-{digest}'" in html
    assert "default-src 'none'" in html


def test_a_page_without_a_script_allows_none() -> None:
    assert "script-src 'none'" in page(title="t", header=HEADER, body=Markup(""))


def test_data_cannot_leave_its_element() -> None:
    html = page(
        title=HOSTILE, header=HEADER, body=Markup("<p>{}</p>").format(HOSTILE), data={"values": {"text": HOSTILE}}
    )
    held = re.findall(r'<script type="application/json" id="values">(.*?)</script>', html, re.DOTALL)
    assert json.loads(held[0]) == {"text": HOSTILE}
    assert html.count("<script") == 1
    assert "alert('1')</script>" not in html


def test_a_table_names_its_rows_and_columns_and_escapes_cells() -> None:
    html = table(["Arm", "Items"], [["<b>pretrained</b>", 9]], caption="a & b", numeric=[1])
    assert '<th role="columnheader" scope="col" class="number">Items</th>' in html
    assert '<th role="rowheader" scope="row" data-label="Arm">&lt;b&gt;pretrained&lt;/b&gt;</th>' in html
    assert "<caption>a &amp; b</caption>" in html


def test_a_figure_holds_drawings_and_an_escaped_caption() -> None:
    html = figure(["<svg></svg>", "<svg></svg>"], caption="1 < 2")
    assert html.count("<svg></svg>") == 2
    assert "<figcaption>1 &lt; 2</figcaption>" in html


def test_cells_carry_the_heading_that_they_show_as_cards() -> None:
    html = table(["place", "set", "p"], [[500, "493 to 501", 0.01]], caption="c", numeric=(2,))
    assert '<table role="table" class="cards">' in html
    assert '<td role="cell" data-label="set"><div>493 to 501</div></td>' in html
    assert '<td role="cell" data-label="p" class="number"><div>0.01</div></td>' in html


@pytest.mark.parametrize(("columns", "asked", "cards"), [(2, None, False), (3, None, True), (3, False, False)])
def test_a_table_of_two_columns_needs_no_cards(columns: int, asked: bool | None, cards: bool) -> None:
    html = table(["a", "b", "c"][:columns], [[1, 2, 3][:columns]], caption="c", cards=asked)
    assert ('class="cards"' in html) is cards


def test_contents_lead_to_their_sections() -> None:
    html = page(title="t", header=HEADER, body=Markup(""), contents=[("items", "Every item")])
    assert '<a href="#items">Every item</a>' in html
    assert '<nav class="contents" aria-label="Contents">' in html


def test_a_drawing_is_made_for_a_wide_and_for_a_narrow_page() -> None:
    widths: list[int] = []

    def draw(width: int) -> str:
        widths.append(width)
        return f"<svg width='{width}'></svg>"

    html = responsive(draw, wide=460)
    assert widths == [460, 350]
    assert "<div class='for-wide'><svg width='460'></svg></div>" in html
    assert "<div class='for-narrow'><svg width='350'></svg></div>" in html
