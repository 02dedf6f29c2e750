"""Responses have the form of OpenAI's protocol, whole and in chunks."""

from __future__ import annotations

import itertools
import math

import pytest

from shoal.models.generation import TokenSampling
from shoal.serving import GeneratedText, GenerationSettings, Piece, TokenLogProb
from shoal.serving.server.responses import ChatForm, CompletionForm, usage
from tiny_models import byte_tokenizer

SAMPLED = TokenSampling(seed=4)


@pytest.fixture(scope="module")
def tokenizer():
    return byte_tokenizer()


def form_of(kind, tokenizer, **settings):
    made = GenerationSettings(sampling=SAMPLED, **settings)
    # Without ids before them, texts and places begin at the choice itself.
    return kind(model="tiny", fingerprint="f-float32", settings=made, tokenizer=tokenizer, prompts=((),) * 8)


def text_of(tokenizer, text, *, sample=0, prompt_tokens=3, **more):
    return GeneratedText(
        text=text,
        ids=tuple(tokenizer.encode(text)),
        finish_reason="length",
        stop=None,
        prompt_tokens=prompt_tokens,
        settings=GenerationSettings(),
        sample=sample,
        **more,
    )


def tokens_of(tokenizer, text, *, first=-1.0):
    """A token per byte, each with itself and one other as the most likely."""
    ids = tokenizer.encode(text)
    return tuple(
        TokenLogProb(
            id=id_,
            text=tokenizer.decode([id_]),
            logprob=first - place,
            top=((7, "z", -0.5), (id_, tokenizer.decode([id_]), first - place)),
        )
        for place, id_ in enumerate(ids)
    )


@pytest.mark.parametrize(
    ("kind", "object_", "chunk", "prefix"),
    [
        (CompletionForm, "text_completion", "text_completion", "cmpl-"),
        (ChatForm, "chat.completion", "chat.completion.chunk", "chatcmpl-"),
    ],
)
def test_a_response_names_itself(tokenizer, kind, object_, chunk, prefix):
    form = form_of(kind, tokenizer, max_tokens=9)
    whole = form.whole([text_of(tokenizer, "ab")], ["p"])
    piece = form.chunk([], usage=None)
    assert (whole["object"], piece["object"]) == (object_, chunk)
    assert whole["id"] == piece["id"]
    assert whole["id"].startswith(prefix)
    assert {whole["model"], piece["model"]} == {"tiny"}
    assert whole["system_fingerprint"] == "f-float32"
    assert whole["settings"] == form.settings.to_dict()
    assert piece["choices"] == []
    assert piece["usage"] is None
    assert form_of(kind, tokenizer).id != form.id


@pytest.mark.parametrize(("echo", "wanted"), [(False, ["ab", "é"]), (True, ["one ab", "two é"])])
def test_a_prompt_stands_before_the_text_where_it_is_echoed(tokenizer, echo, wanted):
    form = form_of(CompletionForm, tokenizer, echo=echo)
    whole = form.whole([text_of(tokenizer, "ab"), text_of(tokenizer, "é")], ["one ", "two "])
    assert [choice["text"] for choice in whole["choices"]] == wanted
    assert [choice["index"] for choice in whole["choices"]] == [0, 1]
    assert [choice["logprobs"] for choice in whole["choices"]] == [None, None]
    assert {choice["finish_reason"] for choice in whole["choices"]} == {"length"}


def test_as_many_prompts_as_results_are_needed(tokenizer):
    with pytest.raises(ValueError, match="shorter"):
        form_of(CompletionForm, tokenizer).whole([text_of(tokenizer, "a")], [])


