"""Every page is one whole document: its result first, landmarks, labels, and nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    *("changes", "segment", "inspection", "layers", "tokens", "vectors", "stories", "pretraining", "sweep", "run"),
    *("perplexity", "words", "word-map"),
]
VOID = {"meta", "link", "br", "input", "wbr", "img", "hr"}
RESULTS = {
    "changes": "load changes once, at step 400 (95% confidence:",
    "segment": "The text changes once, before sentence 19, “Bond yields rose after the auction.” (probability ",
    "inspection": "the model predicts “",
    "layers": "Time grows with the length n as n^",
    "tokens": "bundled:stories needs the fewest tokens, 6 for 21 bytes; bundled:searches needs 9.",
    "vectors": " (cosine ",
    "stories": "one is clearly ahead on 1 of 1 measures (intervals apart); other on 0.",
    "pretraining": "in 200 steps, with 2.000 bits per byte (95% interval 1.900 to 2.100) on held-out tales.",
    "sweep": "The best of 4 trials is model.width = 128, with 2.1545 held-out bits per byte.",
    "run": "Pretrained beats random by",
    "perplexity": "bundled:stories predicts the text best: ",
    "words": "“eats”, “eating” and “eaten” are forms of “eat”.",
    "word-map": "Trustworthiness 1.00: words that are near each other in the map",
}


class Reader(HTMLParser):
    """The tags of a document with their attributes, and whether they close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.unclosed: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.unclosed.append((tag, " > ".join(self.open[-3:])))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="session")
def pages(page_files: dict[str, Path]) -> dict[str, str]:
    return {name: path.read_text(encoding="utf-8") for name, path in page_files.items()}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_well_formed_with_one_heading_and_its_landmarks(pages: dict[str, str], name: str) -> None:
    reader = Reader(pages[name])
    assert reader.unclosed == []
    assert reader.open == []
    assert len(reader.all("h1")) == 1
    assert [len(reader.all(tag)) for tag in ("header", "main", "footer")] == [1, 1, 1]
    assert reader.all("html")[0]["lang"] == "en"
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMES)
def test_the_result_stands_first_with_the_right_numbers(pages: dict[str, str], name: str) -> None:
    found = re.findall(r"<p class='result[^']*'>(.*?)</p>", pages[name], re.DOTALL)
    assert len(found) == 1
    assert RESULTS[name] in found[0]
    assert pages[name].index(found[0]) < pages[name].index("<main")


@pytest.mark.parametrize("name", NAMES)
def test_every_section_is_named_by_its_heading_and_every_link_of_the_contents_leads_to_one(
    pages: dict[str, str], name: str
) -> None:
    reader = Reader(pages[name])
    sections = reader.all("section")
    assert sections
    headings = {attrs.get("id") for attrs in reader.all("h2")}
    assert {section["aria-labelledby"] for section in sections} == headings
    contents = pages[name].split('<nav class="contents"')
    links = re.findall(r'href="#([^"]+)"', contents[1].split("</nav>")[0]) if len(contents) > 1 else []
    assert links == ([section["id"] for section in sections] if len(sections) >= 4 else [])


@pytest.mark.parametrize("name", NAMES)
def test_cells_have_labels_figures_have_names_and_nothing_comes_from_elsewhere(
    pages: dict[str, str], name: str
) -> None:
    reader = Reader(pages[name])
    assert all("data-label" in attrs for attrs in reader.all("td"))
    assert all(attrs.get("aria-label") or attrs.get("aria-hidden") for attrs in reader.all("svg"))
    linked = [attrs[key] for _, attrs in reader.tags for key in ("src", "href") if key in attrs]
    assert not [address for address in linked if re.match(r"(?:[a-z]+:)?//", address)]
    assert "@import" not in pages[name]
    assert "default-src 'none'" in pages[name]


def test_paragraphs_of_a_text_are_kept(pages: dict[str, str]) -> None:
    assert pages["segment"].count('<p class="tv-text">') == 3


def test_each_drawing_stands_in_two_widths(pages: dict[str, str]) -> None:
    for name in ("changes", "layers", "vectors", "stories", "pretraining", "sweep", "run"):
        wide, narrow = (pages[name].count(f"<div class='for-{width}'>") for width in ("wide", "narrow"))
        assert wide == narrow > 0, name


def test_motion_is_left_out_where_a_reader_asks_for_less(pages: dict[str, str]) -> None:
    assert "@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}" in pages["changes"]
