"""The view of a segmented text: fetches nothing, escapes what it is given, and is whole without colour."""

from __future__ import annotations

import re

from shoal.figures.textview import ViewedBoundary, ViewedSegment, ViewedSentence, text_view

HOSTILE = "</p><script>alert('1')</script> & <b>"


def segment(place: int, *lines: str) -> ViewedSegment:
    sentences = tuple(
        ViewedSentence(text=line, strength=0.5, says=f"joy {k}", group=place) for k, line in enumerate(lines)
    )
    return ViewedSegment(title=f"title {place}", group=place, chips=(("chip", 'a "detail"'),), sentences=sentences)


def view(*lines: str) -> str:
    return text_view(
        [segment(0, "one", "two"), segment(1, *lines)],
        [ViewedBoundary(confidence=0.75, low=1, high=2, chips=(("moved", "much"),))],
        title="a text",
        summary="two segments",
        strip="classes",
        key=[(0, "joy"), (7, "fear")],
    )


def test_the_page_fetches_nothing_and_runs_nothing() -> None:
    html = view("three")
    assert "default-src 'none'" in html
    assert "script-src 'none'" in html
    assert "<script" not in html
    assert not re.findall(r"(?:src|href)=\"(?!#)", html)


def test_text_is_escaped() -> None:
    html = view(HOSTILE)
    assert "<script" not in html
    assert "&lt;/p&gt;&lt;script&gt;" in html


def test_every_link_leads_to_a_segment() -> None:
    html = view("three")
    anchors = set(re.findall(r'href="#([^"]+)"', html))
    assert anchors == {"main", "segment-1", "segment-2"}
    assert all(f'id="{anchor}"' in html for anchor in anchors)


def test_a_boundary_says_its_confidence_and_its_stretch_in_words() -> None:
    html = view("three")
    assert "Boundary before sentence 3: probability 75% of a boundary exactly here" in html
    assert "sentences 2 to 3" in html
    assert 'id="s2" class="tv-unsure"' in html
    assert 'id="s1" class' not in html


def test_segments_are_numbered_and_named_for_those_who_do_not_see_colour() -> None:
    html = view("three", "four")
    assert "Segment 2: title 1, 2 sentences" in html
    assert html.index('id="s3"') < html.index('id="s4"')


def test_a_text_that_was_not_cut_is_one_segment() -> None:
    html = text_view([segment(0, "one")], [], title="t", summary="s", strip="x")
    assert html.count("<article") == 1
    assert "Boundary" not in html