def test_a_prompt_counts_once_however_many_samples_it_has(tokenizer):
    results = [
        text_of(tokenizer, "ab", sample=0, prompt_tokens=5),
        text_of(tokenizer, "abc", sample=1, prompt_tokens=5),
        text_of(tokenizer, "a", sample=0, prompt_tokens=7),
        text_of(tokenizer, "", sample=1, prompt_tokens=7),
    ]
    assert usage(results) == {"prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18}
    assert usage([]) == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def test_tokens_stand_with_their_places_in_the_text(tokenizer):
    form = form_of(CompletionForm, tokenizer, logprobs=2)
    found = form.choice(0, text_of(tokenizer, "abc", logprobs=tokens_of(tokenizer, "abc")), "")["logprobs"]
    assert found["tokens"] == ["a", "b", "c"]
    assert found["token_logprobs"] == [-1, -2, -3]
    assert found["text_offset"] == [0, 1, 2]
    assert found["top_logprobs"] == [{"a": -1, "z": -0.5}, {"b": -2, "z": -0.5}, {"c": -3, "z": -0.5}]


def test_a_character_of_several_tokens_moves_the_place_once(tokenizer):
    form = form_of(CompletionForm, tokenizer, logprobs=0)
    tokens = tokens_of(tokenizer, "aéb")
    assert len(tokens) == 4
    found = form.choice(0, text_of(tokenizer, "aéb", logprobs=tokens), "")["logprobs"]
    # The two bytes of é begin at one place; what follows stands behind one character.
    assert found["text_offset"] == [0, 1, 1, 2]


def test_the_first_token_of_an_echoed_prompt_has_no_probability(tokenizer):
    form = form_of(CompletionForm, tokenizer, logprobs=1, echo=True)
    first = TokenLogProb(id=tokenizer.encode("p")[0], text="p", logprob=None)
    result = text_of(tokenizer, "a", prompt_logprobs=(first,), logprobs=tokens_of(tokenizer, "a"))
    choice = form.choice(0, result, "p")
    assert choice["text"] == "pa"
    assert choice["logprobs"] == {
        "tokens": ["p", "a"],
        "token_logprobs": [None, -1.0],
        "top_logprobs": [None, {"a": -1.0, "z": -0.5}],
        "text_offset": [0, 1],
    }


def test_of_two_tokens_of_one_text_the_likelier_one_stands(tokenizer):
    form = form_of(CompletionForm, tokenizer, logprobs=3)
    token = TokenLogProb(id=1, text="x", logprob=-4.0, top=((2, "x", -0.1), (3, "y", -0.2), (4, "y", -0.3)))
    (top,) = form.choice(0, text_of(tokenizer, "a", logprobs=(token,)), "")["logprobs"]["top_logprobs"]
    assert top == {"x": -0.1, "y": -0.2}


@pytest.mark.parametrize("text", ["a", "é", "日", " a\n", "\x00\x7f"])
def test_tokens_of_chat_stand_with_their_bytes(tokenizer, text):
    form = form_of(ChatForm, tokenizer, logprobs=1)
    tokens = [
        TokenLogProb(id=id_, text=f"token {id_}", logprob=-0.25, top=((id_, f"token {id_}", -0.25),))
        for id_ in tokenizer.encode(text)
    ]
    found = form.choice(0, text_of(tokenizer, text, logprobs=tokens), "")["logprobs"]["content"]
    # Together they are the text, although none of a character's tokens is a character.
    assert bytes(byte for one in found for byte in one["bytes"]) == text.encode()
    own = {"token": tokens[0].text, "logprob": -0.25, "bytes": list(text.encode()[:1])}
    assert found[0] == {**own, "top_logprobs": [own]}


def test_a_conversation_is_not_echoed(tokenizer):
    choice = form_of(ChatForm, tokenizer).choice(3, text_of(tokenizer, "yes"), "the prompt")
    assert choice == {
        "index": 3,
        "message": {"role": "assistant", "content": "yes", "refusal": None},
        "logprobs": None,
        "finish_reason": "length",
    }


def test_a_stream_of_chat_begins_with_the_role_and_one_of_completions_with_nothing(tokenizer):
    assert form_of(CompletionForm, tokenizer).opening(0) is None
    opening = form_of(ChatForm, tokenizer, logprobs=2).opening(4)
    assert opening == {
        "index": 4,
        "delta": {"role": "assistant", "content": ""},
        "logprobs": None,
        "finish_reason": None,
    }


@pytest.mark.parametrize("logprobs", [None, 1])
def test_pieces_together_are_the_whole(tokenizer, logprobs):
    text, cuts = "añ日b", [0, 1, 2, 3, 4]
    form, chat = (form_of(kind, tokenizer, logprobs=logprobs) for kind in (CompletionForm, ChatForm))
    result = text_of(tokenizer, text, logprobs=tokens_of(tokenizer, text) if logprobs else ())
    pieces, place = [], 0
    for start, stop in itertools.pairwise(cuts):
        part = text[start:stop]
        count = len(tokenizer.encode(part))
        last = result if stop == len(text) else None
        own = result.logprobs[place : place + count]
        pieces.append(Piece(text=part, logprobs=own, result=last))
        place += count
    chunks = [form.piece(0, piece, "") for piece in pieces]
    whole = form.choice(0, result, "")
    assert "".join(chunk["text"] for chunk in chunks) == whole["text"]
    assert [chunk["finish_reason"] for chunk in chunks] == [None, None, None, "length"]
    if logprobs is None:
        assert all(chunk["logprobs"] is None for chunk in chunks)
    else:
        for name, wanted in whole["logprobs"].items():
            assert [value for chunk in chunks for value in chunk["logprobs"][name]] == wanted
    deltas = [chat.piece(0, piece, "left out") for piece in pieces]
    assert "".join(delta["delta"]["content"] for delta in deltas) == text
    assert all(set(delta["delta"]) == {"content"} for delta in deltas)


def test_an_echoed_prompt_is_part_of_the_first_piece(tokenizer):
    form = form_of(CompletionForm, tokenizer, echo=True)
    assert form.piece(0, Piece(text="b"), "a")["text"] == "ab"
    assert form.piece(0, Piece(text="c"), "")["text"] == "c"


def test_a_text_of_bytes_alone_is_shown_and_counted(tokenizer):
    form = form_of(CompletionForm, tokenizer, logprobs=0)
    (first, second) = tokenizer.encode("é")
    tokens = tuple(TokenLogProb(id=id_, text=f"bytes:{id_}", logprob=-math.log(2)) for id_ in (first, second))
    found = form.choice(0, text_of(tokenizer, "é", logprobs=tokens), "")["logprobs"]
    assert found["tokens"] == [f"bytes:{first}", f"bytes:{second}"]
    assert found["text_offset"] == [0, 0]


def test_text_that_is_held_back_moves_the_places_of_what_follows(tokenizer):
    form = form_of(CompletionForm, tokenizer, logprobs=0, stop=("bx",))
    tokens = tokens_of(tokenizer, "abc")
    # The b may begin the stop string, so it is sent with the c.
    pieces = [Piece(text=text, logprobs=(token,)) for text, token in zip(("a", "", "bc"), tokens, strict=True)]
    assert [form.piece(0, piece, "")["logprobs"]["text_offset"] for piece in pieces] == [[0], [1], [2]]
