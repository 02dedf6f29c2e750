"""Pages fetch nothing, run one script, and escape whatever comes from data."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from markupsafe import Markup

from shoal.figures import figure, page, table

HOSTILE = "</script><script>alert('1')</script>\u2028 \U0001f41f"


def test_the_policy_allows_this_script_alone() -> None:
    html = page(title="t", body=Markup("<p>x</p>"), script='document.title = "a & b < c";')
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert len(script) == 1
    assert f"script-src 'sha256-{digest}'" in html
    assert "default-src 'none'" in html


def test_a_page_without_a_script_allows_none() -> None:
    assert "script-src 'none'" in page(title="t", body=Markup(""))


def test_data_cannot_leave_its_element() -> None:
    html = page(title=HOSTILE, body=Markup("<p>{}</p>").format(HOSTILE), data={"values": {"text": HOSTILE}})
    held = re.findall(r'<script type="application/json" id="values">(.*?)</script>', html, re.DOTALL)
    assert json.loads(held[0]) == {"text": HOSTILE}
    assert html.count("<script") == 1
    assert "alert('1')</script>" not in html


def test_a_table_names_its_rows_and_columns_and_escapes_cells() -> None:
    html = table(["Arm", "Items"], [["<b>pretrained</b>", 9]], caption="a & b", numeric=[1])
    assert '<th scope="col" class="number">Items</th>' in html
    assert '<th scope="row">&lt;b&gt;pretrained&lt;/b&gt;</th>' in html
    assert "<caption>a &amp; b</caption>" in html


def test_a_figure_holds_drawings_and_an_escaped_caption() -> None:
    html = figure(["<svg></svg>", "<svg></svg>"], caption="1 < 2")
    assert html.count("<svg></svg>") == 2
    assert "<figcaption>1 &lt; 2</figcaption>" in html


def test_contents_lead_to_their_sections() -> None:
    assert '<a href="#items">Every item</a>' in page(title="t", body=Markup(""), contents=[("items", "Every item")])
