"""A request is read by OpenAI's protocol, and what would change the text and is not served is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from shoal.serving.server.requests import ChatCompletionRequest, ChatMessage, CompletionRequest

HI = [{"role": "user", "content": "hi"}]


def completion(**fields):
    return CompletionRequest.model_validate({"prompt": "a", **fields})


def conversation(**fields):
    return ChatCompletionRequest.model_validate({"messages": HI, **fields})


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("a", ["a"]),
        ("", [""]),
        ([5, 6], [[5, 6]]),
        (["a", "b"], ["a", "b"]),
        ([[5], [6, 7]], [[5], [6, 7]]),
        (["é", "日本"], ["é", "日本"]),
        ([0], [[0]]),
    ],
)
def test_a_prompt_is_one_text_or_several_or_ids(prompt, wanted):
    assert CompletionRequest.model_validate({"prompt": prompt}).prompts == wanted


@pytest.mark.parametrize(("prompt", "kept"), [(["a"] * 128, 128), ([[1]] * 128, 128), ([1] * 129, 1)])
def test_as_many_prompts_as_the_protocol_allows_are_read(prompt, kept):
    assert len(CompletionRequest.model_validate({"prompt": prompt}).prompts) == kept


@pytest.mark.parametrize(
    "prompt",
    [None, [], [[]], [[1], []], ["a", 1], [1, "a"], [1.0], [True], {"a": 1}, ["a"] * 129, [[1]] * 129, [["a"]], 7],
)
def test_a_prompt_that_is_neither_text_nor_ids_is_refused(prompt):
    with pytest.raises(ValidationError) as fault:
        CompletionRequest.model_validate({"prompt": prompt})
    assert {error["loc"][0] for error in fault.value.errors()} == {"prompt"}


def test_what_a_client_leaves_out_is_the_default_of_the_protocol():
    settings = completion(seed=3).settings()
    assert settings.to_dict() == {
        "max_tokens": 16,
        "sampling": {"temperature": 1.0, "top_p": 1.0, "top_k": None, "seed": 3},
        "stop": [],
        "logprobs": None,
        "echo": False,
    }


@pytest.mark.parametrize("field", ["temperature", "top_p", "n", "stream", "echo", "max_tokens"])
def test_null_is_what_is_left_out(field):
    assert completion(seed=0, **{field: None}) == completion(seed=0)


@pytest.mark.parametrize(
    "fields",
    [
        {"frequency_penalty": 0},
        {"presence_penalty": 0.0},
        {"logit_bias": {}},
        {"suffix": ""},
        {"suffix": None},
        {"best_of": 1},
        {"user": "somebody"},
        {"stop": []},
        {"stop": None},
        {"stream_options": None},
    ],
)
def test_fields_that_change_nothing_are_taken(fields):
    assert completion(seed=0, **fields).settings() == completion(seed=0).settings()


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"frequency_penalty": 0.1}, "frequency_penalty"),
        ({"presence_penalty": -0.1}, "presence_penalty"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
        ({"suffix": "b"}, "suffix"),
        ({"best_of": 2}, "best_of"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": 100.1}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": 1.5}, "top_k"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"n": 0}, "n"),
        ({"n": 17}, "n"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 2.5}, "max_tokens"),
        ({"logprobs": 21}, "logprobs"),
        ({"logprobs": -1}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"echo": 1}, "echo"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": 1}}, "stream_options"),
        ({"stream_options": {"other": True}}, "stream_options"),
        ({"stop": ""}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": "a" * 1001}, "stop"),
        ({"stop": ["a"] * 17}, "stop"),
        ({"stop": 1}, "stop"),
        ({"model": "a" * 1001}, "model"),
        ({"user": "a" * 1001}, "user"),
        ({"tools": []}, "tools"),
        ({"messages": HI}, "messages"),
        ({"wings": 2}, "wings"),
    ],
)
def test_a_field_that_cannot_be_served_is_named(fields, place):
    with pytest.raises(ValidationError) as fault:
        completion(**fields)
    assert {error["loc"][0] for error in fault.value.errors()} == {place}


@pytest.mark.parametrize(
    ("fields", "edge"),
    [
        ({"temperature": 0}, ("temperature", 0)),
        ({"temperature": 100}, ("temperature", 100)),
        ({"top_p": 1}, ("top_p", 1)),
        ({"top_k": 1}, ("top_k", 1)),
        ({"seed": 0}, ("seed", 0)),
        ({"seed": 2**63 - 1}, ("seed", 2**63 - 1)),
    ],
)
def test_the_edges_of_a_range_belong_to_it(fields, edge):
    name, value = edge
    assert getattr(completion(**fields).settings().sampling, name) == value


def test_a_seed_is_drawn_where_none_is_given():
    drawn = {completion().settings().sampling.seed for _ in range(20)}
    # A client that reads numbers as float64 sends the same seed back.
    assert all(seed == int(float(seed)) and seed < 2**53 for seed in drawn)
    assert len(drawn) == 20
    assert all(0 <= seed < 2**63 for seed in drawn)


@pytest.mark.parametrize(
    ("stop", "wanted"),
    [("x", ("x",)), (["x", "y", "x"], ("x", "y")), (["\n\n", "日"], ("\n\n", "日")), (["a"] * 16, ("a",))],
)
def test_stop_strings_are_each_there_once(stop, wanted):
    assert completion(stop=stop).settings().stop == wanted
    assert conversation(stop=stop).settings(5).stop == wanted


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ({"role": "user", "content": "hi"}, {"role": "user", "content": "hi"}),
        ({"role": "developer", "content": "be brief"}, {"role": "system", "content": "be brief"}),
        ({"role": "system", "content": "s", "name": "n"}, {"role": "system", "content": "s"}),
        ({"role": "assistant", "content": ""}, {"role": "assistant", "content": ""}),
        ({"role": "user", "content": []}, {"role": "user", "content": ""}),
        (
            {"role": "user", "content": [{"type": "text", "text": "日"}, {"type": "text", "text": "本"}]},
            {"role": "user", "content": "日本"},
        ),
    ],
)
def test_a_message_is_what_templates_take(given_, wanted):
    assert ChatMessage.model_validate(given_).to_dict() == wanted


@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "content": "a"},
        {"role": "user"},
        {"content": "a"},
        {"role": "user", "content": None},
        {"role": "user", "content": "a", "tool_calls": []},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
        {"role": "user", "content": [{"type": "text"}]},
        {"role": "user", "content": ["a"]},
        {"role": "user", "content": [{"type": "text", "text": "a"}] * 1001},
        {"role": "user", "content": "a", "name": "n" * 1001},
    ],
)
def test_a_message_that_is_no_text_of_a_known_role_is_refused(message):
    with pytest.raises(ValidationError):
        conversation(messages=[message])


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, 77),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6}, 6),
        ({"max_tokens": 5, "max_completion_tokens": 6}, 6),
        ({"max_tokens": 500}, 500),
    ],
)
def test_the_newer_name_of_the_limit_goes_before_the_older_one(fields, wanted):
    assert conversation(**fields).settings(77).max_tokens == wanted


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, None),
        ({"logprobs": False}, None),
        ({"logprobs": True}, 0),
        ({"logprobs": True, "top_logprobs": 0}, 0),
        ({"logprobs": True, "top_logprobs": 20}, 20),
    ],
)
def test_log_probabilities_of_chat_are_a_flag_and_a_count(fields, wanted):
    settings = conversation(**fields).settings(5)
    assert settings.logprobs == wanted
    assert settings.echo is False


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"top_logprobs": 3}, "top_logprobs needs logprobs to be true"),
        ({"logprobs": False, "top_logprobs": 3}, "top_logprobs needs logprobs to be true"),
        ({"logprobs": True, "top_logprobs": 21}, "less than or equal to 20"),
        ({"logprobs": 1}, "valid boolean"),
        ({"max_tokens": 0}, "greater than or equal to 1"),
        ({"messages": []}, "at least 1 item"),
        ({"response_format": {"type": "json_object"}}, "'text'"),
        ({"tools": [{"type": "function"}]}, "at most 0 items"),
        ({"echo": True}, "Extra inputs"),
        ({"prompt": "a"}, "Extra inputs"),
    ],
)
def test_a_conversation_that_cannot_be_served_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        conversation(**fields)


def test_plain_text_is_the_one_form_of_an_answer():
    assert conversation(seed=1, response_format={"type": "text"}, tools=[]).settings(4) == conversation(
        seed=1
    ).settings(4)


@pytest.mark.parametrize(
    "raw",
    [
        '{"prompt": "\\ud800"}',
        '{"prompt": ["a", "x\\udfff"]}',
        '{"prompt": "a", "\\udc00": 1}',
        '{"prompt": "a", "stop": ["\\ud83d"]}',
        '{"prompt": "a", "deep": {"er": [[{"\\ud800": 0}]]}}',
    ],
)
def test_half_a_character_is_refused_wherever_it_stands(raw):
    with pytest.raises(ValidationError, match="half of a surrogate pair, which is no character"):
        CompletionRequest.model_validate(json.loads(raw))


def test_a_whole_pair_is_a_character():
    assert CompletionRequest.model_validate(json.loads('{"prompt": "\\ud83d\\ude00"}')).prompts == ["😀"]


def test_too_many_fields_are_one_fault():
    with pytest.raises(ValidationError) as fault:
        completion(**{f"field{number}": "x" * 1000 for number in range(50)})
    (error,) = fault.value.errors()
    assert error["msg"] == "Value error, there are 51 fields; expected at most 50"


@given(
    temperature=st.floats(0, 100),
    top_p=st.floats(0, 1, exclude_min=True),
    top_k=st.none() | st.integers(1, 10**6),
    seed=st.integers(0, 2**63 - 1),
    logprobs=st.none() | st.integers(0, 20),
    max_tokens=st.integers(0, 10**9),
    echo=st.booleans(),
)
def test_what_is_given_is_what_the_settings_hold(temperature, top_p, top_k, seed, logprobs, max_tokens, echo):
    asked = {"temperature": temperature, "top_p": top_p, "top_k": top_k, "seed": seed}
    settings = completion(**asked, logprobs=logprobs, max_tokens=max_tokens, echo=echo).settings().to_dict()
    assert settings == {
        "max_tokens": max_tokens,
        "sampling": asked,
        "stop": [],
        "logprobs": logprobs,
        "echo": echo,
    }
