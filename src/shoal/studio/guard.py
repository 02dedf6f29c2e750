"""Who may ask the studio at all, and what a browser may do with its answers.

- The ``Host`` must be one of the studio's own: a foreign name that is made to resolve to loopback (DNS rebinding) is
  refused before anything is read.
- The token of the printed address becomes a cookie that scripts cannot read and that other sites cannot send.
- A request that changes something comes from the studio's own pages (``Origin``), and its form holds a secret of the
  session: what is missing in one browser is caught by the other.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from starlette.responses import HTMLResponse, RedirectResponse

from shoal.studio.page_error import PageError
from shoal.studio.pages.refusal import refusal_page

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 2_000_000
"""Bytes of a request; the text of the playground is the longest that is sent."""

MAX_SECONDS = 300.0
"""Of a request; a page of the playground waits for a model."""

ASSETS = "/assets/"
_SAFE = ("GET", "HEAD")
POLICY = (
    # Styles are inline in every drawing; scripts and requests are the studio's own files alone.
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Gatekeeper:
    """The outermost layer of the studio.

    Args:
        app: what answers.
        token: what opens the studio.
        hosts: names with port under which it may be addressed: ``127.0.0.1:8765``.
        port: a part of the cookie's name, since browsers send the cookies of one port to all others of a host.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: frozenset[str], port: int) -> None:
        self._app = app
        self._token = token
        self._hosts = hosts
        self._cookie = f"shoal-studio-{port}"
        # Not the token itself, which stands in the printed address: a cookie that leaks opens this process alone.
        self._session = secrets.token_urlsafe(32)
        self.form_secret = hmac.new(self._session.encode(), b"form", hashlib.sha256).hexdigest()
        """What a form that changes something must hold."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        answer = _Answer(send, cached=scope["path"].startswith(ASSETS))
        try:
            entrance = self._check(scope)
            async with asyncio.timeout(MAX_SECONDS):
                if entrance is not None:
                    await entrance(scope, receive, answer.send)
                else:
                    await self._app(scope, _limited(receive), answer.send)
        except PageError as error:
            await _refuse(error, scope, receive, answer)
        except TimeoutError:
            late = PageError(503, f"the answer took longer than {MAX_SECONDS:g} s; try a shorter text")
            await _refuse(late, scope, receive, answer)

    def _check(self, scope: Scope) -> RedirectResponse | None:
        """Raise where the request may not pass; a redirect that sets the cookie, where it brings the token."""
        headers = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if host not in self._hosts:
            raise PageError(421, f"{host[:80]!r} is no address of this studio; open the address that it printed")
        if scope["method"] not in (*_SAFE, "POST"):
            raise PageError(405, f"{scope['method'][:20]} is not understood; pages are read by GET and sent by POST")
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["method"] in _SAFE and "token" in query:
            if not secrets.compare_digest(query["token"][0].encode(), self._token.encode()):
                raise PageError(403, "the token is wrong; open the address that `shoal studio` printed last")
            return self._entrance(scope["path"])
        if not secrets.compare_digest(_cookie_of(headers.get("cookie", ""), self._cookie), self._session.encode()):
            raise PageError(401, "the studio is locked; open the address with the token that `shoal studio` printed")
        if scope["method"] == "POST":
            _check_origin(headers, host)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:18]) > MAX_BODY:
            raise _too_large()
        return None

    def _entrance(self, path: str) -> RedirectResponse:
        # Without the token, so that it stays neither in the history nor in an address that is passed on. A path of two
        # slashes would be another host.
        answer = RedirectResponse("/" + quote(path.lstrip("/")), status_code=303)
        answer.set_cookie(self._cookie, self._session, httponly=True, samesite="strict", path="/")
        return answer


class _Answer:
    """Adds the headers to what is sent, and notes whether anything was."""

    def __init__(self, send: Send, *, cached: bool) -> None:
        self._send = send
        self._cached = cached
        self.begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            # Runs are private, and a page that changes must not come from a cache.
            more = _HEADERS | {"cache-control": "private, max-age=31536000" if self._cached else "no-store"}
            named = [(name.encode(), value.encode()) for name, value in more.items()]
            message = {**message, "headers": [*message.get("headers", []), *named]}
        await self._send(message)


def _cookie_of(header: str, name: str) -> bytes:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return b""
    return found.value.encode() if found else b""


def _check_origin(headers: dict[str, str], host: str) -> None:
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    if (origin is not None and origin != f"http://{host}") or site not in ("same-origin", "none"):
        raise PageError(403, "this request comes from another site; use the forms of the studio itself")


def _limited(receive: Receive) -> Receive:
    count = 0

    async def counting() -> Message:
        nonlocal count
        message = await receive()
        # The length that a client states need not be true.
        count += len(message.get("body", b""))
        if count > MAX_BODY:
            raise _too_large()
        return message

    return counting


def _too_large() -> PageError:
    return PageError(413, f"the request is larger than {MAX_BODY:,} bytes; send a shorter text")


async def _refuse(error: PageError, scope: Scope, receive: Receive, answer: _Answer) -> None:
    # Where the answer has begun, breaking the connection off is all that can be done.
    if not answer.begun:
        await HTMLResponse(refusal_page(error), status_code=error.status)(scope, receive, answer.send)
