"""Who may ask the studio, and what a browser may do with its answers."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from starlette.testclient import TestClient
from studios import ADDRESS, TOKEN


def stranger(client: TestClient) -> TestClient:
    """A browser without the cookie."""
    return TestClient(client.app, base_url=ADDRESS)


def test_without_the_cookie_nothing_is_shown(client: TestClient) -> None:
    for path in ("/runs", "/runs/first/", "/runs/first/live.json", "/assets/x.js", "/no-such-page", "/start"):
        answer = stranger(client).get(path)
        assert answer.status_code == 401, path
        assert "counting" not in answer.text
        assert "open the address with the token" in answer.text


def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_cannot_use(client: TestClient) -> None:
    answer = stranger(client).get(f"/runs?token={TOKEN}", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/runs"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie


def test_a_wrong_token_is_refused_and_a_path_of_two_slashes_leads_nowhere_else(client: TestClient) -> None:
    assert stranger(client).get("/?token=wrong").status_code == 403
    answer = stranger(client).get(f"{ADDRESS}//evil.example/?token={TOKEN}", follow_redirects=False)
    assert answer.headers["location"] == "/evil.example/"


def test_a_foreign_name_for_this_machine_is_refused(client: TestClient) -> None:
    answer = client.get("/runs", headers={"host": "evil.example:8765"})
    assert answer.status_code == 421
    assert client.get("/runs", headers={"host": "localhost:9999"}).status_code == 421


@pytest.mark.parametrize("path", ["/start", "/runs/first/stop", "/runs/unfinished/resume", "/playground"])
def test_a_forged_form_is_refused(client: TestClient, path: str) -> None:
    assert client.post(path, data={"plan": "shipped-counting", "name": "x", "workers": "1"}).status_code == 403
    assert client.post(path, data={"secret": "0" * 64}).status_code == 403
    for header in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        answer = client.post(path, data={"secret": "0" * 64}, headers=header)
        assert answer.status_code == 403
        assert "comes from another site" in answer.text


def test_other_methods_and_large_bodies_are_refused(client: TestClient) -> None:
    assert client.put("/runs").status_code == 405
    assert client.post("/playground", content=b"x" * 2_000_001).status_code == 413

    def endless() -> object:
        for _ in range(40):
            yield b"x" * 60_000

    assert client.post("/playground", content=endless()).status_code == 413


def test_every_answer_forbids_inline_scripts_frames_and_requests_elsewhere(client: TestClient) -> None:
    for path in ("/runs", "/start", "/playground", "/runs/first/items", "/no-such-page"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        # Data for scripts are no scripts; everything else that is one comes from a file.
        for script in re.findall(r"<script([^>]*)>", answer.text):
            assert 'src="/assets/' in script or 'type="application/json"' in script
        assert not re.search(r"\son[a-z]+=", answer.text)
        # A refusal stands outside of the studio's frame, and has the policy of a page that is a file too.
        assert ("http-equiv" in answer.text) is (answer.status_code == 404)


def test_scripts_and_styles_are_files_of_the_studio(client: TestClient) -> None:
    page = client.get("/runs").text
    addresses = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)
    assert len(addresses) == 2
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(("text/css", "text/javascript"))
    assert client.get("/assets/other.js").status_code == 404


def test_a_length_in_a_digit_that_is_no_number_is_no_failure(client: TestClient) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    headers = {"host": ADDRESS.removeprefix("http://"), "cookie": cookie, "content-length": "²"}
    scope = {
        "type": "http", "method": "POST", "path": "/playground", "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(client.app(scope, receive, send))
    assert sent[0]["status"] == 403, "a form without its secret"
