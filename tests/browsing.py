"""A page in headless Chromium: what it says after its script ran, what it complains of, and its pixels."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import zlib
from typing import TYPE_CHECKING, Any

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


class Browser:
    """Chromium by its debugging pipe: pages at widths that its window cannot have, and what they hold after a script.

    Its protocol runs over two pipes, one JSON message after the other with a zero byte between them, so that no port
    is open and no library is needed. A context manager.

    Args:
        chromium: the program.
        profile: a folder of its own.
    """

    def __init__(self, chromium: str, profile: Path) -> None:
        to_chromium, self._write = os.pipe()
        self._read, from_chromium = os.pipe()

        def take_pipes() -> None:
            # The protocol is spoken over the descriptors 3 and 4, which may be those of the pipes themselves.
            ends = os.dup(os.dup(to_chromium)), os.dup(os.dup(from_chromium))
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        command = [chromium, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            command, preexec_fn=take_pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_chromium)
        os.close(from_chromium)
        self._number, self._buffer, self._session = 0, b"", ""
        self.complaints: list[str] = []
        """What the page complained of on its console since it was opened."""

    def __enter__(self) -> Browser:
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)
        os.close(self._read)
        os.close(self._write)

    def open(self, address: str, *, width: int, dark: bool = False) -> None:
        """Open a page in a window of a width, and wait until its scripts have run."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self.complaints = []
        self._call("Page.navigate", url=address)
        self.value("document.readyState === 'complete' || new Promise((done) => addEventListener('load', done))")

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives in the page, a promise waited for."""
        answer = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def _call(self, method: str, **params: object) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                found: dict[str, Any] = answer["result"]
                return found
            if answer.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(answer["params"]))

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._read, 1 << 20)
            assert read, "Chromium has ended"
            self._buffer += read
        first, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(first)
        return message
