"""What passes the outermost layer of the server has a key, a size and a time, and is counted."""

from __future__ import annotations

import asyncio
import json

import pytest

from shoal.serving.server import ServerLimits
from shoal.serving.server.api_errors import ApiError
from shoal.serving.server.limits import Gate
from shoal.serving.server.metrics import ServerMetrics

PATHS = frozenset({"/v1/echo", "/health"})


async def echo(scope, receive, send):
    """An application that answers with the body that it got."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def slow(scope, receive, send):
    """An application that never answers."""
    await asyncio.sleep(60)


async def stuck(scope, receive, send):
    """An application that begins to answer and never ends."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.sleep(60)


async def refusing(scope, receive, send):
    """An application whose answer is an error."""
    raise ApiError(409, "not now", code="busy")


async def failing(scope, receive, send):
    """An application with a fault of its own."""
    raise ZeroDivisionError


def pass_through(app, *, path="/v1/echo", chunks=(b"",), headers=(), key=None, limits=None):
    """Status, object and metrics of one request."""
    metrics = ServerMetrics({})
    gate = Gate(app, limits=limits or ServerLimits(), api_key=key, metrics=metrics, paths=PATHS)
    waiting, sent = list(chunks), []

    async def receive():
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": list(headers)}
    asyncio.run(gate(scope, receive, send))
    status = next((message["status"] for message in sent if message["type"] == "http.response.start"), 0)
    body = b"".join(message.get("body", b"") for message in sent)
    return status, body, metrics.render()


def message_of(body):
    return json.loads(body)["error"]["message"]


def test_a_request_within_its_limits_passes_unchanged():
    status, body, counted = pass_through(echo, chunks=(b"one ", b"", "drei é".encode()))
    assert (status, body.decode()) == (200, "one drei é")
    assert 'shoal_requests_total{path="/v1/echo",status="200"} 1' in counted


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"authorization", b"Bearer secret")], 200),
        ([(b"Authorization", b"Bearer secret")], 200),
        ([(b"authorization", b"Bearer secre")], 401),
        ([(b"authorization", b"Bearer secret ")], 401),
        ([(b"authorization", b"bearer secret")], 401),
        ([(b"authorization", b"secret")], 401),
        ([(b"authorization", b"")], 401),
        ([(b"authorization", "Bearer sécret".encode())], 401),
        ([(b"authorization", b"Bearer wrong"), (b"authorization", b"Bearer secret")], 200),
        ([(b"x-api-key", b"secret")], 401),
        ([], 401),
    ],
)
def test_a_key_is_compared_whole(headers, status):
    found, body, counted = pass_through(echo, headers=headers, key="secret")
    assert found == status
    assert f'status="{status}"' in counted
    if status == 401:
        assert message_of(body) == "the API key is missing or wrong; send it as Authorization: Bearer KEY"
        assert b"secret" not in body


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/health/", 401), ("/v1/echo", 401), ("/other", 401)])
def test_health_alone_needs_no_key(path, status):
    assert pass_through(echo, path=path, key="secret")[0] == status


def test_a_key_may_have_any_letters():
    header = [(b"authorization", "Bearer schlüssel".encode())]
    assert pass_through(echo, headers=header, key="schlüssel")[0] == 200


@pytest.mark.parametrize(
    ("chunks", "stated", "status"),
    [
        ((b"12345",), None, 200),
        ((b"123456",), None, 413),
        ((b"123", b"45"), None, 200),
        ((b"123", b"456"), None, 413),
        ((b"1",), b"5", 200),
        ((b"1",), b"6", 413),
        ((b"1",), b"9" * 40, 413),
        ((b"123456",), b"1", 413),
        ((b"1",), b"-7", 200),
        ((b"1",), b"many", 200),
        ((b"1",), "٩٩".encode(), 200),
    ],
)
def test_a_body_is_counted_and_its_stated_length_is_not_trusted(chunks, stated, status):
    headers = [] if stated is None else [(b"content-length", stated)]
    found, body, _ = pass_through(echo, chunks=chunks, headers=headers, limits=ServerLimits(body_bytes=5))
    assert found == status
    if status == 413:
        assert message_of(body) == "the request is larger than 5 bytes; send less at a time"
        assert json.loads(body)["error"]["code"] == "too_large"


def test_a_request_that_takes_too_long_is_refused():
    status, body, counted = pass_through(slow, limits=ServerLimits(seconds=0.02))
    assert status == 408
    assert message_of(body) == "the request took longer than 0.02 s; ask for fewer tokens"
    assert 'path="/v1/echo",status="408"' in counted


def test_an_answer_that_has_begun_is_broken_off_without_a_second_one():
    status, body, counted = pass_through(stuck, limits=ServerLimits(seconds=0.02))
    assert (status, body) == (200, b"")
    assert 'path="/v1/echo",status="200"' in counted


def test_an_error_of_the_application_is_its_answer():
    status, body, _ = pass_through(refusing)
    assert (status, json.loads(body)["error"]["code"]) == (409, "busy")


def test_a_fault_of_the_application_is_counted_and_passed_on():
    metrics = ServerMetrics({})
    gate = Gate(failing, limits=ServerLimits(), api_key=None, metrics=metrics, paths=PATHS)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(gate({"type": "http", "path": "/v1/echo", "headers": []}, None, None))
    assert 'shoal_requests_total{path="/v1/echo",status="0"} 1' in metrics.render()


@pytest.mark.parametrize("path", ['/v1/nothing"} 1\n', "/" + "x" * 10_000, "/v1/echo/", ""])
def test_unknown_paths_are_counted_together(path):
    _, _, counted = pass_through(echo, path=path)
    assert 'shoal_requests_total{path="other",status="200"} 1' in counted.splitlines()
    assert "nothing" not in counted


def test_what_is_no_request_passes_without_a_key():
    taken = []

    async def lifespan(scope, receive, send):
        taken.append(scope["type"])

    gate = Gate(lifespan, limits=ServerLimits(), api_key="k", metrics=ServerMetrics({}), paths=PATHS)
    asyncio.run(gate({"type": "lifespan"}, None, None))
    assert taken == ["lifespan"]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"body_bytes": 0}, "the limit of bytes of a request is 0; give a number of at least 1"),
        ({"seconds": 0}, "the limit of seconds of a request is 0; give a number of at least 0.001"),
        ({"tokens": 0}, "the limit of tokens of a text is 0; give a number of at least 1"),
        ({"waiting": -1}, "the limit of texts that wait is -1; give a number of at least 0"),
    ],
)
def test_a_limit_is_named_where_it_leaves_no_room(limits, message):
    from shoal.errors import UsageError

    with pytest.raises(UsageError) as fault:
        ServerLimits(**limits)
    assert str(fault.value) == message


@pytest.mark.parametrize(
    "limits", [{"body_bytes": 1}, {"seconds": 0.001}, {"tokens": 1}, {"tokens": None}, {"waiting": 0}]
)
def test_the_smallest_limits_can_be_had(limits):
    ((name, value),) = limits.items()
    assert getattr(ServerLimits(**limits), name) == value
