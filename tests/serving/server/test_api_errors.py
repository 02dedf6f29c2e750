"""Errors have a status and one object, and name no more than a client needs."""

from __future__ import annotations

import json

import pytest

from shoal.errors import BoundaryError, DataError, ModelError, TooLongError, UnknownNameError, UsageError
from shoal.serving.server.api_errors import ApiError, as_api_error, error_body, error_response, invalid_request


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (UsageError("no such thing"), 400, "invalid_request_error", None),
        (UnknownNameError("field", "a", ["b"]), 400, "invalid_request_error", None),
        (DataError("no tokens"), 400, "invalid_request_error", None),
        (BoundaryError("one token"), 400, "invalid_request_error", None),
        (TooLongError("too long"), 400, "invalid_request_error", "context_length_exceeded"),
        (ModelError("no numbers"), 500, "server_error", "internal_error"),
        (RuntimeError("out of memory"), 500, "server_error", "internal_error"),
        (KeyError("x"), 500, "server_error", "internal_error"),
        (ApiError(401, "no key"), 401, "authentication_error", None),
        (ApiError(404, "no model", code="model_not_found"), 404, "not_found_error", "model_not_found"),
        (ApiError(429, "full"), 429, "rate_limit_error", None),
        (ApiError(413, "large", code="too_large"), 413, "invalid_request_error", "too_large"),
        (ApiError(503, "gone", code="stopped"), 503, "server_error", "stopped"),
    ],
)
def test_an_error_has_its_status_type_and_code(error, status, kind, code):
    assert as_api_error(error).status_code == status
    found = error_body(error)["error"]
    assert (found["type"], found["code"]) == (kind, code)
    response = error_response(error)
    assert response.status_code == status
    assert json.loads(response.body) == {"error": found}


@pytest.mark.parametrize(
    ("status", "name", "value"),
    [(401, "www-authenticate", "Bearer"), (429, "retry-after", "1"), (400, "retry-after", None)],
)
def test_some_statuses_have_a_header_of_their_own(status, name, value):
    assert error_response(ApiError(status, "a")).headers.get(name) == value


def test_a_message_is_one_line_and_short():
    error = error_body(UsageError("first\nsecond\t" + "x" * 1000))["error"]
    assert error["message"].startswith("first second xxx")
    assert len(error["message"]) < 310
    assert error_body(RuntimeError())["error"]["message"] == "the server failed: RuntimeError"


def test_a_known_error_stays_as_it_is():
    error = ApiError(400, "a", param="b", code="c")
    assert as_api_error(error) is error
    assert error_body(error) == {"error": {"message": "a", "type": "invalid_request_error", "param": "b", "code": "c"}}


def fault(kind, message, *place, **more):
    return {"type": kind, "loc": place, "msg": message, **more}


@pytest.mark.parametrize(
    ("faults", "message", "param", "code"),
    [
        ([fault("missing", "Field required", "body", "prompt")], "prompt: Field required", "prompt", None),
        (
            [fault("literal_error", "Input should be 'user'", "body", "messages", 2, "role")],
            "messages.2.role: Input should be 'user'",
            "messages.2.role",
            None,
        ),
        (
            [fault("missing", "Field required", "body", "a"), fault("missing", "Field required", "body", "b")],
            "a: Field required (and 1 more fault)",
            "a",
            None,
        ),
        (
            [fault("json_invalid", "JSON decode error", "body", 7, ctx={"error": "Expecting value"})],
            "the body cannot be read as JSON: Expecting value",
            None,
            "invalid_json",
        ),
        (
            [fault("json_invalid", "JSON decode error", "body", 7)],
            "the body cannot be read as JSON: ",
            None,
            "invalid_json",
        ),
        (
            [fault("value_error", "Value error, there are 60 fields", "body")],
            "there are 60 fields",
            None,
            None,
        ),
        (
            [fault("missing", "Field required", "body")],
            "the body cannot be read as JSON: expected an object, sent as application/json",
            None,
            "invalid_json",
        ),
    ],
)
def test_the_first_fault_of_a_request_is_named_with_its_place(faults, message, param, code):
    found = invalid_request(faults)
    assert (found.status_code, found.detail, found.param, found.code) == (400, message, param, code)


@pytest.mark.parametrize("key", ["x" * 5000, "\ud800" * 300, "é" * 400])
def test_a_place_that_a_client_made_up_is_cut_and_can_be_sent(key):
    found = invalid_request([fault("extra_forbidden", "Extra inputs are not permitted", "body", key)])
    assert len(found.param) == 200
    assert json.loads(error_response(found).body)["error"]["param"] == found.param
