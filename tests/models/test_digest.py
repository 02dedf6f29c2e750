"""A digest tells weights apart, and nothing else."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from torch import nn

from shoal.models import weight_digest
from tiny_models import tiny_llama


def test_it_is_the_hash_of_names_dtypes_shapes_and_bytes():
    model = nn.Linear(3, 2)
    expected = hashlib.sha256()
    for name, tensor in (("bias", model.bias), ("weight", model.weight)):
        expected.update(json.dumps([name, "float32", list(tensor.shape)]).encode() + b"\n")
        expected.update(tensor.detach().numpy().tobytes())

    assert weight_digest(model) == expected.hexdigest()


def test_equal_weights_have_equal_digests_and_others_have_not():
    first, second, other = tiny_llama(), tiny_llama(), tiny_llama(seed=1)

    assert weight_digest(first) == weight_digest(second)
    assert weight_digest(first) != weight_digest(other)
    with torch.no_grad():
        second.model.norm.weight[0] = torch.nextafter(second.model.norm.weight[0], torch.tensor(9.0))
    assert weight_digest(first) != weight_digest(second)


def test_the_layout_in_memory_does_not_count():
    plain, strided = nn.Linear(3, 2), nn.Linear(3, 2)
    strided.weight = nn.Parameter(plain.weight.detach().t().contiguous().t())
    strided.bias = plain.bias

    assert not strided.weight.is_contiguous()
    assert weight_digest(strided) == weight_digest(plain)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_the_dtype_counts(dtype):
    assert weight_digest(tiny_llama().to(dtype)) != weight_digest(tiny_llama())
    assert weight_digest(tiny_llama().to(dtype)) == weight_digest(tiny_llama().to(dtype))


def test_tied_tensors_count_once_under_their_first_name():
    tied = tiny_llama(tied=True)
    once = nn.Module()
    for name, value in tied.state_dict().items():
        if name != "model.embed_tokens.weight":
            place = once
            for part in name.split(".")[:-1]:
                place = place._modules.setdefault(part, nn.Module())
            place.register_buffer(name.split(".")[-1], value)

    assert tied.lm_head.weight is tied.model.embed_tokens.weight
    assert weight_digest(once) == weight_digest(tied)


def test_a_number_alone_and_an_empty_tensor_count():
    model = nn.Module()
    model.register_buffer("scale", torch.tensor(2.0))
    model.register_buffer("none", torch.zeros(0, 3))
    first = weight_digest(model)
    model.scale += 1

    assert weight_digest(model) != first
