from __future__ import annotations

import functools
from dataclasses import replace

import pytest
import torch

from architectures import tiny_model
from shoal.models.decoding import Prefix, can_continue, decode_greedily, group_prefixes
from shoal.models.factorization import factor_model
from shoal.models.probing import CacheUse, cache_use


def plainly(model, prefix, limit, end_id):
    ids = list(prefix)
    while len(ids) < len(prefix) + limit and (len(ids) == len(prefix) or ids[-1] != end_id):
        ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prefix) :]


LIMITS = [12, 1, 30, 0, 25, 7, 40]


@functools.cache
def continued_plainly(architecture):
    """A model, prefixes, a token that ends the third of them early, and how each goes on; made once for all ways."""
    model = tiny_model(architecture)
    chance = torch.Generator().manual_seed(4)
    prefixes = [torch.randint(1, 300, (length,), generator=chance).tolist() for length in (1, 3, 3, 9, 20, 20, 31)]
    with torch.inference_mode():
        end_id = plainly(model, prefixes[2], 10, None)[6]
        expected = [plainly(model, *row, end_id) for row in zip(prefixes, LIMITS, strict=True)]
    return model, prefixes, end_id, expected


@pytest.mark.parametrize("architecture", ["GPTNeo", "Llama", "GPT2", "Gemma2", "OPT"])
@pytest.mark.parametrize("may_pad", [False, True])
@pytest.mark.parametrize("fast", [False, True])
def test_many_prefixes_are_continued_as_each_by_itself(architecture, may_pad, fast):
    model, prefixes, end_id, expected = continued_plainly(architecture)
    with torch.inference_mode():
        factored = factor_model(model)
        generated = decode_greedily(
            factored if fast else replace(factored, fast=None), prefixes, LIMITS, end_id, may_pad=may_pad
        )

    assert generated == expected
    assert len(generated[2]) <= 7
    assert generated[2][-1] == end_id


def test_a_model_without_keys_and_values_has_no_cache():
    with torch.inference_mode():
        assert cache_use(factor_model(tiny_model("Llama"))) == CacheUse(selecting="batch_select_indices", pads=True)
        assert cache_use(factor_model(tiny_model("Mamba"))) is None


@pytest.mark.parametrize("architecture", ["GPTNeo", "Llama", "GPT2"])
def test_logits_of_the_prefix_are_not_made(architecture):
    model = tiny_model(architecture)
    shapes = []
    model.lm_head.register_forward_hook(lambda module, inputs, output: shapes.append(output.shape[1]))
    with torch.inference_mode():
        factored = factor_model(model)
        cache_use(factored)
        shapes.clear()
        decode_greedily(factored, [[1, 2, 3, 4], [5]], [3, 3], None)

    assert shapes == [1, 1, 1]


@pytest.mark.parametrize("architecture", ["Llama", "Gemma2"])
def test_a_model_a_fast_model_and_a_factored_one_are_continued_alike(architecture):
    model = tiny_model(architecture)
    with torch.inference_mode():
        factored = factor_model(model)
        expected = decode_greedily(factored, [[1, 2, 3], [4]], [5, 6], None)
        assert [len(generated) for generated in expected] == [5, 6]
        assert decode_greedily(model, [[1, 2, 3], [4]], [5, 6], None) == expected
        if factored.fast is not None:
            assert decode_greedily(factored.fast, [[1, 2, 3], [4]], [5, 6], None) == expected


def test_nothing_is_generated_of_no_prefixes_or_within_no_limit():
    model = tiny_model("Llama")
    assert decode_greedily(model, [], [], None) == []
    assert decode_greedily(model, [[1], [2, 3]], [0, 0], None) == [[], []]


def test_groups_hold_rows_of_like_length_within_their_bounds():
    rows = [Prefix(place, [1] * length, 4) for place, length in enumerate([5, 2, 9, 2, 5])]
    together = [[row.place for row in group] for group in group_prefixes(rows, 1000, padded=True)]
    assert together == [[1, 3, 0, 4, 2]]
    assert [len(group) for group in group_prefixes(rows, 1000, padded=False)] == [2, 2, 1]
    assert [len(group) for group in group_prefixes(rows, 1000, padded=True, max_rows=2)] == [2, 2, 1]
    cells = [
        max(len(row.prefix) + row.limit for row in group) * len(group)
        for group in group_prefixes(rows, 20, padded=True)
    ]
    assert max(cells) <= 20


def test_what_can_continue_has_a_cache_or_a_fast_model():
    with torch.inference_mode():
        assert can_continue(factor_model(tiny_model("Llama")))
        assert can_continue(replace(factor_model(tiny_model("Llama")), fast=None))
        assert not can_continue(factor_model(tiny_model("Mamba")))


@pytest.mark.parametrize("architecture", ["Llama", "GPT2", "GPTNeo"])
def test_a_beginning_that_all_prefixes_share_is_read_once_and_changes_no_token(architecture):
    model = tiny_model(architecture)
    header = [3 + place * 7 % 50 for place in range(24)]
    prefixes = [header + tail for tail in ([5], [6, 7, 8], [5, 9], [6, 7])]
    together = decode_greedily(model, prefixes, [12] * 4, None)
    alone = [decode_greedily(model, [prefix], [12], None)[0] for prefix in prefixes]
    assert together == alone
    stopped = decode_greedily(model, prefixes, [12] * 4, None, stop=lambda row: len(row.generated) == 3)
    assert stopped == [tokens[:3] for tokens in alone]
