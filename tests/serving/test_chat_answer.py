"""A conversation is read by the model's own template."""

from __future__ import annotations

import pytest

from chat_models import chat_tokenizer
from shoal.errors import TooLongError, UsageError
from shoal.models.generation import encode_chat, render_chat, turn_end_ids
from shoal.serving import GenerationSettings, chat, generate

SHORT = GenerationSettings(max_tokens=5)


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
