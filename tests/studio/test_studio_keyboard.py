"""Every flow of the studio by the keyboard alone, at two widths: reachable, named, without a fault, and on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from benchmarks.toys import toy_experiment

from browsing import chromium
from chat_models import save_chat_model
from run_folder import write_run
from shoal.studio import BackgroundStudio, make_settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

__all__ = ["chromium"]

TOKEN = "a-token-of-the-tests"
# Longer than any wait: it is stopped, and not run to its end.
TOY = toy_experiment("toy", largest=6, epochs=3000, learning_rate=1e-3)
STORY = "Lily had a red ball. She liked to play with it in the garden. "
LAW = "The tenant shall pay the rent in advance. The landlord may terminate this agreement by notice. "
MAX_TABS = 150
SECONDS = 300_000
"""Milliseconds of a wait: a machine may be busy."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("keyboard")
    write_run(root / "runs" / "first", seeds=3, largest=24)
    write_run(root / "runs" / "second", seeds=3, largest=24, verdict="refuted")
    (root / "texts.jsonl").write_text("".join(f'{{"text": "{text}"}}\n' for text in (STORY * 6 + LAW * 6, LAW, LAW)))
    (root / "toy.toml").write_text(TOY)
    model = save_chat_model(root / "chat")
    settings = make_settings(
        root / "runs", token=TOKEN, examples=[root / "toy.toml"], corpora=[root / "texts.jsonl"], models=[str(model)]
    )
    with BackgroundStudio(settings) as studio:
        yield studio.address


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright axe-playwright-python")
    pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


