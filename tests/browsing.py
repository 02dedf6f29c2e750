"""A page in headless Chromium: what it says after its script ran, what it complains of, and its pixels."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import zlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)


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


def visit(chromium: str, address: str, profile: Path, *extra: str) -> tuple[str, list[str]]:
    """The page after its script ran, and what it said on the console (refused requests are said there)."""
    command = [chromium, *FLAGS, f"--user-data-dir={profile}", *extra, "--dump-dom", address]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return answer.stdout, re.findall(r"CONSOLE.*", answer.stderr)


def pixels(picture: Path) -> bytes:
    """The filtered pixels of a PNG: of a blank page, a handful of byte values."""
    data = picture.read_bytes()
    place, packed = 8, b""
    while place < len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        if data[place + 4 : place + 8] == b"IDAT":
            packed += data[place + 8 : place + 8 + size]
        place += 12 + size
    return zlib.decompress(packed)
