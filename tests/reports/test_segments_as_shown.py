"""A text in segments as a page shows it: every sentence, number, colour and chip is the one given."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings, strategies as st
from markupsafe import Markup

from page_reader import HOSTILE, PageReader, read_page
from shoal.figures import Section, document
from shoal.reports.segment_page import (
    ViewedBoundary,
    ViewedSegment,
    ViewedSentence,
    text_overview,
    text_view,
    text_view_style,
)


def segments(*sizes: int, paragraphs: tuple[int, ...] = ()) -> list[ViewedSegment]:
    """Segments of so many sentences; a paragraph begins with each sentence that is named."""
    found, place = [], 0
    for group, size in enumerate(sizes):
        sentences = tuple(
            ViewedSentence(
                text=f"Sentence {place + k}.", strength=k / max(size, 1), tooltip=f"value {place + k}", group=group,
                new_paragraph=place + k in paragraphs,
            )
            for k in range(size)
        )  # fmt: skip
        found.append(ViewedSegment(title=f"part {group}", group=group, chips=(), sentences=sentences))
        place += size
    return found


def boundaries(*confidences: float, low: int = 1, high: int = 1) -> list[ViewedBoundary]:
    return [ViewedBoundary(confidence=one, low=low, high=high) for one in confidences]


def whole(*blocks: Markup) -> PageReader:
    return read_page(document("t", "r", [Section("s", "S", Markup("").join(blocks))], style=text_view_style()))


TWELVE = "probability 12% of a boundary exactly here"
SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@given(sizes=SIZES)
@settings(max_examples=15)
def test_every_sentence_is_shown_once_in_order_with_its_number(sizes: list[int]) -> None:
    parts = segments(*sizes)
    page = whole(
        text_overview(parts, boundaries(*[0.5] * (len(sizes) - 1))),
        text_view(parts, boundaries(*[0.5] * (len(sizes) - 1)), strip="x"),
    )
    spans = [attrs for attrs in page.all("span") if re.fullmatch(r"s\d+", attrs.get("id", ""))]
    assert [span["id"] for span in spans] == [f"s{k + 1}" for k in range(sum(sizes))]
    assert [span["title"] for span in spans] == [f"{k + 1}: value {k}" for k in range(sum(sizes))]
    assert re.findall(r"Sentence (\d+)\.", page.text) == [str(k) for k in range(sum(sizes))]
    grown = [attrs["style"] for attrs in page.all("li") if "flex-grow" in attrs.get("style", "")]
    assert grown == [f"flex-grow:{size}" for size in sizes]


def test_parts_say_their_sentences_in_proper_numbers() -> None:
    html = str(text_overview(segments(1, 3), boundaries(0.25)))
    assert "Segment 1: part 0, 1 sentence<" in html
    assert "Segment 2: part 1, 3 sentences<" in html
    assert 'title="part 1, sentences 2 to 4"' in html
    assert 'style="--sure:0.250"' in html


def test_a_single_part_needs_no_note_about_the_others() -> None:
    assert "Each part is a link" not in text_overview(segments(2), [])
    assert "Each part is a link" in text_overview(segments(2, 2), boundaries(0.5))


@pytest.mark.parametrize(
    ("confidence", "low", "high", "says", "width"),
    [
        (0.5, 2, 2, "probability 50% of a boundary exactly here.", "50.0%"),
        (0.999, 2, 2, "probability above 99% of a boundary exactly here.", "99.9%"),
        (
            0.1234,
            1,
            3,
            "probability 12% of a boundary exactly here; 90% credible set: before sentences 2 to 4.",
            "12.3%",
        ),
    ],
)
def test_a_boundary_says_how_sure_it_is(confidence: float, low: int, high: int, says: str, width: str) -> None:
    html = str(text_view(segments(2, 2), boundaries(confidence, low=low, high=high), strip="x"))
    assert f"Boundary before sentence 3: {says}" in html
    assert f'style="width:{width}"' in html
    unsure = {int(found) for found in re.findall(r'id="s(\d+)" class="tv-unsure"', html)}
    assert unsure == set(range(low + 1, high + 2))


def test_the_cells_of_a_strip_have_the_strength_and_the_words_of_their_sentences() -> None:
    page = whole(text_view(segments(4), [], strip="surprise"))
    strips = [attrs for attrs in page.all("i") if "--s:" in attrs.get("style", "")]
    assert [cell["style"] for cell in strips] == ["--s:0.00", "--s:0.25", "--s:0.50", "--s:0.75"]
    assert [cell["title"] for cell in strips] == [f"{k + 1}: value {k}" for k in range(4)]
    assert "Cells: surprise." in page.text


@pytest.mark.parametrize(("group", "colour"), [(-1, 0), (-5, 0), (0, 1), (9, 10), (10, 1), (23, 4)])
def test_groups_share_ten_colours_and_grey(group: int, colour: int) -> None:
    html = str(text_overview(segments(1), [], key=[(group, "name")]))
    assert f'<span class="tv-swatch tv-c{colour}" aria-hidden="true"></span>name' in html
    assert f".tv-c{colour}{{" in text_view_style()


@given(breaks=st.sets(st.integers(0, 6)))
@settings(max_examples=15)
def test_paragraphs_begin_where_they_did_and_with_each_segment(breaks: set[int]) -> None:
    html = str(text_view(segments(3, 4, paragraphs=tuple(breaks)), boundaries(0.5), strip="x"))
    starts = [int(re.findall(r'id="s(\d+)"', part)[0]) - 1 for part in html.split('<p class="tv-text">')[1:]]
    assert starts == sorted(breaks | {0, 3})


def test_chips_have_their_details_for_pointer_and_reader() -> None:
    chips = (("longer words", "6.1 letters, 4.2 before"), (HOSTILE, HOSTILE))
    sentence = ViewedSentence(text=HOSTILE, strength=1.0, tooltip=HOSTILE, group=0)
    part = ViewedSegment(title=HOSTILE, group=0, chips=chips, sentences=(sentence,))
    boundary = ViewedBoundary(confidence=1.0, low=1, high=1, chips=chips)
    page = PageReader(text_view([part], [], strip=HOSTILE) + text_view([part, part], [boundary], strip="x"))
    titles = [attrs["title"] for attrs in page.all("li")]
    assert titles == ["6.1 letters, 4.2 before", HOSTILE] * 4
    assert page.text.count("What sets it apart:") == 3
    assert page.text.count("What changes here:") == 1
    assert "<script" not in "".join(tag for tag, _ in page.tags)
