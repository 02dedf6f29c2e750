"""The report in a real browser: no errors, no network, filters that work, something to be seen."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from browsing import chromium, pixels, visit
from shoal.reports import write_report

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser

__all__ = ["chromium"]


def test_the_report_opens_without_an_error_and_shows_verdict_and_items(
    chromium: str, finished: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "report.png"
    address = (finished / "report.html").as_uri()
    extra = (f"--screenshot={picture}", "--window-size=1000,1400")
    dom, console = visit(chromium, address, tmp_path / "profile", *extra)
    assert console == []
    assert "Supported</p>" in dom
    assert dom.count('<li class="item ') == 20
    assert "108 items match" in dom
    assert 'class="token wrong first' in dom
    assert len(set(pixels(picture))) > 100


def test_a_run_without_an_item_opens_without_an_error(chromium: str, unfinished: Path, tmp_path: Path) -> None:
    shutil.rmtree(unfinished / "arms")
    dom, console = visit(chromium, write_report(unfinished).as_uri(), tmp_path / "profile")
    assert "No item has been scored yet." in dom
    assert console == []


def test_a_filter_in_the_address_is_honoured(chromium: str, finished: Path, tmp_path: Path) -> None:
    address = (finished / "report.html").as_uri() + "#arm=random&seed=2&split=seen&outcome=right"
    dom, console = visit(chromium, address, tmp_path / "profile")
    rows = re.findall(r'<li class="item (\w+)">.*?<span class="muted">(.*?)</span>', dom, re.DOTALL)
    assert console == []
    assert rows
    assert set(rows) == {("right", "random · seed 2 · seen · after training")}


def test_hostile_text_runs_nothing_and_a_request_would_be_seen(chromium: str, hostile: Path, tmp_path: Path) -> None:
    html = (hostile / "report.html").read_text(encoding="utf-8")
    _, console = visit(chromium, (hostile / "report.html").as_uri(), tmp_path / "profile")
    assert console == []
    tampered = tmp_path / "tampered.html"
    tampered.write_text(html.replace("</main>", '<img src="https://localhost:9/x.png"></main>'), encoding="utf-8")
    _, console = visit(chromium, tampered.as_uri(), tmp_path / "profile")
    assert len(console) == 1
    assert "Content Security Policy" in console[0]
