"""What a client may take of a server: bytes, time, tokens and places in the queue; and who may ask at all."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.serving.server.api_errors import ApiError, error_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from shoal.serving.server.metrics import ServerMetrics

OPEN_PATHS = ("/health",)
"""Paths that need no key: a supervisor asks whether the server lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """The limits of a server.

    Raises:
        UsageError: one of them leaves no room for any request.
    """

    # About half a million tokens of English text: a larger body is a mistake or an attack.
    body_bytes: int = 2_000_000
    """Bytes of a request."""

    seconds: float = 600.0
    """Seconds from the first byte of a request to the last one of its response."""

    tokens: int | None = None
    """Tokens that a request may let be generated per text; None: as many as the context leaves."""

    waiting: int = 256
    """Texts that may wait for a slot."""

    def __post_init__(self) -> None:
        for name, value, least in (
            ("bytes of a request", self.body_bytes, 1),
            ("seconds of a request", self.seconds, 0.001),
            ("tokens of a text", 1 if self.tokens is None else self.tokens, 1),
            ("texts that wait", self.waiting, 0),
        ):
            if not value >= least:
                raise UsageError(f"the limit of {name} is {value}; give a number of at least {least:g}")


class Gate:
    """The outermost layer of the server: key, body size, time, and the count of what was answered.

    Args:
        app: what answers.
        limits: of each request.
        api_key: what a client must send; None: nothing.
        metrics: where requests are counted.
        paths: the endpoints, which alone are counted by their name.
    """

    def __init__(
        self, app: ASGIApp, *, limits: ServerLimits, api_key: str | None, metrics: ServerMetrics, paths: frozenset[str]
    ) -> None:
        self._app = app
        self._limits = limits
        self._api_key = api_key
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = _Response(send)
        started, path = time.monotonic(), scope["path"]
        try:
            self._check(scope)
            # A slow client and a long text end here, whichever of them takes the time.
            async with asyncio.timeout(self._limits.seconds):
                await self._app(scope, self._counted(receive), response.send)
        except ApiError as error:
            await self._refuse(error, scope, receive, response)
        except TimeoutError:
            message = f"the request took longer than {self._limits.seconds:g} s; ask for fewer tokens"
            await self._refuse(ApiError(408, message, code="timeout"), scope, receive, response)
        finally:
            # Unknown paths are a client's words, of which there is no end.
            name = path if path in self._paths else "other"
            self._metrics.count_request(name, response.status, time.monotonic() - started)

    def _check(self, scope: Scope) -> None:
        # ASGI wants lower case of servers already; other ones than uvicorn need not keep to it.
        headers = {name.lower(): value for name, value in scope["headers"]}
        if self._api_key is not None and scope["path"] not in OPEN_PATHS:
            given = headers.get(b"authorization", b"")
            # In constant time, so that a key cannot be guessed letter by letter.
            if not secrets.compare_digest(given, f"Bearer {self._api_key}".encode()):
                raise ApiError(401, "the API key is missing or wrong; send it as Authorization: Bearer KEY")
        length = headers.get(b"content-length", b"")
        # The first digits only: Python refuses to convert numbers of more than 4,300, which would be a failure of the
        # server.
        if length.isdigit() and int(length[:18]) > self._limits.body_bytes:
            raise self._too_large()

    def _counted(self, receive: Receive) -> Receive:
        count = 0

        async def counting() -> Message:
            nonlocal count
            message = await receive()
            # The length that a client states need not be true, and chunked bodies state none.
            count += len(message.get("body", b""))
            if count > self._limits.body_bytes:
                raise self._too_large()
            return message

        return counting

    def _too_large(self) -> ApiError:
        return ApiError(
            413, f"the request is larger than {self._limits.body_bytes:,} bytes; send less at a time", code="too_large"
        )

    @staticmethod
    async def _refuse(error: ApiError, scope: Scope, receive: Receive, response: _Response) -> None:
        # Where the response has begun, breaking the connection off is all that can be done.
        if response.status == 0:
            await error_response(error)(scope, receive, response.send)


class _Response:
    """Notes the status of the response that passes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        """0: nothing was sent."""

    async def send(self, message: Message) -> None:
        """Pass a part of the response on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)
