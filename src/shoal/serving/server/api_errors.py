"""Errors as OpenAI's protocol has them: a status, and one object with a message, a type, a parameter and a code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shoal.errors import DataError, TooLongError, UsageError
from shoal.wording import in_one_line, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
# Both are what HTTP wants of these statuses (RFC 9110, 11.6.1; RFC 6585, 4), and OpenAI's own clients wait as long as
# the latter states.
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}}
_UNDECODABLE = "the body cannot be read as JSON"


class ApiError(HTTPException):
    """A request that cannot be answered; the web framework passes it on from wherever it is raised.

    Args:
        status: of HTTP.
        message: what was given, what was expected and what to do.
        param: the field of the request.
        code: a word for programs.
    """

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(status, message, headers=_HEADERS.get(status))
        self.param = param
        self.code = code


def error_body(error: Exception) -> dict[str, Any]:
    """The object of an error.

    Args:
        error: any; one that is no fault of the client's is described as internal.
    """
    known = as_api_error(error)
    kind = _TYPES.get(known.status_code, "invalid_request_error" if known.status_code < 500 else "server_error")
    return {"error": {"message": known.detail, "type": kind, "param": known.param, "code": known.code}}


def error_response(error: Exception) -> JSONResponse:
    """The response of an error.

    Args:
        error: as in `error_body`.
    """
    known = as_api_error(error)
    return JSONResponse(error_body(known), known.status_code, headers=known.headers)


def as_api_error(error: Exception) -> ApiError:
    """An error with its status.

    Args:
        error: of a client's fault where it is a UsageError or a DataError, else the server's.
    """
    if isinstance(error, ApiError):
        return error
    if isinstance(error, TooLongError):
        return ApiError(400, in_one_line(error), code="context_length_exceeded")
    if isinstance(error, (UsageError, DataError)):
        return ApiError(400, in_one_line(error))
    return ApiError(500, f"the server failed: {in_one_line(error)}", code="internal_error")


def invalid_request(faults: Sequence[Mapping[str, Any]]) -> ApiError:
    """The error of a request that fails its validation: the first fault, with its place.

    Args:
        faults: as pydantic lists them.
    """
    fault = faults[0]
    if fault["type"] == "json_invalid":
        return ApiError(400, f"{_UNDECODABLE}: {fault.get('ctx', {}).get('error', '')}", code="invalid_json")
    place = ".".join(str(part) for part in fault["loc"] if part != "body")
    if not place and fault["type"] == "value_error":
        return ApiError(400, in_one_line(_message(fault)))
    if not place:
        return ApiError(400, f"{_UNDECODABLE}: expected an object, sent as application/json", code="invalid_json")
    more = f" (and {plural(len(faults) - 1, 'more fault')})" if len(faults) > 1 else ""
    # The message alone: what was given may be ten megabytes of junk.
    return ApiError(400, f"{_shortened(place)}: {in_one_line(_message(fault))}{more}", param=_shortened(place))


def _message(fault: Mapping[str, Any]) -> str:
    # What shoal's own checks say comes with a word of pydantic's before it.
    return str(fault["msg"]).removeprefix("Value error, ")


def _shortened(place: str) -> str:
    # A key of the client's own may stand in it, with characters that are none.
    return place[:200].encode("utf-8", "replace").decode()
