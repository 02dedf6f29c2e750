from __future__ import annotations

import pytest
import torch
from transformers.activations import NewGELUActivation

from architectures import tiny_model
from shoal.models.attention import banded_attention, fast_forward, tanh_gelu


def plain_attention(query, key, value, window):
    """Every pair written out, in float64."""
    length = query.shape[2]
    behind = torch.arange(length)[:, None] - torch.arange(length)[None, :]
    scores = query.double() @ key.double().transpose(-1, -2)
    scores[..., (behind < 0) | (behind >= window)] = -torch.inf
    return scores.softmax(-1) @ value.double()


def heads(length, *, width=4, seed=0, spread=1.0):
    chance = torch.Generator().manual_seed(seed)
    return [spread * torch.randn(2, length, 3, width, generator=chance).transpose(1, 2) for _ in range(3)]


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 200, 330])
@pytest.mark.parametrize("window", [1, 8, 64, 100, 256, 2048])
def test_banded_attention_equals_every_pair_written_out(length, window):
    query, key, value = heads(length)

    found = banded_attention(query, key, value, window)

    torch.testing.assert_close(found.double(), plain_attention(query, key, value, window), rtol=1e-5, atol=5e-6)


@pytest.mark.parametrize("spread", [1.0, 6.0])
@pytest.mark.parametrize("last", [1, 5, 64, 100, 299])
@pytest.mark.parametrize("window", [1, 8, 100, 2048])
def test_queries_may_be_the_last_positions_only(window, last, spread):
    query, key, value = heads(300, spread=spread)
    expected = plain_attention(query, key, value, window)[:, :, -last:]

    found = banded_attention(query[:, :, -last:], key, value, window)

    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("spread", [4.0, 9.0])
def test_rows_of_large_scores_leave_the_others_alone(spread):
    query, key, value = heads(60)
    alone = banded_attention(query[:1], key[:1], value[:1], 2048)
    query[1] *= spread
    key[1] *= spread

    found = banded_attention(query, key, value, 2048)

    torch.testing.assert_close(found[:1], alone, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found.double(), plain_attention(query, key, value, 2048), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("window", [8, 2048])
def test_scores_too_large_for_plain_exponentials_are_right_too(window):
    query, key, value = heads(150, spread=6.0)

    found = banded_attention(query, key, value, window)

    torch.testing.assert_close(found.double(), plain_attention(query, key, value, window), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("window", [8, 2048])
def test_banded_attention_keeps_float64(window):
    query, key, value = (part.double() for part in heads(150))

    found = banded_attention(query, key, value, window)

    torch.testing.assert_close(found, plain_attention(query, key, value, window), rtol=1e-12, atol=1e-12)


def test_gelu_through_the_sigmoid_is_the_tanh_form():
    x = torch.linspace(-12, 12, 10001)

    torch.testing.assert_close(tanh_gelu(x).double(), NewGELUActivation()(x.double()), rtol=1e-6, atol=1e-6)


def test_gpt_neo_is_the_same_model_within_and_after_the_fast_forward():
    model = tiny_model("GPTNeo")
    ids_BL = torch.randint(0, 300, (2, 90), generator=torch.Generator().manual_seed(1))
    attention = model.transformer.h[1].attn.attention
    with torch.inference_mode():
        before = model(input_ids=ids_BL).logits
        with fast_forward(model):
            assert "_attn" in vars(attention)
            within = model(input_ids=ids_BL).logits
        after = model(input_ids=ids_BL).logits

    torch.testing.assert_close(within, before, rtol=1e-4, atol=1e-4)
    assert torch.equal(after, before)


def test_a_model_is_as_before_when_the_forward_fails():
    model = tiny_model("GPTNeo")

    with pytest.raises(RuntimeError, match="halfway"), fast_forward(model):
        raise RuntimeError("halfway")

    assert not any({"_attn", "forward"} & vars(module).keys() for module in model.modules())
