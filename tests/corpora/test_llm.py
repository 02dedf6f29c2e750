"""Stories from an endpoint: scripted answers from a server of the test's own, on loopback."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace

import pytest

from endpoints import NEVER, serving
from shoal.cli.main import main
from shoal.corpora.llm import (
    Endpoint,
    Reply,
    UselessAnswerError,
    complete_all,
    estimate_cost,
    generate_all,
    make_prompts,
    read_record,
)
from shoal.errors import DataError, EndpointError, UnknownNameError, UsageError

pytest.importorskip("openai")


@pytest.fixture
def serve():
    with ExitStack() as servers:
        yield lambda *steps: servers.enter_context(serving(*steps))


def endpoint(url, waits=None, **settings):
    return Endpoint(url=url, model="m", sleep=(waits if waits is not None else []).append, **settings)


def test_every_prompt_is_answered_once_and_kept(serve, tmp_path):
    url, script = serve("echo")
    prompts = make_prompts(6, seed=1, features=["dialogue"])
    rows, doubles = generate_all(prompts, endpoint(url), tmp_path / "r.jsonl")
    assert [row["text"] for row in rows] == [prompt.text for prompt in prompts]
    assert doubles == 0
    assert len(script.requests) == 6
    assert all("quotation marks" in request["messages"][0]["content"] for request in script.requests)


def test_a_second_run_asks_only_what_is_missing(serve, tmp_path):
    url, script = serve("echo")
    prompts = make_prompts(8, seed=1)
    generate_all(prompts[:5], endpoint(url), tmp_path / "r.jsonl")
    rows, _ = generate_all(prompts, endpoint(url), tmp_path / "r.jsonl")
    assert len(script.requests) == 8
    assert len(rows) == 8


def test_a_request_that_comes_twice_is_asked_once(serve, tmp_path):
    url, script = serve("echo")
    first, second = make_prompts(2, seed=1)
    told = []
    known = complete_all(
        [first, second, first],
        endpoint(url),
        tmp_path / "r.jsonl",
        fields=lambda one: {},
        progress=lambda *now: told.append(now),
    )
    assert len(script.requests) == len(known) == 2
    assert told[-1] == ("stories", 3, 3)


def test_a_record_cut_short_by_a_kill_loses_its_last_line_alone(serve, tmp_path):
    url, script = serve("echo")
    prompts, record = make_prompts(4, seed=1), tmp_path / "r.jsonl"
    generate_all(prompts, endpoint(url), record)
    record.write_bytes(record.read_bytes()[:-20])
    rows, _ = generate_all(prompts, endpoint(url), record)
    assert len(script.requests) == 5
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("text", "kept"), [("A day. \ud83d", "A day. \ufffd"), ("\ude00 day", "\ufffd day"), ("\ud83d\ude00", "\U0001f600")]
)
def test_half_of_a_surrogate_pair_in_an_answer_is_no_character(serve, tmp_path, text, kept):
    """A server that ends an answer within a character may send one, and no record could hold it."""
    url, _ = serve(text)
    rows, _ = generate_all(make_prompts(1, seed=1), endpoint(url), tmp_path / "r.jsonl")
    assert [row["text"] for row in rows] == [kept]
    assert [row["text"] for row in read_record(tmp_path / "r.jsonl").values()] == [kept]


ROW = {"key": "k", "model": "m", "text": "日"}
LINE = json.dumps(ROW, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("end", "kept"),
    [
        (LINE, LINE + b"\n"),  # whole but for its end
        (LINE[:-3], b""),  # within a character
        (LINE[:1], b""),
        (b"", b""),
    ],
)
def test_the_next_answer_of_a_record_has_a_line_of_its_own(tmp_path, end, kept):
    record = tmp_path / "r.jsonl"
    first = json.dumps({"key": "a", "text": "é"}).encode() + b"\n"
    record.write_bytes(first + end)
    answers = read_record(record, "m")
    assert record.read_bytes() == first + kept
    assert answers == {"a": {"key": "a", "text": "é"}} | ({"k": ROW} if kept else {})


@pytest.mark.parametrize("text", ["my notes", "a,b\n1,2", '{"key": "a"}', '[{"key": "a", "text": "b"}]', '"key text"'])
def test_a_file_that_is_no_record_is_left_as_it_is(tmp_path, text):
    record = tmp_path / "notes.txt"
    record.write_text(text)
    with pytest.raises(DataError, match=r"notes\.txt, line 1"):
        read_record(record)
    assert record.read_text() == text


def test_equal_answers_are_given_out_once(serve, tmp_path):
    url, _ = serve("One day.", "ONE  day.", "Two days.")
    rows, doubles = generate_all(make_prompts(3, seed=1), endpoint(url), tmp_path / "r.jsonl", workers=1)
    assert [row["text"] for row in rows] == ["One day.", "Two days."]
    assert doubles == 1


def test_an_answer_in_a_record_counts_for_the_model_that_gave_it_alone(serve, tmp_path):
    url, script = serve("One.", "Two.", "Three.", "Four.")
    record, prompts = tmp_path / "r.jsonl", make_prompts(2, seed=1)
    other = replace(endpoint(url), model="another")
    first, _ = generate_all(prompts, endpoint(url), record, workers=1)
    second, _ = generate_all(prompts, other, record, workers=1)
    assert {row["model"] for row in first} == {"m"}
    assert {row["model"] for row in second} == {"another"}
    assert generate_all(prompts, endpoint(url), record) == (first, 0)
    assert generate_all(prompts, other, record) == (second, 0)
    assert len(script.requests) == 4


@pytest.mark.parametrize("rude", [500, 503, 429, b"<html>busy</html>", b'{"choices": []}', "", b"{"])
def test_a_rude_endpoint_is_asked_again_with_longer_waits(serve, tmp_path, rude):
    url, script = serve(rude, rude, rude, "A story.")
    waits = []
    rows, _ = generate_all(make_prompts(1, seed=1), endpoint(url, waits), tmp_path / "r.jsonl")
    assert rows[0]["text"] == "A story."
    assert len(script.requests) == 4
    assert [1 <= wait / 2**place <= 1.5 for place, wait in enumerate(waits)] == [True] * 3


def test_a_slow_endpoint_is_asked_again(serve, tmp_path):
    url, _ = serve(NEVER, "A story.")
    rows, _ = generate_all(make_prompts(1, seed=1), endpoint(url, timeout=0.5), tmp_path / "r.jsonl")
    assert rows[0]["text"] == "A story."


def test_an_endpoint_that_stays_rude_is_an_error_and_what_was_answered_is_kept(serve, tmp_path):
    url, _ = serve("A story.", 500)
    record = tmp_path / "r.jsonl"
    with pytest.raises(EndpointError, match=r"no usable answer in 3 tries \(status 500\)"):
        generate_all(make_prompts(3, seed=1), endpoint(url, max_attempts=3), record, workers=1)
    assert len(record.read_text().splitlines()) == 1


def test_a_refusal_is_not_asked_again(serve, tmp_path):
    url, script = serve(401)
    with pytest.raises(EndpointError, match="refuses the request with status 401"):
        generate_all(make_prompts(1, seed=1), endpoint(url), tmp_path / "r.jsonl")
    assert len(script.requests) == 1


def test_an_endpoint_that_is_gone_is_an_error(serve, tmp_path):
    with pytest.raises(EndpointError, match="no usable answer in 2 tries"):
        generate_all(make_prompts(1, seed=1), endpoint("http://127.0.0.1:9/v1", max_attempts=2), tmp_path / "r.jsonl")


def test_a_broken_record_and_a_wrong_address_are_errors(tmp_path):
    for text, message in [
        ("no json\n", r"r.jsonl, line 1: broken JSON at place 1 .*; move the file away to start again"),
        ('{"key": "a", "text": "b"}\n{"key": "c"}\n', "r.jsonl, line 2 is no answer of a model; move the file away"),
        ("[1]\n", "r.jsonl, line 1 is no answer of a model"),
    ]:
        (tmp_path / "r.jsonl").write_text(text)
        with pytest.raises(DataError, match=message):
            generate_all(make_prompts(1, seed=1), endpoint("http://x"), tmp_path / "r.jsonl")
    with pytest.raises(UsageError, match="is no endpoint"):
        generate_all(make_prompts(1, seed=1), endpoint("localhost:80"), tmp_path / "new.jsonl")
    with pytest.raises(UnknownNameError):
        make_prompts(1, seed=0, features=["jokes"])


def test_the_cost_is_tokens_times_prices():
    cost = estimate_cost(["a" * 400] * 10, price_in=2.0, price_out=8.0, max_tokens=500, typical_tokens=100)
    assert (cost.tokens_in, cost.tokens_out) == (1000, 1000)
    assert cost.money == pytest.approx(0.01)
    assert cost.max_money == pytest.approx((1000 * 2 + 5000 * 8) / 1e6)
    assert "about 0.01 and at most 0.04 at" in str(cost)
    little = estimate_cost(["a" * 400], price_in=2.0, price_out=0.0, max_tokens=500)
    assert "about 0.0002 and at most 0.0002 at" in str(little)


@pytest.mark.parametrize("price", [-1.0, float("nan"), float("inf")])
def test_a_price_that_is_none_is_refused_before_anything_is_asked(price):
    with pytest.raises(UsageError, match=r"--price-out is .*; give the price"):
        estimate_cost(["a"], price_in=0.0, price_out=price, max_tokens=500)


def test_the_verb_says_the_cost_and_asks_nothing_without_consent(serve, tmp_path, capsys):
    url, script = serve("echo")
    out = tmp_path / "s.jsonl"
    words = [
        "stories",
        "--endpoint",
        url,
        "--endpoint-model",
        "m",
        "--count",
        "3",
        "--out",
        str(out),
        "--price-out",
        "10",
    ]
    with pytest.raises(SystemExit):
        main(words)
    said = capsys.readouterr().err
    assert "3 prompts: about" in said
    assert "give --yes" in said
    assert script.requests == []
    main([*words, "--yes"])
    assert len(out.read_text().splitlines()) == 3
    assert "0 duplicates dropped" in capsys.readouterr().out


def test_a_completion_brings_its_text_and_tokens(serve):
    url, script = serve(" A story. ")
    server = endpoint(url, temperature=0.3, max_tokens=77)
    found = server.complete(server.client(), "Write.")
    assert found == Reply(text="A story.", tokens_in=60, tokens_out=7)
    (request,) = script.requests
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("m", 0.3, 77)
    assert request["messages"] == [{"role": "user", "content": "Write."}]
    assert "response_format" not in request


def test_a_schema_is_sent_and_a_refusal_mentions_it(serve):
    url, script = serve("A story.", 400)
    server = endpoint(url, schema={"type": "object"})
    server.complete(server.client(), "Write.")
    assert script.requests[0]["response_format"]["json_schema"]["schema"] == {"type": "object"}
    with pytest.raises(EndpointError, match="perhaps it cannot hold answers to a JSON schema"):
        server.complete(server.client(), "Write.")


def test_a_useless_answer_is_repeated_at_once_and_at_the_retry_temperature(serve):
    url, script = serve("no", "no", "yes")
    waits = []
    server = endpoint(url, waits, temperature=0.0, retry_temperature=0.7)

    def check(text):
        if text != "yes":
            raise UselessAnswerError("not yes")

    assert server.complete(server.client(), "Write.", check).text == "yes"
    assert [request["temperature"] for request in script.requests] == [0.0, 0.7, 0.7]
    assert waits == []


def test_answers_that_stay_useless_are_recorded_with_the_reason(serve, tmp_path):
    url, script = serve("no")
    prompts, record = make_prompts(2, seed=1), tmp_path / "r.jsonl"

    def check(text):
        raise UselessAnswerError(f"{text} is no story")

    told = []
    for _ in range(2):
        rows = complete_all(
            prompts,
            endpoint(url, max_attempts=3),
            record,
            fields=lambda prompt: {"words": list(prompt.words)},
            check=check,
            workers=1,
            progress=lambda *state: told.append(state),
            what="judge",
        )
        assert len(script.requests) == 6
    assert [rows[prompt.key]["useless"] for prompt in prompts] == ["no is no story"] * 2
    assert [rows[prompt.key]["words"] for prompt in prompts] == [list(prompt.words) for prompt in prompts]
    assert told == [("judge", 1, 2), ("judge", 2, 2)]


def test_the_key_comes_from_the_environment(serve, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert endpoint("http://127.0.0.1:9/v1").client().api_key == "secret"
    monkeypatch.delenv("OPENAI_API_KEY")
    assert endpoint("http://127.0.0.1:9/v1").client().api_key == "none"
