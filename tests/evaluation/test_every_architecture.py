"""What models of every kind say, whatever they keep of what they have read: the argmax of each whole prefix."""

from __future__ import annotations

import random

import pytest
import torch

from architectures import letter_tokenizer, letters
from every_architecture import every_type, small_model
from shoal.evaluation import evaluate, head
from shoal.models.sampling import sample_continuations
from shoal.tasks import Example

VOCABULARY = 120
KINDS = [
    *("bamba", "bert", "bloom", "deepseek_v4", "falcon_h1", "jamba", "lfm2", "mamba", "mamba2", "minimax", "moshi"),
    *("nemotron_h", "olmo_hybrid", "qwen3_next", "recurrent_gemma", "reformer", "rwkv", "xlnet", "xlstm", "zamba2"),
]
"""One architecture or more of every kind of cache, and some without any; the slow test takes all there are."""

WIDE = ["deepseek_v3", "gpt_oss", "granitemoe", "hunyuan_v1_moe", "jetmoe", "mixtral", "qwen3_moe", "xglm"]
"""They name float32, or kernels that know nothing else, where float64 is wanted."""

TIES = {"axk2", "deepseek_v32", "glm_moe_dsa", "hy_v4"}
"""Their indexers give many keys the same score of 0 where they are so small; which are taken is left to chance."""


def continued(model, prefix, limit, end_id=None):
    """The greedy continuation, all read again for each token."""
    ids = list(prefix)
    while len(ids) < len(prefix) + limit and (len(ids) == len(prefix) or ids[-1] != end_id):
        ids_BL = torch.tensor([ids])
        ids.append(int(model(input_ids=ids_BL, attention_mask=torch.ones_like(ids_BL)).logits[0, -1].argmax()))
    return ids[len(prefix) :]


def check_greedy_text(model_type):
    """Right and wrong examples of many lengths, scored together and continued where they are wrong."""
    model, chance = small_model(model_type), random.Random(3)
    prompts = [[chance.randrange(1, VOCABULARY) for _ in range(length)] for length in (1, 2, 5, 5, 9, 17, 30)]
    with torch.inference_mode():
        said = [continued(model, prompt, 7, end_id=0) for prompt in prompts]
        drawn = sample_continuations(model, prompts, [0] * len(prompts), [7] * len(prompts), temperature=0.0, end_id=0)
    assert drawn == said
    others = [[ids[0], *[chance.randrange(1, VOCABULARY) for _ in range(6)]] for ids in said]
    targets = [
        up_to_end(ids if place % 2 else other) for place, (ids, other) in enumerate(zip(said, others, strict=True))
    ]
    examples = [
        Example(prompt=letters(prompt), completion=text_of(target), ends=target[-1] == 0)
        for prompt, target in zip(prompts, targets, strict=True)
    ]
    scores = evaluate(model, letter_tokenizer(VOCABULARY), examples)
    for item, target, ids in zip(scores.items, targets, said, strict=True):
        assert item.greedy_text == text_of(ids[: len(target)])
        assert item.exact_match == (target == ids[: len(target)])


def up_to_end(ids):
    return ids[: ids.index(0) + 1] if 0 in ids else ids


def text_of(ids):
    return letters(token for token in ids if token)


@pytest.mark.parametrize("model_type", KINDS)
def test_greedy_text_is_that_of_whole_prefixes(model_type):
    check_greedy_text(model_type)


@pytest.mark.parametrize("model_type", [*KINDS[::4], *WIDE])
def test_every_row_can_be_decided_in_float64(model_type, monkeypatch):
    monkeypatch.setattr(head, "_UNITS", 1e9)
    check_greedy_text(model_type)


@pytest.mark.slow
@pytest.mark.parametrize("model_type", every_type())
@pytest.mark.parametrize("units", [head._UNITS, 1e9])
def test_greedy_text_of_every_architecture(model_type, units, monkeypatch):
    monkeypatch.setattr(head, "_UNITS", units)
    try:
        small_model(model_type)(input_ids=torch.ones(1, 9, dtype=torch.long))
    except Exception as fault:  # noqa: BLE001 - what a configuration of this kind needs is another matter
        pytest.skip(f"not made: {type(fault).__name__}")
    if model_type in TIES:
        pytest.skip("its choices are ties")
    check_greedy_text(model_type)
