"""A request that cannot be answered, with its status and what to do."""

from __future__ import annotations

from shoal.errors import UsageError


class PageError(UsageError):
    """What a person sees in place of a page.

    Args:
        status: of HTTP.
        message: what was given, what was expected, what to do.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
