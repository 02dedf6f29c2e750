"""The pages of vectors and layers in a real browser: nothing is fetched, nothing fails, something is to be seen."""

from __future__ import annotations

import pytest

from browsing import chromium, visit
from shoal.insight.layers import Ranges, Size, layer_table
from shoal.insight.vectors import describe_vectors
from shoal.models import load_model
from shoal.reports import layers_page, vectors_page

__all__ = ["chromium"]

# tests/reports/test_pages_browser.py opens the same pages at every width.
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def small_table() -> str:
    """The page of one kind of layer, measured small."""
    ranges = Ranges(n=(16, 32), long_n=(16, 32), d=(4, 8), base=Size(n=16, d=4, r=5), repeats=2)
    return layers_page(layer_table(ranges, kinds=["recurrent"]))


@pytest.mark.parametrize("name", ["vectors", "layers"])
def test_pages_open_without_a_word_on_the_console(chromium: str, name: str, tmp_path) -> None:
    page = tmp_path / "page.html"
    if name == "vectors":
        html = vectors_page(describe_vectors(load_model("bundled:searches"), "One day <he> ran & ran"))
    else:
        html = small_table()
    page.write_text(html, encoding="utf-8")
    dom, said = visit(chromium, page.as_uri(), tmp_path / "profile")
    assert said == []
    assert dom.count("<svg") == (4 if name == "vectors" else 12)
    assert "default-src 'none'" in dom
