"""The view of a segmented text: folds, keeps paragraphs, escapes what it is given, and is whole without colour."""

from __future__ import annotations

import re

import pytest

from shoal.reports.segment_page import (
    ViewedBoundary,
    ViewedSegment,
    ViewedSentence,
    text_overview,
    text_view,
    text_view_style,
)
from shoal.wording import probability

HOSTILE = "</p><script>alert('1')</script> & <b>"
BOUNDARY = ViewedBoundary(confidence=0.75, low=1, high=2, chips=(("moved", "much"),))


def segment(place: int, *lines: str, paragraphs: tuple[str, ...] = ()) -> ViewedSegment:
    sentences = tuple(
        ViewedSentence(text=line, strength=0.5, tooltip=f"joy {k}", group=place, new_paragraph=line in paragraphs)
        for k, line in enumerate(lines)
    )
    return ViewedSegment(title=f"title {place}", group=place, chips=(("chip", 'a "detail"'),), sentences=sentences)


def view(*lines: str, paragraphs: tuple[str, ...] = ()) -> str:
    segments = [segment(0, "one", "two"), segment(1, *lines, paragraphs=paragraphs)]
    return str(text_overview(segments, [BOUNDARY], key=[(0, "joy"), (-1, "others")])) + str(
        text_view(segments, [BOUNDARY], strip="classes")
    )


def test_it_runs_nothing_and_escapes_the_text() -> None:
    html = view(HOSTILE)
    assert "<script" not in html
    assert "&lt;/p&gt;&lt;script&gt;" in html


def test_every_link_leads_to_a_segment_that_folds() -> None:
    html = view("three")
    anchors = re.findall(r'href="#([^"]+)"', html)
    assert anchors == ["segment-1", "segment-2"]
    assert re.findall(r'<details class="tv-segment tv-c\d" id="([^"]+)" open>', html) == anchors


def test_paragraphs_are_kept() -> None:
    html = view("three", "four", "five", paragraphs=("four",))
    assert [re.findall(r'id="s(\d)"', part) for part in html.split('<p class="tv-text">')[1:]] == [
        ["1", "2"],
        ["3"],
        ["4", "5"],
    ]


def test_a_boundary_says_its_probability_and_its_credible_set_in_words() -> None:
    html = view("three")
    assert "Boundary before sentence 3: probability 75% of a boundary exactly here" in html
    assert "90% credible set: before sentences 2 to 3" in html
    assert 'id="s2" class="tv-unsure"' in html
    assert 'id="s1" class' not in html


def test_segments_are_numbered_and_named_for_those_who_do_not_see_colour() -> None:
    html = view("three", "four")
    assert "Segment 2: title 1, 2 sentences" in html
    assert html.index('id="s3"') < html.index('id="s4"')


def test_what_has_no_colour_of_its_own_is_grey() -> None:
    html = view("three")
    assert '<span class="tv-swatch tv-c0" aria-hidden="true"></span>others' in html
    assert ".tv-c0{--c:var(--rule)}" in text_view_style()


def test_a_text_that_was_not_cut_is_one_segment() -> None:
    html = text_view([segment(0, "one")], [], strip="x")
    assert html.count("<details") == 1
    assert "Boundary" not in html


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0%"), (0.004, "below 1%"), (0.5, "50%"), (0.999, "above 99%"), (1.0, "100%")]
)
def test_a_probability_that_is_not_certain_is_never_shown_as_such(share: float, text: str) -> None:
    assert probability(share) == text
