"""The studio in a real browser: no error, no request elsewhere, no sideways scrolling, and the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from browsing import Browser, chromium
from shoal.studio import BackgroundStudio, make_settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

__all__ = ["chromium"]

TOKEN = "a-token-of-the-tests"
PATHS = (
    "/runs",
    "/start",
    "/playground",
    "/live",
    "/runs/first/",
    "/runs/first/items",
    "/compare?run=first&run=group/second",
)


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    with BackgroundStudio(make_settings(runs, token=TOKEN)) as studio:
        yield studio.address


@pytest.fixture(scope="module")
def browser(chromium: str, address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(chromium, tmp_path_factory.mktemp("profile")) as opened:
        opened.open(f"{address}/?token={TOKEN}", width=1280)
        yield opened


@pytest.mark.parametrize("path", PATHS)
def test_a_page_opens_without_an_error_and_fits_its_width(browser: Browser, address: str, path: str) -> None:
    for width, dark in ((1280, False), (1280, True), (390, False)):
        browser.open(address + path, width=width, dark=dark)
        assert browser.complaints == []
        assert browser.value("document.documentElement.scrollWidth") <= width
        # Scripts and style sheets were allowed and ran, and nothing was asked of another place.
        foreign = "performance.getEntriesByType('resource').filter(e => new URL(e.name).host !== location.host).length"
        assert browser.value(foreign) == 0
        assert browser.value("document.styleSheets.length") >= 2


def test_every_control_has_a_name_and_can_be_reached_by_the_keyboard(browser: Browser, address: str) -> None:
    browser.open(f"{address}/runs", width=1280)
    unnamed = """[...document.querySelectorAll('input:not([type=hidden]),select,button,a')].filter(
        (e) => !(e.labels && e.labels.length) && !e.ariaLabel && !e.textContent.trim()).length"""
    assert browser.value(unnamed) == 0
    assert browser.value("[...document.querySelectorAll('[tabindex]')].every((e) => e.tabIndex === 0)")
    assert browser.value("document.querySelectorAll('main, nav, header, footer').length") >= 4


def test_curves_are_drawn_by_the_script_while_a_run_is_under_way(browser: Browser, address: str, runs: Path) -> None:
    from filelock import FileLock

    with FileLock(runs / "unfinished" / ".lock"):
        browser.open(f"{address}/runs/unfinished/", width=1280)
        drawn = """new Promise((done) => { const look = (left) => {
            const found = document.querySelectorAll('.live-curves path.seed').length;
            found || !left ? done(found) : setTimeout(() => look(left - 1), 100); }; look(200); })"""
        assert browser.value(drawn) == 4
        assert browser.complaints == []
