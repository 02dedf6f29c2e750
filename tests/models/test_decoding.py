from __future__ import annotations

import pytest
import torch

from architectures import tiny_model
from shoal.models.caching import CacheUse, cache_use
from shoal.models.decoding import decode_greedily
from shoal.models.factorization import factor_model


def plainly(model, prefix, limit, end_id):
    ids = list(prefix)
    while len(ids) < len(prefix) + limit and (len(ids) == len(prefix) or ids[-1] != end_id):
        ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prefix) :]


@pytest.mark.parametrize("architecture", ["GPTNeo", "Llama", "GPT2", "Gemma2", "OPT"])
@pytest.mark.parametrize("may_pad", [False, True])
def test_many_prefixes_are_continued_as_each_by_itself(architecture, may_pad):
    model = tiny_model(architecture)
    chance = torch.Generator().manual_seed(4)
    prefixes = [torch.randint(1, 300, (length,), generator=chance).tolist() for length in (1, 3, 3, 9, 20, 20, 31)]
    limits = [12, 1, 30, 0, 25, 7, 40]
    with torch.inference_mode():
        end_id = plainly(model, prefixes[2], 10, None)[6]

        said = decode_greedily(factor_model(model), prefixes, limits, end_id, may_pad=may_pad)

        assert said == [plainly(model, *row, end_id) for row in zip(prefixes, limits, strict=True)]
    assert len(said[2]) <= 7
    assert said[2][-1] == end_id


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
