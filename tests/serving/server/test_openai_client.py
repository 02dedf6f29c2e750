"""The client of OpenAI gets from the server what `generate` gives, whole and streamed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shoal.models.generation import TokenSampling
from shoal.serving import GenerationSettings, generate, load_for_generation
from shoal.serving.server import BackgroundServer

openai = pytest.importorskip("openai")
KEY = "a key"


@pytest.fixture(scope="module")
def server(chat_folder):
    # A model of its own: a decoder serves one engine at a time, and the tests generate while the server may still work.
    served = load_for_generation(str(chat_folder), rows=4)
    with BackgroundServer(served, name="tiny", api_key=KEY) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def settings(**changes):
    sampling = TokenSampling(temperature=0.8, top_p=0.9, seed=5)
    return GenerationSettings(**{"max_tokens": 6, "sampling": sampling, **changes})


ASKED = {"model": "tiny", "max_tokens": 6, "temperature": 0.8, "top_p": 0.9, "seed": 5}
MESSAGES = [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]


def test_the_model_is_listed(client):
    (model,) = client.models.list().data
    assert model.id == client.models.retrieve("tiny").id == "tiny"
    with pytest.raises(openai.NotFoundError, match="there is no model 'other'"):
        client.models.retrieve("other")


def test_completions_are_those_of_generate(client, live):
    found = client.completions.create(prompt=["a", "bcd"], n=2, **ASKED)
    wanted = generate(live, ["a", "bcd"], settings(), samples=2).texts
    assert [choice.text for choice in found.choices] == [text.text for text in wanted]
    assert [choice.index for choice in found.choices] == [0, 1, 2, 3]
    assert found.usage.completion_tokens == sum(len(text.ids) for text in wanted)
    assert found.usage.prompt_tokens == 4
    assert found.settings == settings().to_dict()
    by_ids = client.completions.create(prompt=[live.encode("a"), live.encode("bcd")], n=2, **ASKED)
    assert [choice.text for choice in by_ids.choices] == [text.text for text in wanted]


def test_chat_is_that_of_the_template(client, live):
    found = client.chat.completions.create(messages=MESSAGES, **ASKED)
    (wanted,) = generate(live, [MESSAGES], settings()).texts
    assert found.choices[0].message.content == wanted.text
    assert found.choices[0].finish_reason == wanted.finish_reason
    parts = [{"role": "developer", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    again = client.chat.completions.create(messages=parts, **ASKED)
    assert again.choices[0].message.content == wanted.text


def test_streams_are_the_whole_in_pieces(client, live):
    chunks = list(client.chat.completions.create(messages=MESSAGES, stream=True, n=2, **ASKED))
    wanted = generate(live, [MESSAGES], settings(), samples=2).texts
    for index, text in enumerate(wanted):
        own = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
        assert own[0].delta.role == "assistant"
        assert "".join(choice.delta.content for choice in own) == text.text
        assert [choice.finish_reason for choice in own if choice.finish_reason] == [text.finish_reason]
    counted = list(client.completions.create(prompt="a", stream=True, stream_options={"include_usage": True}, **ASKED))
    assert counted[-1].usage.completion_tokens == len(generate(live, ["a"], settings()).texts[0].ids)


def test_echo_and_log_probabilities_are_those_of_the_model(client, live):
    asked = {"model": "tiny", "prompt": [live.encode("hello")], "max_tokens": 1, "temperature": 0}
    found = client.completions.create(echo=True, logprobs=2, **asked).choices[0]
    (wanted,) = generate(live, ["hello"], GenerationSettings(max_tokens=1, logprobs=2, echo=True)).texts
    every = [*wanted.prompt_logprobs, *wanted.logprobs]
    assert found.text == "hello" + wanted.text
    assert found.logprobs.token_logprobs == [token.logprob for token in every]
    assert found.logprobs.top_logprobs[0] is None
    for token, top in zip(every[1:], found.logprobs.top_logprobs[1:], strict=True):
        # What lm-eval takes for greedy: no token is likelier.
        assert (token.logprob == max(top.values())) == (token.id == token.top[0][0])
    assert found.logprobs.text_offset == [0, 1, 2, 3, 4, 5]
    (streamed,) = [
        chunk.choices[0]
        for chunk in client.completions.create(echo=True, logprobs=2, stream=True, **asked)
        if len(chunk.choices[0].logprobs.tokens) > 1
    ]
    assert streamed.text == "hello"
    assert streamed.logprobs.token_logprobs == found.logprobs.token_logprobs[:-1]
    nothing = client.completions.create(echo=True, logprobs=0, **{**asked, "max_tokens": 0}).choices[0]
    assert nothing.text == "hello"
    assert nothing.logprobs.token_logprobs == found.logprobs.token_logprobs[:-1]


def test_chat_gives_log_probabilities(client, live):
    found = client.chat.completions.create(messages=MESSAGES, logprobs=True, top_logprobs=3, **ASKED).choices[0]
    (wanted,) = generate(live, [MESSAGES], settings(logprobs=3)).texts
    assert [token.logprob for token in found.logprobs.content] == [token.logprob for token in wanted.logprobs]
    assert [len(token.top_logprobs) for token in found.logprobs.content] == [3] * len(wanted.logprobs)


def test_answers_do_not_depend_on_what_is_asked_at_the_same_time(client, live):
    prompts = [f"prompt {number}" for number in range(24)]
    wanted = [generate(live, [prompt], settings(logprobs=0)).texts[0] for prompt in prompts]

    def ask(prompt):
        return client.completions.create(prompt=prompt, logprobs=0, **ASKED).choices[0]

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(ask, prompts))
    assert [choice.text for choice in found] == [text.text for text in wanted]
    # To the last bit.
    assert [choice.logprobs.token_logprobs for choice in found] == [
        [token.logprob for token in text.logprobs] for text in wanted
    ]


def test_a_stop_string_ends_the_answer(client, live):
    whole = generate(live, ["a"], settings()).texts[0].text
    found = client.completions.create(prompt="a", stop=[whole[2]], **ASKED).choices[0]
    assert found.text == whole[: whole.index(whole[2])]
    assert found.finish_reason == "stop"


def test_an_answer_without_a_seed_names_the_seed_that_gives_it_again(client):
    asked = {name: value for name, value in ASKED.items() if name != "seed"}
    found = client.completions.create(prompt="a", **asked)
    seed = found.settings["sampling"]["seed"]
    assert client.completions.create(prompt="a", seed=seed, **asked).choices[0].text == found.choices[0].text


def test_a_wrong_key_is_refused(server):
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="another", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError, match="API key is missing or wrong"),
    ):
        stranger.models.list()
