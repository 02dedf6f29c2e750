"""A server that listens: in the foreground until it is stopped, or in the background of a program."""

from __future__ import annotations

import importlib.util
import ipaddress
import socket
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Self

from shoal.errors import MissingExtraError, UsageError
from shoal.serving.model import load_for_generation

if TYPE_CHECKING:
    from collections.abc import Callable

    import uvicorn

    from shoal.serving.model import GenerationModel
    from shoal.serving.server.limits import ServerLimits

_GRACE = 30
"""Seconds that running requests get where the server is stopped."""


def serve(
    model: str | GenerationModel,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    name: str | None = None,
    api_key: str | None = None,
    limits: ServerLimits | None = None,
    device: str = "auto",
    dtype: str = "float32",
    grace: float = _GRACE,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve a model by OpenAI's protocol until the process gets SIGINT or SIGTERM.

    Args:
        model: a model spec, or what `load_for_generation` gives.
        host: the address to listen on.
        port: 0 takes any free one.
        name: of the model, as clients call it; its spec where none is given.
        api_key: what clients must send; needed where others than this machine can reach the server.
        limits: of each request.
        device: of a model spec.
        dtype: of a model spec.
        grace: seconds that running requests get when the server is stopped.
        on_ready: called with the address as soon as requests are taken.

    Raises:
        UsageError: the address cannot be listened on, or is open to others and has no key.
        MissingExtraError: FastAPI or uvicorn is not installed.
    """
    check_installed()
    check_address(host, api_key)
    live = load_for_generation(model, device=device, dtype=dtype) if isinstance(model, str) else model
    with closing(listen(host, port)) as listening:
        server = _Server(live, name=name, api_key=api_key, limits=limits, grace=grace)
        if on_ready is not None:
            on_ready(_url(listening))
        server.run(listening)


class BackgroundServer:
    """A server on loopback, on a thread of its own, for as long as a ``with`` block lasts.

    Args:
        live: the model.
        settings: as `serve` takes them: name, api_key, limits, grace.
    """

    def __init__(self, live: GenerationModel, **settings: Any) -> None:
        check_installed()
        self._server = _Server(live, **{"grace": 5, **settings})
        self._listening = listen("127.0.0.1", 0)
        self.url = _url(self._listening)
        """Where it listens, without the path."""
        self._thread = threading.Thread(target=self._server.run, args=(self._listening,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        # Bounded: a server that ends before it listens would otherwise be waited for without end.
        self._server.started.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._thread.join(30)
        self._listening.close()


class _Server:
    """Uvicorn with a worker thread."""

    def __init__(
        self,
        live: GenerationModel,
        *,
        name: str | None = None,
        api_key: str | None = None,
        limits: ServerLimits | None = None,
        grace: float = _GRACE,
    ) -> None:
        # Here and not above: the extra is optional, and `check_installed` has reported its absence by now.
        import uvicorn

        from shoal.serving.server.app import make_app
        from shoal.serving.server.limits import ServerLimits
        from shoal.serving.server.worker import GenerationWorker

        limits = limits or ServerLimits()
        self.started = threading.Event()
        self._grace = grace
        self._worker = GenerationWorker(live.decoder, max_waiting=limits.waiting)
        app = make_app(live, self._worker, name=name, limits=limits, api_key=api_key)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            # The application has nothing to do at start and end: the worker's thread begins with its construction.
            lifespan="off",
            timeout_graceful_shutdown=max(1, round(grace)),
        )
        self._uvicorn = _notifying(uvicorn.Server, self.started)(config)

    def run(self, listening: socket.socket) -> None:
        """Answer requests until the server is stopped."""
        try:
            # Uvicorn raises the signal again that stopped it; here it has done its work.
            with suppress(KeyboardInterrupt):
                self._uvicorn.run(sockets=[listening])
        finally:
            # Uvicorn has waited for its connections; what is left belongs to nobody.
            self._worker.stop(1)

    def stop(self) -> None:
        """Take no more connections, and end when those that are there are answered."""
        self._uvicorn.should_exit = True


def _notifying(kind: type[uvicorn.Server], started: threading.Event) -> type[uvicorn.Server]:
    """Uvicorn's server, which notes when it takes requests."""

    class Notifying(kind):  # type: ignore[misc, valid-type]
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets=sockets)
            started.set()

    return Notifying


def check_installed(extra: str = "serve", what: str = "the server") -> None:
    """Raise where the libraries of a server are not there.

    Args:
        extra: that brings them.
        what: needs them.

    Raises:
        MissingExtraError: with the command that installs them.
    """
    if any(importlib.util.find_spec(module) is None for module in ("fastapi", "uvicorn")):
        raise MissingExtraError(extra, what)


def check_address(host: str, api_key: str | None) -> None:
    """Raise where a server would be open to everybody.

    Args:
        host: the address to listen on.
        api_key: what clients must send.

    Raises:
        UsageError: the key is empty; or the address is not this machine's own and there is no key.
    """
    if api_key is not None and not (api_key.strip() and api_key.isascii()):
        raise UsageError("the API key is empty or not ASCII; give a long random text")
    if api_key is None and not is_loopback(host):
        raise UsageError(
            f"{host} can be reached by others than this machine; give --api-key KEY (or SHOAL_API_KEY), or listen on "
            "127.0.0.1"
        )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: the address.
        port: 0 takes any free one.

    Raises:
        UsageError: it is in use, or is none of this machine's.
    """
    if not 0 <= port < 2**16:
        raise UsageError(f"the port is {port}; give a number from 0 to {2**16 - 1}")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
        try:
            # A port whose last connections are in TIME_WAIT can be used again at once after a restart.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            # The backlog holds a burst of clients while the event loop is busy with the answers of others.
            listening.listen(1024)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise UsageError(f"{host}:{port} cannot be used: {error.strerror or error}; give another --port") from error
    return listening


def is_loopback(host: str) -> bool:
    """Whether an address is reached by this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
