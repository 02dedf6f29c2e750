"""What a person sees in place of a page."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import Section, document
from shoal.wording import capital

if TYPE_CHECKING:
    from shoal.studio.page_error import PageError


def refusal_page(error: PageError, *, inside: bool = False) -> str:
    """A whole document on what is wrong and what to do.

    Args:
        error: why there is no page.
        inside: whether it is for a person who is in the studio, who is led back to the list of runs.
    """
    message = str(error)
    link = Section("back", "Back", Markup("<p><a href='/runs'>The list of runs</a></p>"))
    return document(
        f"{error.status} {_phrase(error.status)}",
        capital(message if message.endswith(".") else f"{message}."),
        [link] if inside else [],
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
