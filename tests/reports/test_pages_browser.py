"""Every page in a real browser: it fits a phone, in both themes, complains of nothing, and is worked by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from markupsafe import Markup

from browsing import Browser, chromium
from shoal.figures import Section, document, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser

__all__ = ["chromium"]

NAMES = [
    "changes",
    "segment",
    "inspection",
    "layers",
    "tokens",
    "vectors",
    "stories",
    "crossed",
    "perplexity",
    "words",
    "word-map",
    "pretraining",
    "sweep",
    "run",
]

CUT_OFF = """[...document.querySelectorAll('td, th, figure svg, p, li')].filter((element) => {
  const box = element.getBoundingClientRect();
  return box.width && !element.closest('.lens-view, pre, .visually-hidden, .skip, thead') && box.right > innerWidth + 1;
}).length"""
"""How many cells, drawings and lines reach beyond the window, those aside that scroll in a frame of their own."""

CONTRAST = """(() => {
  const parts = (colour) => {
    const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    probe.fillStyle = colour;
    probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
  };
  const light = (colour) => parts(colour)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return Math.min(...[...document.querySelectorAll('h1, h2, p, th, td, caption, figcaption, a, summary')]
    .filter((element) => element.checkVisibility() && !element.closest('.tv-map, .skip'))
    .map((element) => light(getComputedStyle(element).color))
    .map((ink) => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)));
})()"""


@pytest.fixture(scope="module")
def pages(page_files: dict[str, Path]) -> dict[str, str]:
    return {name: path.as_uri() for name, path in page_files.items()}


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(chromium, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("width", [390, 800, 1280])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_no_wider_than_its_window_and_its_text_stands_out(
    browser: Browser, pages: dict[str, str], name: str, width: int
) -> None:
    browser.open(pages[name], width=width)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.complaints == []
    if width == 390:
        assert browser.value(CUT_OFF) == 0
    if width == 1280:
        assert browser.value(CONTRAST) >= 4.5


@pytest.mark.parametrize("name", NAMES)
def test_text_stands_out_from_dark_paper_too(browser: Browser, pages: dict[str, str], name: str) -> None:
    browser.open(pages[name], width=1280, dark=True)
    assert browser.value(CONTRAST) >= 4.5


def test_a_name_without_a_space_wraps_wherever_it_stands(browser: Browser, tmp_path: Path) -> None:
    name = "pretraining=pretrained,examples=160,task=" + "comparison" * 30
    block = Markup(
        "<p>{0}</p><ul><li><b>{0}</b></li></ul><details open><summary>{0}</summary><dl><dt>{0}</dt><dd>{0}</dd></dl>"
        "<blockquote>{0}</blockquote></details>{1}"
    ).format(name, table(["Arm", "What explains it", "Of"], [[name, name, name]], caption=name))
    page = tmp_path / "long.html"
    page.write_text(document(name, name, [Section("names", name, block)], details=name), encoding="utf-8")
    browser.open(page.as_uri(), width=390)
    assert browser.value("document.documentElement.scrollWidth") <= 390


def test_a_narrow_table_is_a_list_of_cards_with_the_headings_as_labels(browser: Browser, pages: dict[str, str]) -> None:
    browser.open(pages["changes"], width=390)
    cell = "document.querySelector('.cards td')"
    assert (
        browser.value(f"getComputedStyle({cell}, '::before').content") == '"index"'
        or browser.value(f"getComputedStyle({cell}, '::before').content") == '"confidence set"'
    )
    browser.open(pages["changes"], width=1280)
    assert browser.value(f"getComputedStyle({cell}, '::before').content") == "none"


def test_the_drawing_of_the_width_is_shown_alone(browser: Browser, pages: dict[str, str]) -> None:
    shown = "[...document.querySelectorAll('figure svg')].filter((svg) => svg.checkVisibility()).length"
    for width in (390, 1280):
        browser.open(pages["changes"], width=width)
        assert browser.value(shown) == 1


def test_attention_starts_at_a_head_and_its_arcs_follow_the_query(browser: Browser, pages: dict[str, str]) -> None:
    browser.open(pages["inspection"], width=1280)
    assert browser.value("document.querySelectorAll('.head-cell[aria-selected=true]').length") == 1
    start = browser.value("JSON.parse(document.getElementById('heads-text').textContent).start")
    chosen = "[...document.querySelectorAll('.head-cell')].findIndex((c) => c.getAttribute('aria-selected') === 'true')"
    assert browser.value(chosen) == start
    arcs = "document.querySelectorAll('.head-map .arc').length"
    labels = "[...document.querySelectorAll('.head-map text')].map((text) => text.textContent)"
    assert browser.value(arcs) > 1
    tokens = browser.value("JSON.parse(document.getElementById('heads-text').textContent).tokens.length")
    assert len(browser.value(labels)) == 2 * tokens
    browser.value(
        "(() => { const slider = document.querySelector('.head-slider input'); slider.value = 0;"
        " slider.dispatchEvent(new Event('input')); })()"
    )
    assert browser.value(arcs) == 1
    assert browser.value("document.querySelector('.head-links').textContent").endswith("(1) 100%")


def test_heads_are_chosen_with_the_arrow_keys(browser: Browser, pages: dict[str, str]) -> None:
    browser.open(pages["inspection"], width=1280)
    press = (
        "(() => { const cell = document.querySelector('.head-cell[aria-selected=true]'); cell.focus();"
        " cell.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true })); })()"
    )
    browser.value(press)
    place = "[...document.querySelectorAll('.head-cell')].indexOf(document.activeElement)"
    assert browser.value(f"{place} % 4") == 0
    assert browser.value("document.activeElement.getAttribute('aria-selected')") == "true"


def test_segments_fold(browser: Browser, pages: dict[str, str]) -> None:
    browser.open(pages["segment"], width=1280)
    text = "document.querySelector('.tv-segment .tv-text').checkVisibility()"
    assert browser.value(text) is True
    browser.value("document.querySelector('.tv-segment summary').click()")
    assert browser.value(text) is False


def test_items_are_searched_and_show_what_was_answered_instead(browser: Browser, pages: dict[str, str]) -> None:
    browser.open(pages["run"], width=1280)
    count = "document.getElementById('item-count').textContent"
    assert browser.value(count).startswith("108 items match")

    def search(text: str) -> str:
        browser.value(
            "(() => { const field = document.querySelector('#item-filters [name=search]');"
            f" field.value = {text!r}; field.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
        )
        found: str = browser.value(count)
        return found

    assert search("once upon a time").split(" ")[0] not in ("0", "108")
    wrong = "[...document.querySelectorAll('.item')].every((item) => item.classList.contains('wrong'))"
    assert browser.value(wrong) is True
    assert "Answered instead" in browser.value("document.querySelector('.item').textContent")
    assert search("no item holds this").startswith("0 items match")
    assert search("").startswith("108 items match")


@pytest.mark.slow
def test_a_search_in_the_address_is_honoured(browser: Browser, pages: dict[str, str]) -> None:
    browser.open(pages["run"] + "#arm=random&search=once%20upon", width=390)
    assert browser.value("document.querySelector('#item-filters [name=search]').value") == "once upon"
    assert browser.value("document.querySelectorAll('.item mark').length") >= 0
    assert browser.value("document.querySelectorAll('.item.right').length") == 0
