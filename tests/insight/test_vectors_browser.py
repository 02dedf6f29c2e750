"""The pages of vectors and layers in a real browser: nothing is fetched, nothing fails, something is to be seen."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from shoal.insight.layers import Ranges, Size, layer_table
from shoal.insight.layers.page import layers_page
from shoal.insight.vectors import describe_vectors
from shoal.insight.vectors.page import vectors_page
from shoal.models import load_model

pytestmark = pytest.mark.browser

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--enable-logging=stderr")


def small_table() -> str:
    """The page of one kind of layer, measured small."""
    ranges = Ranges(n=(16, 32), long_n=(16, 32), d=(4, 8), base=Size(n=16, d=4, r=5), repeats=2)
    return layers_page(layer_table(ranges, kinds=["recurrent"]))


@pytest.fixture(scope="module")
def chromium() -> str:
    """Chromium's program; without it a test skips aloud, and fails where CI=true."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found:
        return found
    message = "no Chromium; install it with: make browser"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.mark.parametrize("name", ["vectors", "layers"])
def test_pages_open_without_a_word_on_the_console(chromium: str, name: str, tmp_path) -> None:
    page = tmp_path / "page.html"
    if name == "vectors":
        html = vectors_page(describe_vectors(load_model("bundled:searches"), "One day <he> ran & ran"))
    else:
        html = small_table()
    page.write_text(html, encoding="utf-8")
    command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert re.findall(r"CONSOLE.*", answer.stderr) == []
    assert answer.stdout.count("<svg") == (2 if name == "vectors" else 6)
    assert "default-src 'none'" in answer.stdout
