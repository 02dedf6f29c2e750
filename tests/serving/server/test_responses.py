"""What the endpoints' answers state of their tokens."""

from __future__ import annotations

import pytest

from shoal.serving import GenerationSettings
from shoal.serving.result import GeneratedText, TokenLogProb

pytest.importorskip("fastapi")


def test_offsets_count_the_space_that_a_sentencepiece_token_begins_with():
    from shoal.serving.server.responses import CompletionForm
    from shoal.text import train_tokenizer

    tokenizer = train_tokenizer(
        ["the cat sat on the mat and the cat ran"] * 50, kind="sentencepiece-bpe", vocabulary=300
    )
    prompt, ids = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("the cat", "sat on"))
    settings = GenerationSettings(logprobs=0)
    text = tokenizer.decode([*prompt, *ids]).removeprefix("the cat")
    result = GeneratedText(
        text=text, ids=tuple(ids), finish_reason="length", stop=None, prompt_tokens=len(prompt), settings=settings,
        logprobs=tuple(TokenLogProb(id=id_, text=tokenizer.decode([id_]), logprob=-1.0) for id_ in ids),
    )  # fmt: skip
    form = CompletionForm(model="m", fingerprint="f", settings=settings, tokenizer=tokenizer, prompts=[prompt])
    choice = form.choice(0, result, "the cat")
    starts = [len(tokenizer.decode([*prompt, *ids[:place]])) - len("the cat") for place in range(len(ids))]
    assert choice["text"] == " sat on"
    assert choice["logprobs"]["text_offset"] == starts
    assert starts[1] > 1
