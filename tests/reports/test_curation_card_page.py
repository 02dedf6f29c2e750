"""The page of a curation card: every count and score of the card, from values worked out by hand."""

from __future__ import annotations

import math

import pytest

from page_reader import HOSTILE, read_page
from shoal.curation.card import CorpusSize, CurationCard, FilterFinding, LineFinding
from shoal.curation.tally import RemovedExample, ScoreSpread
from shoal.reports import curation_page


def finding(name="gopher-words", *, failed=3, removed=2, before=True, after=True, examples=()):
    spread = ScoreSpread(mean=41.5, low=1.0, median=1234.5, high=99_999.0)
    return FilterFinding(
        name=name, measures="words", limits="at least 50", source="a paper", scored=1000, failed=failed,
        removed=removed, before=spread if before else None, after=spread if after else None, examples=examples,
    )  # fmt: skip


def card(*filters, **changes):
    given = {
        "source": "tales.txt",
        "before": CorpusSize(documents=1000, words=20_000, characters=100_000),
        "after": CorpusSize(documents=500, words=15_000, characters=80_000),
    }
    return CurationCard(filters=filters, **{**given, **changes})


EXAMPLES = (RemovedExample(text="Menu <b>", score=3.0), RemovedExample(text="é", score=math.nan))
LINES = (
    LineFinding(
        name="c4-javascript", measures="the word JavaScript", source="s", seen=1200, removed=7, edited=1,
        examples=("Please enable <JavaScript>",),
    ),
    LineFinding(name="c4-policies", measures="a notice", source="s", seen=5, removed=0, edited=0, examples=()),
)  # fmt: skip


@pytest.fixture(scope="module")
def page():
    found = card(
        finding(examples=EXAMPLES),
        finding("c4-sentences", failed=0, removed=0, after=False),
        lines=LINES,
        without_lines=9,
    )
    return read_page(curation_page(found))


def test_sizes_stand_before_and_after(page):
    assert page.rows("Size of the corpus") == [
        ["documents", "1,000", "500", "50.0%"], ["words", "20,000", "15,000", "75.0%"],
        ["characters", "100,000", "80,000", "80.0%"],
    ]  # fmt: skip
    assert page.part(".result") == "500 of 1,000 documents stay (50.0%), with 75.0% of the words."


def test_filters_stand_in_the_order_in_which_they_ran(page):
    assert page.rows("Documents, by filter") == [
        ["gopher-words", "words", "at least 50", "1,000", "3", "2", "a paper"],
        ["c4-sentences", "words", "at least 50", "1,000", "0", "0", "a paper"],
        ["no line left", "", "", "", "", "9", ""],
    ]
    assert page.rows("Lines, by filter") == [
        ["c4-javascript", "the word JavaScript", "1,200", "7", "1", "Please enable <JavaScript>"],
        ["c4-policies", "a notice", "5", "0", "0", ""],
    ]


def test_scores_stand_before_and_after(page):
    assert page.rows("Mean of all documents") == [
        ["gopher-words", "41.5", "1", "1,234", "1e+05", "41.5", "1", "1,234", "1e+05"],
        ["c4-sentences", "41.5", "1", "1,234", "1e+05", "", "", "", ""],
    ]


def test_examples_stand_with_their_scores(page):
    assert "3 words: Menu <b>" in page.text
    assert "where it is at least 50" in page.text
    assert len(page.all("svg")) == 2


def test_parts_without_anything_to_show_are_left_out():
    page = read_page(curation_page(card(finding(failed=0, removed=0, before=False), after=card().before)))
    assert {attrs["id"] for attrs in page.all("section")} == {"sizes", "filters", "scores"}
    assert page.all("svg") == []
    assert page.part(".details").startswith("No filter removes a document")
    assert page.rows("Mean of all documents") == []


def test_names_and_examples_are_text():
    found = card(finding(HOSTILE, examples=(RemovedExample(text=HOSTILE, score=1.0),)), source=HOSTILE)
    page = read_page(curation_page(found))
    assert page.part("h1") == f"Curation of {' '.join(HOSTILE.split())}"
    assert page.text.count("onerror=alert(1)>") >= 4