class Keyboard:
    """A person without a mouse, who looks at every page with axe.

    Args:
        browser: of Playwright.
        address: of the studio.
        width: of the window, in pixels.
    """

    def __init__(self, browser: Any, address: str, width: int) -> None:
        from axe_playwright_python.sync_playwright import Axe

        self.address, self.width, self._axe = address, width, Axe()
        self.page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        self.page.set_default_timeout(SECONDS)
        self.faults: list[str] = []
        self.page.on("console", lambda message: self._note(message.type == "error", f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self._note(True, f"script: {error}"))
        self.page.on("request", lambda request: self._note(self._is_foreign(request.url), f"request: {request.url}"))

    def _note(self, is_fault: bool, text: str) -> None:
        if is_fault:
            self.faults.append(f"{self.page.url}: {text}")

    def _is_foreign(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme != "data" and f"{parts.scheme}://{parts.netloc}" != self.address

    def to(self, selector: str) -> None:
        """Press Tab until what a selector names has the focus."""
        for _ in range(MAX_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("(s) => !!document.activeElement && document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached by Tab on {self.page.url}")

    def press(self, selector: str) -> None:
        """Follow a link or press a button."""
        self.to(selector)
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")

    def go(self, selector: str) -> None:
        """Follow a link or press a button, and look at the page that it leads to."""
        self.press(selector)
        self.look()

    def fill(self, selector: str, text: str) -> None:
        """Replace what stands in a field."""
        self.to(selector)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, selector: str, value: str) -> None:
        """Choose an option by the arrows."""
        self.to(selector)
        self.page.keyboard.press("Home")
        for _ in range(80):
            if self.page.evaluate("document.activeElement.value") == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{selector} has no {value!r}")

    def place(self, name: str) -> None:
        """Open an entry of the navigation."""
        self.go(f"nav a[href='/{name}']")

    def look(self) -> None:
        """The page fits its width, has one heading, and axe finds nothing."""
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width, self.page.url
        assert self.page.locator("h1").count() == 1, self.page.url
        found = self._axe.run(self.page)
        self.faults += [f"{self.page.url}: {one['id']}: {one['nodes'][0]['html'][:200]}"
                        for one in found.response["violations"]]  # fmt: skip

    def shows(self, text: str) -> None:
        assert text in self.page.inner_text("body"), f"{text!r} is not on {self.page.url}"


@pytest.fixture(params=[1280, 390])
def keyboard(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Keyboard]:
    found = Keyboard(browser, address, request.param)
    found.page.goto(f"{address}/?token={TOKEN}")
    found.look()
    yield found
    assert not found.faults, "\n".join(found.faults)
    found.page.context.close()


def test_runs_are_found_compared_and_read(keyboard: Keyboard) -> None:
    keyboard.fill("#search", "first")
    with keyboard.page.expect_navigation():
        keyboard.page.keyboard.press("Enter")
    keyboard.shows("1 run shown, of 2")
    keyboard.place("runs")
    if keyboard.width > 1000:
        # On a narrow screen each run is a card, without a line of headings.
        keyboard.go("thead a[href*='sort=name']")
        assert "sort=name" in keyboard.page.url
    for name in ("first", "second"):
        keyboard.to(f"input[name=run][value={name}]")
        keyboard.page.keyboard.press("Space")
    keyboard.go("form[action='/compare'] button")
    keyboard.shows("Items that flip")
    keyboard.choose("#arm-0", "random")
    keyboard.go("form[aria-label='Arms'] button")
    keyboard.go("main a[href='/runs/first/']")
    keyboard.shows("Pretrained beats random weights")
    keyboard.go("main a[href$='/items']")
    keyboard.choose("#outcome", "wrong")
    keyboard.go("form[aria-label='Items'] button")
    keyboard.shows("items match")
    if keyboard.page.locator("a[rel=next]").count():
        keyboard.go("a[rel=next]")


def test_an_experiment_is_started_stopped_and_resumed(keyboard: Keyboard) -> None:
    name = f"toy-{keyboard.width}"
    keyboard.place("start")
    keyboard.fill("#name-file-0", name)
    keyboard.fill("#workers-file-0", "1")
    keyboard.press("form:has(input[value=file-0]) button")
    assert keyboard.page.url.endswith(f"/runs/{name}/")
    # The page loads itself again once the run has begun to write, which is some seconds after its process began.
    keyboard.page.wait_for_selector("[data-exists=yes]", state="attached")
    keyboard.look()
    # And once more when it was stopped.
    keyboard.press("form[action$='/stop'] button")
    keyboard.page.wait_for_selector("form[action$='/resume'] button")
    keyboard.look()
    keyboard.shows("stopped")
    keyboard.press("form[action$='/resume'] button")
    keyboard.press("form[action$='/stop'] button")
    keyboard.page.wait_for_selector("form[action$='/resume'] button")


def test_a_text_is_read_and_a_conversation_held(keyboard: Keyboard) -> None:
    keyboard.place("playground")
    keyboard.fill("#playground-text", "One day, Lily saw a dog.")
    keyboard.choose("#playground-model", "bundled:searches")
    keyboard.fill("#playground-tokens", "5")
    keyboard.go("form[action='/playground'] button")
    keyboard.shows("Continuation")
    keyboard.place("playground")
    chat = keyboard.page.evaluate(
        "[...document.querySelector('#conversation-model').options].map((o) => o.value).at(-1)"
    )
    for count, message in ((2, "I am Bo"), (4, "Hi")):
        # Where a conversation goes on, its message has the focus already.
        focused = keyboard.page.evaluate("document.activeElement.id") == "conversation-message"
        if not focused:
            keyboard.to("#conversation-message")
        keyboard.page.keyboard.type(message)
        keyboard.choose("#conversation-model", chat)
        keyboard.fill("#conversation-tokens", "4")
        keyboard.go("form[action='/playground/conversation'] button:not([name])")
        keyboard.shows(f"A conversation of {count} messages")
    keyboard.to("main summary")
    keyboard.page.keyboard.press("Enter")
    keyboard.shows("<start>user")
    keyboard.go("button[name=clear]")
    keyboard.shows("An empty conversation.")


def test_a_corpus_is_looked_at(keyboard: Keyboard) -> None:
    keyboard.place("data")
    keyboard.choose("#corpus", "0")
    keyboard.go("form[aria-label='Corpora'] button")
    keyboard.shows("texts.jsonl has 3 documents")
    keyboard.go("main a[href*='/data/quality']")
    keyboard.page.go_back()
    keyboard.go("main a[href*='/data/segments']")
    keyboard.shows("Lily had a red ball.")


def test_a_page_that_is_refused_leads_back(keyboard: Keyboard) -> None:
    keyboard.page.goto(f"{keyboard.address}/runs/none/")
    keyboard.look()
    # The browser itself reports the status 404 on its console.
    keyboard.faults = [one for one in keyboard.faults if "404" not in one]
    keyboard.go("a[href='/runs']")
