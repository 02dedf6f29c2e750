"""A lock between processes that share a folder; it ends with the process that took it."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shoal.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 30.0
"""Seconds to wait: a process that was killed lets go at once."""


@contextmanager
def held(file: Path, what: str, *, patience: float = PATIENCE) -> Iterator[None]:
    """Hold a file against other processes.

    Args:
        file: the lock; made where it does not exist.
        what: it protects, in an error message.
        patience: seconds to wait for a process that holds it.

    Raises:
        WorkerError: another process holds it for longer.
    """
    with file.open("w") as handle:
        end = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise WorkerError(f"another process holds {what} ({file}); wait for it, and try again") from None
                time.sleep(0.1)
        yield
