"""Caches of keys and values: what is read in parts is what is read at once."""

from __future__ import annotations

import pytest
import torch

from architectures import tiny_model
from shoal.models.fast import KVCache, PrefixCache, wrap

ROUNDING = 3e-5


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(params=["Llama", "GPT2", "GPTNeo"])
def fast(request):
    return wrap(tiny_model(request.param))


def _rows(rows, length):
    return torch.randint(1, 300, (rows, length), generator=torch.Generator().manual_seed(3))


def test_rows_of_several_lengths_continue_token_by_token_as_read_at_once(fast):
    ids_BL, lengths_B = _rows(3, 20), torch.tensor([4, 12, 9])
    whole_BLD = fast.hidden(ids_BL)
    cache = KVCache(lengths_B, room=20)
    first_BLD = fast.hidden(ids_BL[:, :12], cache)
    cache.advance()
    for row, length in enumerate(lengths_B.tolist()):
        torch.testing.assert_close(first_BLD[row, :length], whole_BLD[row, :length], rtol=0, atol=ROUNDING)
    for step in range(8):
        places_B = lengths_B + step
        next_B1 = ids_BL[torch.arange(3), places_B][:, None]
        found_BD = fast.hidden(next_B1, cache)[:, 0]
        cache.advance()
        torch.testing.assert_close(found_BD, whole_BLD[torch.arange(3), places_B], rtol=0, atol=ROUNDING)


def test_rows_that_are_dropped_leave_the_others_as_they_were(fast):
    ids_BL, lengths_B = _rows(4, 10), torch.tensor([3, 7, 5, 6])
    kept = torch.tensor([3, 1])
    whole_BLD = fast.hidden(ids_BL)
    cache = KVCache(lengths_B, room=10)
    fast.hidden(ids_BL[:, :7], cache)
    cache.advance()
    cache.select(kept)
    found_BD = fast.hidden(ids_BL[kept, lengths_B[kept]][:, None], cache)[:, 0]
    torch.testing.assert_close(found_BD, whole_BLD[kept, lengths_B[kept]], rtol=0, atol=ROUNDING)


def test_positions_count_real_tokens_and_the_mask_hides_padding_and_what_is_beyond_the_window():
    cache = KVCache(torch.tensor([2, 4]), room=6)
    assert cache.positions(torch.zeros(2, 4)).tolist() == [0, 1, 2, 3]
    assert cache.mask(3) is None
    cache.advance()
    assert cache.positions(torch.zeros(2, 1)).tolist() == [[2], [4]]
    seen = cache.mask(3)[:, 0, 0].int().tolist()
    assert seen == [[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0]]


def test_a_shared_prefix_is_read_once_and_gives_the_same_states(fast):
    ids_BL = _rows(3, 16)
    ids_BL[:, :6] = ids_BL[0, :6]
    whole_BLD = fast.hidden(ids_BL)
    torch.testing.assert_close(fast.hidden_after_prefix(6, ids_BL), whole_BLD[:, 6:], rtol=0, atol=ROUNDING)
    torch.testing.assert_close(fast.hidden_after_prefix(0, ids_BL), whole_BLD, rtol=0, atol=0)


def test_a_prefix_cache_counts_positions_from_its_end():
    cache = PrefixCache()
    states = torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4)
    assert cache.update(0, states) is states
    cache.close()
    assert cache.positions(torch.zeros(5, 2)).tolist() == [3, 4]
    key, value = cache.update(0, (torch.zeros(5, 2, 2, 4), torch.zeros(5, 2, 2, 4)))
    assert key.shape == value.shape == (5, 2, 5, 4)
    assert key[:, :, :3].eq(1).all()
    assert key[:, :, 3:].eq(0).all()
