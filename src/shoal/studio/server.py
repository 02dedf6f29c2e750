"""The studio as a server: on loopback, one for each folder, in the foreground or on a thread."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from shoal.errors import StoreError, UsageError
from shoal.serving.server import check_installed, is_loopback, listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from shoal.studio.settings import StudioSettings

PORT = 8765
_GRACE = 5
_MAX_CONNECTIONS = 256
"""At a time; further ones are answered with 503."""


def serve_studio(
    settings: StudioSettings,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve a studio until the process gets SIGINT or SIGTERM. Experiments that it started go on.

    Args:
        settings: as `make_settings` gives them.
        host: the address to listen on.
        port: 0 takes any free one.
        on_ready: called with the address, token included, as soon as requests are taken.

    Raises:
        StoreError: another studio serves the folder.
        UsageError: the address cannot be listened on.
        MissingExtraError: FastAPI or uvicorn is not installed.
    """
    with ExitStack() as stack:
        server, listening, address = _opened(stack, settings, host, port)
        if on_ready is not None:
            on_ready(f"{address}/?token={settings.token}")
        # Uvicorn raises the signal again that stopped it; here it has done its work.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])


class BackgroundStudio:
    """A studio on loopback, on a thread of its own, for as long as a ``with`` block lasts.

    Args:
        settings: as `make_settings` gives them.
    """

    def __init__(self, settings: StudioSettings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self.address = ""
        """Where it listens, without the token."""

    def __enter__(self) -> Self:
        self._server, listening, self.address = _opened(self._stack, self._settings, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._stack.close()


def _opened(stack: ExitStack, settings: StudioSettings, host: str, port: int) -> tuple[Any, socket.socket, str]:
    """The server, its socket and its address; the stack closes what was opened."""
    check_installed("studio", "the studio")
    import uvicorn

    from shoal.studio.app import make_studio

    stack.enter_context(_only_studio(settings))
    listening = stack.enter_context(closing(listen(host, port)))
    taken = listening.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    app = make_studio(settings, hosts=_names(host, taken), port=taken)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Headers of a proxy would let a client name its own address; there is none in front of a studio.
        proxy_headers=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE,
    )
    return uvicorn.Server(config), listening, f"http://{shown}:{taken}"


def _names(host: str, port: int) -> frozenset[str]:
    """The names under which a studio may be addressed."""
    if host in ("0.0.0.0", "::"):
        raise UsageError(f"{host} stands for every address of this machine; give the one address to listen on")
    own = {"127.0.0.1", "localhost", "[::1]"} if is_loopback(host) else {f"[{host}]" if ":" in host else host}
    return frozenset(f"{name}:{port}" for name in own)


@contextmanager
def _only_studio(settings: StudioSettings) -> Iterator[None]:
    """Hold the folder's lock, so that two studios neither start one run twice nor write one index."""
    if settings.read_only:
        yield
        return
    settings.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.state / "studio.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise StoreError(
            f"another studio serves {settings.folder}; open its address, stop it, or start this one with --read-only"
        ) from None
    try:
        yield
    finally:
        lock.release()
