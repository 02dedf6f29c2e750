"""Addresses and forms as plain values; what is missing or malformed takes its default or is refused in one line."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from shoal.studio.page_error import PageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

# The longest field, the history of a conversation, has as much.
_MAX_TEXT = 200_000
_MAX_FIELDS = 100


class Query:
    """The values of an address or a form, each a list of texts."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = dict(values)

    def text(self, name: str, default: str = "", *, limit: int = 400) -> str:
        """A value as text.

        Args:
            name: of the field.
            default: where it is not given.
            limit: characters that are taken.

        Raises:
            PageError: it is longer.
        """
        value = self._values.get(name, [default])[0]
        if len(value) > limit:
            raise PageError(400, f"{name} has {len(value):,} characters; give at most {limit:,}")
        # Browsers send line ends of forms as CRLF, which would change the tokens of a text.
        return value.replace("\r\n", "\n")

    def number(self, name: str, default: int = 1) -> int:
        """A value as a whole number of 0 or more; the default where it is none."""
        value = self._values.get(name, [""])[0]
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else default

    def choice(self, name: str, known: Mapping[str, object] | tuple[str, ...], default: str = "") -> str:
        """A value out of known ones; the default where it is another.

        Args:
            name: of the field.
            known: the values.
            default: where it is none of them.
        """
        value = self._values.get(name, [default])[0]
        return value if value in known else default

    def texts(self, name: str) -> list[str]:
        """All values of a field that may be given more than once."""
        return self._values.get(name, [])

    def address(self, path: str, **changes: object) -> str:
        """An address with these values, some of them changed.

        Args:
            path: of the page.
            changes: values by name; None leaves one out.
        """
        values = self._values | {name: [str(value)] if value is not None else [] for name, value in changes.items()}
        query = urlencode({name: value for name, value in values.items() if value and value != [""]}, doseq=True)
        return f"{path}?{query}" if query else path


def query_of(request: Request) -> Query:
    """The values of an address.

    Raises:
        PageError: there are too many.
    """
    return Query(_parsed(request.url.query))


async def form_of(request: Request, form_secret: str) -> Query:
    """The values of a form that changes something.

    Args:
        request: a POST.
        form_secret: what every such form of the session holds.

    Raises:
        PageError: it does not hold it, or is no form.
    """
    body = await request.body()
    try:
        form = Query(_parsed(body.decode("utf-8")))
    except UnicodeDecodeError:
        raise PageError(400, "the form is not UTF-8; send it from the studio's own page") from None
    # In constant time, and as bytes: the function refuses texts that are not ASCII.
    if not secrets.compare_digest(form.text("secret").encode(), form_secret.encode()):
        raise PageError(403, "this form is none of this session; open the page again and send it from there")
    return form


def _parsed(text: str) -> dict[str, list[str]]:
    # Percent-encoding makes three characters of a byte, and letters beyond ASCII have two bytes or more.
    if len(text) > 6 * _MAX_TEXT:
        raise PageError(413, "the request is too long; send a shorter text")
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise PageError(400, f"the request has more than {_MAX_FIELDS} values; choose fewer") from None
