"""A client's fault is one clear 4xx, and a client that goes away frees its slot."""

from __future__ import annotations

import http.client
import json
import socket
import time
from urllib.parse import urlsplit

import pytest

from chat_models import chat_tokenizer
from shoal.errors import UsageError
from shoal.serving import GenerationModel
from shoal.serving.server import BackgroundServer, ServerLimits, check_address

LIMITS = ServerLimits(body_bytes=20_000, tokens=40, waiting=2, seconds=20)
COMPLETE, CHAT = "/v1/completions", "/v1/chat/completions"
HI = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def server(live):
    with BackgroundServer(live, name="tiny", limits=LIMITS) as running:
        yield running


def ask(server, path, body=None, *, method="POST", headers=None):
    """Status and object of one request; the body is sent as it is where it is bytes."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection.request(method, path, raw, {"Content-Type": "application/json", **(headers or {})})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text.startswith(b"{") else text.decode()


FAULTS = {
    "no messages": (CHAT, {"messages": []}, "messages"),
    "a message of junk": (CHAT, {"messages": [{"role": "user", "content": {"a": [1]}}]}, "messages.0.content"),
    "an unknown role": (CHAT, {"messages": [{"role": "judge", "content": "a"}]}, "messages.0.role"),
    "a picture": (CHAT, {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "content"),
    "a refusal of the template": (CHAT, {"messages": [{"role": "user", "content": "refuse"}]}, "no such message"),
    "too long a conversation": (CHAT, {"messages": [{"role": "user", "content": "a" * 200}]}, "context is of 96"),
    "tools": (CHAT, {"messages": HI, "tools": [{"type": "function"}]}, "tools"),
    "alternatives without logprobs": (CHAT, {"messages": HI, "top_logprobs": 2}, "top_logprobs needs logprobs"),
    "no prompt": (COMPLETE, {}, "prompt"),
    "an empty prompt": (COMPLETE, {"prompt": ""}, "no tokens"),
    "no ids": (COMPLETE, {"prompt": [[]]}, "prompt: expected a text, a list of token ids, or a list of 1 to 128"),
    "no prompts": (COMPLETE, {"prompt": []}, "prompt: expected a text, a list of token ids, or a list of 1 to 128"),
    "texts among ids": (COMPLETE, {"prompt": [1, "a"]}, "prompt: expected a text, a list of token ids, or a list"),
    "a stop string of nothing": (COMPLETE, {"prompt": "a", "stop": ["b", ""]}, "stop: expected a text of 1 to 1,000"),
    "no content": (CHAT, {"messages": [{"role": "user", "content": None}]}, "messages.0.content: expected a text"),
    "a negative id": (COMPLETE, {"prompt": [[-1]]}, "token id -1; expected ids from 0 to 263"),
    "an id that is too large": (COMPLETE, {"prompt": [264]}, "token id 264"),
    "an id beyond all integers": (COMPLETE, {"prompt": [10**30]}, "token id 1000"),
    "ids that are true": (COMPLETE, {"prompt": [True]}, "prompt"),
    "too long a prompt": (COMPLETE, {"prompt": "a" * 90, "max_tokens": 20}, "context is of 96"),
    "more tokens than the server gives": (COMPLETE, {"prompt": "a", "max_tokens": 41}, "at most 40"),
    "a negative number of tokens": (COMPLETE, {"prompt": "a", "max_tokens": -1}, "max_tokens"),
    "a number as text": (COMPLETE, {"prompt": "a", "temperature": "1"}, "temperature"),
    "a temperature that is no number": (COMPLETE, b'{"prompt": "a", "temperature": NaN}', "temperature"),
    "a temperature without end": (COMPLETE, b'{"prompt": "a", "temperature": 1e999}', "temperature"),
    "an empty stop string": (COMPLETE, {"prompt": "a", "stop": ""}, "stop"),
    "an empty stop string of several": (COMPLETE, {"prompt": "a", "stop": ["x", ""]}, "stop"),
    "an unknown field": (COMPLETE, {"prompt": "a", "wings": 2}, "wings"),
    "a penalty": (COMPLETE, {"prompt": "a", "presence_penalty": 0.5}, "presence_penalty"),
    "a bias": (COMPLETE, {"prompt": "a", "logit_bias": {"5": 1}}, "logit_bias"),
    "half a character": (COMPLETE, b'{"prompt": "\\ud800"}', "surrogate"),
    "half a character in a key": (COMPLETE, b'{"prompt": "a", "\\udc00": 1}', "surrogate"),
    "invalid JSON": (COMPLETE, b'{"prompt": ', "cannot be read as JSON"),
    "bytes": (COMPLETE, b"\xff\xfe\x00", ""),
    "a number of ten thousand digits": (COMPLETE, b'{"prompt": [' + b"9" * 10_000 + b"]}", ""),
    "brackets in brackets": (COMPLETE, b"[" * 9_000, ""),
    "a list": (COMPLETE, [], ""),
    "nothing": (COMPLETE, b"", ""),
    "many unknown fields": (COMPLETE, {f"f{number}": 0 for number in range(60)}, "60 fields"),
    "more samples than the queue holds": (COMPLETE, {"prompt": ["a", "b"], "n": 4}, "do not fit into the queue"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_client_is_one_clear_answer(server, fault):
    path, body, message = FAULTS[fault]
    status, answer = ask(server, path, body)
    assert status == (429 if "queue" in message else 400)
    assert message in answer["error"]["message"]
    assert len(answer["error"]["message"]) < 600
    # Words of a library's own say nothing to a client.
    assert "Value error" not in answer["error"]["message"]
    assert set(answer["error"]) == {"message", "type", "param", "code"}


def test_other_faults_have_their_own_status(server):
    for path, method, wanted in (("/v1/nothing", "GET", 404), (COMPLETE, "GET", 405)):
        status, answer = ask(server, path, method=method)
        assert status == wanted
        assert "error" in answer
    status, answer = ask(server, COMPLETE, {"prompt": "a", "model": "other"})
    assert (status, answer["error"]["code"]) == (404, "model_not_found")
    # A form, which a page of another site could send without asking.
    status, _ = ask(server, COMPLETE, {"prompt": "a"}, headers={"Content-Type": "text/plain"})
    assert status == 400


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_that_is_too_large_is_refused_at_once(server, chunked):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    body = b'{"prompt": "' + b"a" * 30_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    connection.request("POST", COMPLETE, iter([body]) if chunked else body, headers, encode_chunked=chunked)
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["code"] == "too_large"
    connection.close()


def test_a_model_without_a_template_completes_and_does_not_chat(live):
    loaded = live.loaded
    bare = type(loaded)(
        spec="bare", model=loaded.model, tokenizer=chat_tokenizer(template=False), digest=loaded.digest,
        parameters=loaded.parameters, origin="a test",
    )  # fmt: skip
    model = GenerationModel(loaded=bare, decoder=live.decoder, dtype=live.dtype, end_ids=live.end_ids)
    with BackgroundServer(model) as server:
        status, answer = ask(server, CHAT, {"messages": HI})
        assert status == 400
        assert "no chat template" in answer["error"]["message"]
        assert ask(server, COMPLETE, {"prompt": "a"})[0] == 200


def test_a_client_that_hangs_up_frees_its_slots(server):
    host, _, port = urlsplit(server.url).netloc.partition(":")
    for stream in (True, False):
        body = json.dumps({"prompt": ["a"] * 4, "max_tokens": 40, "temperature": 0, "stream": stream}).encode()
        with socket.create_connection((host, int(port))) as line:
            head = (
                f"POST {COMPLETE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            )
            line.sendall(f"{head}\r\n\r\n".encode() + body)
            while not ask(server, "/health", method="GET")[1]["running"]:
                pass
        deadline = time.monotonic() + 20
        while ask(server, "/health", method="GET")[1] != {"status": "ok", "running": 0, "waiting": 0}:
            assert time.monotonic() < deadline
    assert ask(server, COMPLETE, {"prompt": "a"})[0] == 200


def test_a_failure_of_the_computation_ends_what_runs_and_not_the_server(live, monkeypatch):
    with BackgroundServer(live, name="tiny") as server:
        wanted = ask(server, COMPLETE, {"prompt": "a", "temperature": 0})[1]["choices"]
        step = live.decoder.step

        def failing(tokens):
            monkeypatch.setattr(live.decoder, "step", step)
            raise RuntimeError("out of memory")

        monkeypatch.setattr(live.decoder, "step", failing)
        status, answer = ask(server, COMPLETE, {"prompt": "a", "temperature": 0})
        assert status == 500
        assert "out of memory" in answer["error"]["message"]
        assert ask(server, "/health", method="GET")[1] == {"status": "ok", "running": 0, "waiting": 0}
        assert ask(server, COMPLETE, {"prompt": "a", "temperature": 0})[1]["choices"] == wanted


def test_a_stream_that_fails_ends_with_an_error_of_its_own(live, monkeypatch):
    def failing(tokens):
        raise RuntimeError("out of memory")

    with BackgroundServer(live, name="tiny") as server:
        monkeypatch.setattr(live.decoder, "step", failing)
        status, text = ask(server, COMPLETE, {"prompt": "a", "temperature": 0, "stream": True})
    assert status == 200
    *_, error, end, _ = text.split("\n\n")
    assert "out of memory" in json.loads(error.removeprefix("data: "))["error"]["message"]
    assert end == "data: [DONE]"


def test_the_schema_names_streams_and_errors(live):
    with BackgroundServer(live) as server:
        schema = ask(server, "/openapi.json", method="GET")[1]
    answers = schema["paths"][COMPLETE]["post"]["responses"]
    assert set(answers["200"]["content"]) == {"application/json", "text/event-stream"}
    assert {"400", "401", "404", "408", "413", "429"} <= set(answers)


def test_a_client_that_never_finishes_its_request_is_given_up(live):
    with BackgroundServer(live, limits=ServerLimits(seconds=0.3)) as server:
        host, _, port = urlsplit(server.url).netloc.partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as line:
            line.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            assert b"408" in line.recv(100)
        assert ask(server, "/health", method="GET")[0] == 200


def test_metrics_count_what_was_done(live):
    with BackgroundServer(live, name="tiny") as server:
        ask(server, COMPLETE, {"prompt": "abc", "max_tokens": 2, "temperature": 0})
        ask(server, COMPLETE, {"prompt": ""})
        ask(server, "/v1/wings", method="GET")
        status, text = ask(server, "/metrics", method="GET")
    assert status == 200
    for line in (
        'shoal_requests_total{path="/v1/completions",status="200"} 1',
        'shoal_requests_total{path="/v1/completions",status="400"} 1',
        'shoal_requests_total{path="other",status="404"} 1',
        'shoal_generations_total{ending="length"} 1',
        'shoal_tokens_total{kind="prompt"} 3',
        'shoal_tokens_total{kind="completion"} 2',
        "shoal_slots 4",
        "shoal_first_token_seconds_count 1",
    ):
        assert line in text.splitlines()


def test_a_server_that_stops_answers_what_it_has_begun(live):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        with BackgroundServer(live) as server:
            asked = pool.submit(ask, server, COMPLETE, {"prompt": "a", "max_tokens": 40, "temperature": 0})
            while not ask(server, "/health", method="GET")[1]["running"] and not asked.done():
                pass
        assert asked.result()[0] == 200


def test_a_server_that_others_can_reach_needs_a_key():
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(UsageError, match="can be reached by others"):
            check_address(host, None)
        check_address(host, "a long random text")
    for host in ("127.0.0.1", "::1", "localhost"):
        check_address(host, None)
    with pytest.raises(UsageError, match="API key is empty"):
        check_address("127.0.0.1", " ")


@pytest.mark.parametrize("limits", [{"body_bytes": 0}, {"seconds": float("nan")}, {"tokens": 0}, {"waiting": -1}])
def test_limits_that_leave_no_room_are_refused(limits):
    with pytest.raises(UsageError, match="give a number of at least"):
        ServerLimits(**limits)
