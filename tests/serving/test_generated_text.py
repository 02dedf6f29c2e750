"""Settings and results of a generation as JSON has them."""

from __future__ import annotations

import json

import pytest

from shoal.errors import UsageError
from shoal.models.generation import TokenSampling
from shoal.serving import GeneratedText, GenerationSettings, TokenLogProb

TOKEN = TokenLogProb(id=5, text="é", logprob=-0.5, top=((5, "é", -0.5), (6, "b", -1.5)))


def text(**changes):
    given = {"text": "é", "ids": (5, 256), "finish_reason": "stop", "stop": "<end>", "prompt_tokens": 3}
    return GeneratedText(**{**given, "settings": GenerationSettings(), **changes})


def test_a_record_has_every_field_and_counts_the_end_token():
    assert text(sample=2).to_dict() == {
        "text": "é",
        "finish_reason": "stop",
        "stop": "<end>",
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "ids": [5, 256],
        "sample": 2,
        "settings": GenerationSettings().to_dict(),
    }
    assert str(text()) == "é"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, set()),
        ({"logprobs": (TOKEN,)}, {"logprobs"}),
        ({"prompt_logprobs": (TOKEN,)}, {"prompt_logprobs"}),
        ({"prompt_logprobs": (TOKEN,), "logprobs": (TOKEN, TOKEN)}, {"prompt_logprobs", "logprobs"}),
    ],
)
def test_log_probabilities_are_in_the_record_where_there_are_any(changes, names):
    record = json.loads(json.dumps(text(**changes).to_dict()))
    assert {"logprobs", "prompt_logprobs"} & set(record) == names
    for name in names:
        assert len(record[name]) == len(changes[name])
        assert record[name][0] == {"id": 5, "text": "é", "logprob": -0.5, "top": [[5, "é", -0.5], [6, "b", -1.5]]}


def test_settings_are_json_and_come_back():
    made = GenerationSettings(
        max_tokens=0,
        sampling=TokenSampling(temperature=0.5, top_p=0.25, top_k=3, seed=9),
        stop=("a", "\n"),
        logprobs=20,
    )
    read = json.loads(json.dumps(made.to_dict()))
    sampling = TokenSampling(**read.pop("sampling"))
    assert GenerationSettings(**{**read, "stop": tuple(read["stop"])}, sampling=sampling) == made


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_tokens": -1}, "the maximum of tokens is -1; give a whole number of 0 or more"),
        ({"logprobs": -1}, "logprobs is -1; give a number from 0 to 20"),
        ({"logprobs": 21}, "logprobs is 21; give a number from 0 to 20"),
        ({"stop": ("a", "")}, "a stop string is empty"),
        ({"stop": "END"}, "the stop strings are the text 'END'; give a tuple of texts: ('END',)"),
        ({"stop": tuple(map(str, range(17)))}, "there are 17 stop strings; give at most 16"),
        ({"stop": ("x" * 1001,)}, "a stop string has 1,001 characters; give at most 1,000"),
    ],
)
def test_settings_outside_of_their_range_are_refused(changes, message):
    with pytest.raises(UsageError) as fault:
        GenerationSettings(**changes)
    assert message in str(fault.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_tokens": 0},
        {"logprobs": 0},
        {"logprobs": 20},
        {"stop": tuple(map(str, range(16)))},
        {"stop": ("x" * 1000,)},
    ],
)
def test_the_ends_of_the_ranges_can_be_used(changes):
    ((name, value),) = changes.items()
    assert getattr(GenerationSettings(**changes), name) == value
