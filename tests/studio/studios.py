"""A studio over a folder of runs, and a browser's side of it without a browser."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from shoal.studio import make_settings, make_studio

TOKEN = "a-token-of-the-tests"
ADDRESS = "http://127.0.0.1:8765"


def opened(root: Path, **settings: object) -> TestClient:
    """A browser with the cookie of a studio over a folder."""
    app = make_studio(
        make_settings(root, token=TOKEN, **settings),  # type: ignore[arg-type]
        hosts=frozenset({"127.0.0.1:8765", "localhost:8765"}),
        port=8765,
    )
    browser = TestClient(app, base_url=ADDRESS)
    answer = browser.get(f"/?token={TOKEN}", follow_redirects=False)
    assert answer.status_code == 303
    return browser


def secret_of(page: str) -> str:
    """The secret that a form of a page holds."""
    return page.partition('name="secret" value="')[2].partition('"')[0]
