"""How long work reports how far it is: a callable that every verb and every long function takes."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the name of the work, the units done and the units in all."""


def no_progress(what: str, done: int, total: int) -> None:
    """Report nothing: the default of a `Progress`."""
