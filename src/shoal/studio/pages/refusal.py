"""What a person sees in place of a page."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from shoal.figures import document
from shoal.wording import capital

if TYPE_CHECKING:
    from shoal.studio.page_error import PageError


def refusal_page(error: PageError) -> str:
    """A whole document on what is wrong and what to do."""
    message = str(error)
    return document(
        f"{error.status} {_phrase(error.status)}", capital(message if message.endswith(".") else f"{message}."), []
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
