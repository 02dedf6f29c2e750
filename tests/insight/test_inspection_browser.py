"""The page of an inspection in a real browser: no request, no complaint, keyboard alone, and a thousand tokens."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from markupsafe import Markup

from browsing import chromium, pixels, visit
from shoal.figures.inspection_blocks import HeadPattern, head_data, head_grid, head_script, head_style, links_that_fit
from shoal.figures.page import page
from shoal.insight import inspect_text
from shoal.models import load_model
from shoal.reports import inspection_page

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser

__all__ = ["chromium"]

TRIAL = """<pre id="trial"></pre><script>
const said = [], view = document.querySelector(".head-view"), cells = [...view.querySelectorAll(".head-cell")];
const chosen = () => cells.findIndex((cell) => cell.getAttribute("aria-selected") === "true");
const event = (key) => new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
const press = (key) => document.activeElement.dispatchEvent(event(key));
const stops = [...document.querySelectorAll("a[href],select,input,[tabindex='0']")];
const reached = stops.filter((stop) => stop.offsetParent || stop.className === "skip");
cells.find((cell) => cell.tabIndex === 0).focus();
press("Home"); said.push(chosen());
press("ArrowRight"); said.push(chosen());
press("ArrowDown"); said.push(chosen());
press("End"); said.push(chosen());
const slider = view.querySelector("input");
slider.value = 1; slider.dispatchEvent(new Event("input"));
const rows = view.querySelectorAll(".head-links b").length;
const took = (key) => { const started = performance.now(); press(key); return performance.now() - started; };
const times = ["Home", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"].map(took);
const lens = document.querySelector(".lens-view"), lensed = [];
if (lens) {
  lens.querySelector(".lens[tabindex='0']").focus();
  const says = lens.querySelector(".lens-says");
  for (const key of ["ArrowLeft", "ArrowUp", "Home"]) { press(key); lensed.push(says.textContent); }
  lensed.push(lens.querySelectorAll(".lens[tabindex='0']").length);
}
document.getElementById("trial").textContent = JSON.stringify({
  lensed, said, rows, fastest: Math.min(...times), named: view.querySelector(".head-says").textContent,
  tabbable: cells.filter((cell) => cell.tabIndex === 0).length, reached: reached.length,
});
</script></main>"""


def trial(html: str, path: Path, chromium: str, profile: Path) -> dict:
    """What a copy of the page says when keys are pressed in it; the copy alone allows the script that presses them."""
    path.write_text(
        re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
        .replace("</main>", "", 1)
        .replace("</body>", TRIAL.replace("</main>", "") + "</body>"),
        encoding="utf-8",
    )
    dom, console = visit(chromium, path.as_uri(), profile)
    assert console == []
    return json.loads(re.search(r'<pre id="trial">(.*?)</pre>', dom)[1].replace("&quot;", '"').replace("&amp;", "&"))


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    loaded = load_model("bundled:searches")
    text = 'One day, a girl <b>named</b> Lily & "Tim" saw a dog.'
    found = inspect_text(loaded.model, loaded.tokenizer, text, name="bundled:searches")
    path = tmp_path_factory.mktemp("page") / "inside.html"
    path.write_text(inspection_page(found), encoding="utf-8")
    return path


def test_the_page_opens_without_a_request_or_an_error(chromium: str, opened: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    extra = (f"--screenshot={picture}", "--window-size=1100,1600")
    dom, console = visit(chromium, opened.as_uri(), tmp_path / "profile", *extra)
    assert console == []
    assert "links shown hold" in re.search(r'class="head-says"[^>]*>(.*?)</p>', dom)[1]
    assert dom.count('aria-selected="true"') == 1
    assert len(set(pixels(picture))) > 100


def test_the_keyboard_alone_reaches_every_head_and_every_query(chromium: str, opened: Path, tmp_path: Path) -> None:
    found = trial(opened.read_text(encoding="utf-8"), tmp_path / "copy.html", chromium, tmp_path / "profile")
    first = found["said"][0]
    assert found["said"] == [first, first + 1, first + 5, first // 4 * 4 + 7]
    assert 1 <= found["rows"] <= 2
    assert found["tabbable"] == 1
    assert found["reached"] >= 8
    assert [said.split(":")[0].rsplit(", ", 1)[1] for said in found["lensed"][:3]] == [
        "block 2",
        "block 2",
        "embedding",
    ]
    assert "%" in found["lensed"][0]
    assert found["lensed"][3] == 1


def test_a_page_of_a_thousand_tokens_and_144_heads_stays_small_and_answers(chromium: str, tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    links = links_that_fit(1000, 144)
    patterns = [
        HeadPattern(
            block=block,
            head=head,
            keys_LT=draws.integers(0, 1000, (1000, links), dtype=np.uint16),
            weights_LT=draws.dirichlet(np.ones(links), 1000).astype(np.float32),
        )
        for block in range(12)
        for head in range(12)
    ]
    html = page(
        title="heads",
        header=Markup("<h1>heads</h1>"),
        body=head_grid("text", patterns, label="heads"),
        style=head_style(),
        script=head_script(),
        data={"heads-text": head_data(patterns, [f"token{place}" for place in range(1000)])},
    )
    assert len(html.encode()) < 5_000_000
    found = trial(html, tmp_path / "large.html", chromium, tmp_path / "profile")
    assert found["said"] == [0, 1, 13, 23]
