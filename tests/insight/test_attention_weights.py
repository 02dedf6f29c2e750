"""Attention weights computed block by block are the plain formula's, in whatever memory they lie."""

import pytest
import torch

from shoal.insight.hooks.attention_hook import attention_weights, empty_tensor, idle_floats

LONG = 300
"""Longer than several blocks, and large enough for memory that is used again."""


def drawn(heads, length, seed, rows=1, dtype=torch.float32):
    return torch.randn(rows, heads, length, 16, generator=torch.Generator().manual_seed(seed)).to(dtype)


def plain(query, key, *, scale, hidden, soft_cap=None):
    scores = query @ key.repeat_interleave(query.shape[1] // key.shape[1], dim=1).mT * scale
    if soft_cap is not None:
        scores = soft_cap * torch.tanh(scores / soft_cap)
    return scores.masked_fill(hidden, -torch.inf).softmax(-1)


def behind(length, keys):
    """How many places a key lies behind a query."""
    return torch.arange(keys - length, keys)[:, None] - torch.arange(keys)


@pytest.mark.parametrize("length", [1, 63, 64, 65, LONG])
@pytest.mark.parametrize("scale", [0.25, 0.3])
def test_blocks_together_are_the_plain_formula(length, scale):
    query, key = drawn(4, length, 0, rows=2), drawn(2, LONG, 1, rows=2)
    away = behind(length, LONG)
    for options, hidden in (
        ({}, away < 0),
        ({"window": 100}, (away < 0) | (away >= 100)),
        ({"soft_cap": 2.0}, away < 0),
        ({"causal": False}, away > LONG),
    ):
        ours = attention_weights(query, key, None, scale=scale, **options)
        expected = plain(query, key, scale=scale, hidden=hidden, soft_cap=options.get("soft_cap"))
        torch.testing.assert_close(ours, expected, atol=1e-6, rtol=0)
        assert (ours[hidden.expand_as(ours)] == 0).all()


def test_a_mask_is_added_or_says_what_is_seen():
    query, key = drawn(4, LONG, 0, rows=2), drawn(4, LONG, 1, rows=2)
    seen = (behind(LONG, LONG) >= 0).expand(2, 1, LONG, LONG).clone()
    seen[1, :, :, :40] = False
    seen[1, :, :41, 40] = True  # no row is left without a key
    seen[1, :, :40, 0] = True
    seen &= behind(LONG, LONG) >= 0
    added = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
    expected = plain(query, key, scale=0.25, hidden=~seen)
    for mask in (seen, added):
        torch.testing.assert_close(attention_weights(query, key, mask, scale=0.25), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_types_are_kept(dtype):
    query, key = drawn(2, 100, 0, dtype=dtype), drawn(2, 100, 1, dtype=dtype)
    ours = attention_weights(query, key, None, scale=0.25)
    assert ours.dtype == dtype
    expected = plain(query.double(), key.double(), scale=0.25, hidden=behind(100, 100) < 0)
    assert (ours.double() - expected).abs().max() < (1e-12 if dtype == torch.float64 else 2e-2)


def test_weights_that_are_held_outlive_later_ones():
    held = attention_weights(drawn(4, LONG, 0), drawn(4, LONG, 1), None, scale=0.25)
    before, row = held.clone(), held[0, 1, 200]
    later = attention_weights(drawn(4, LONG, 2), drawn(4, LONG, 3), None, scale=0.25)
    assert later.data_ptr() != held.data_ptr()
    assert torch.equal(held, before)
    del held, later  # a row alone holds the memory of all
    again = [attention_weights(drawn(4, LONG, 4 + number), drawn(4, LONG, 9), None, scale=0.25) for number in range(3)]
    assert torch.equal(row, before[0, 1, 200])
    assert row.data_ptr() not in [each[0, 1, 200].data_ptr() for each in again]


def test_memory_that_nobody_holds_is_used_again_and_what_lay_there_is_not_seen():
    first = attention_weights(drawn(4, LONG, 0), drawn(4, LONG, 1), None, scale=0.25)
    place = first.data_ptr()
    first.fill_(7.0)
    del first
    second = attention_weights(drawn(4, LONG, 2), drawn(4, LONG, 3), None, scale=0.25)
    assert second.data_ptr() == place
    expected = plain(drawn(4, LONG, 2), drawn(4, LONG, 3), scale=0.25, hidden=behind(LONG, LONG) < 0)
    torch.testing.assert_close(second, expected, atol=1e-6, rtol=0)


def test_no_more_memory_is_held_than_is_said():
    like = torch.zeros(1)
    pieces = [empty_tensor((2**24,), like) for _ in range(4)]
    assert len({piece.data_ptr() for piece in pieces}) == 4
    del pieces
    assert idle_floats() == 2**25
