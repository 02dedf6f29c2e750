"""The page of a curation shows what went, with examples, and lets no text of the corpus act as HTML."""

from __future__ import annotations

import re

from shoal.curation import curate
from shoal.reports import curation_page, to_html

GOOD = "The cat and the dog went to the park. They had fun with a ball. Then they went home to eat."


def test_the_page_shows_counts_reasons_and_examples() -> None:
    card = curate(
        [GOOD, "<script>alert(1)</script> is short", "Menu", f"{GOOD}\nHome\n{GOOD} End."],
        filters=["gopher-words(min_score=5)", "c4-terminal-punctuation", "gopher-stop-words(min_score=4)"],
    )
    page = curation_page(card)
    assert card.result() in re.sub(r"\s+", " ", page)
    assert "gopher-words" in page
    assert "5 to 100,000" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "c4-terminal-punctuation" in page
    assert not re.search(r"""(?:src|href)=["']https?://""", page)
    assert to_html(card) == page


def test_a_page_without_removals_has_no_picture_and_says_so() -> None:
    page = curation_page(curate([GOOD], filters=["gopher-hashes"]))
    assert "No filter removes a document" in page
    assert "<div class='picture'>" not in page
