from __future__ import annotations

import pytest
import torch

from shoal.models import LMHead
from shoal.training.loss import mean_cross_entropy


def _case(positions, vocabulary, *, bias):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(positions, 16, generator=generator)
    weight = torch.randn(vocabulary, 16, generator=generator) * 0.3
    offset = torch.randn(vocabulary, generator=generator) if bias else None
    targets = torch.randint(0, vocabulary, (positions,), generator=generator)
    return [None if tensor is None else tensor.requires_grad_() for tensor in (hidden, weight, offset)], targets


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(
    ("bias", "scale", "soft_cap"), [(False, 1.0, None), (True, 1.0, None), (True, 0.25, 3.0), (False, 2.0, None)]
)
def test_chunked_loss_and_gradients_are_those_of_plain_cross_entropy(bias, scale, soft_cap, smoothing):
    leaves, targets = _case(1300, 1000, bias=bias)
    hidden, weight, offset = leaves
    given = [leaf for leaf in leaves if leaf is not None]
    logits = torch.nn.functional.linear(hidden, weight, offset) * scale
    if soft_cap is not None:
        logits = soft_cap * torch.tanh(logits / soft_cap)
    plain = torch.nn.functional.cross_entropy(logits, targets, label_smoothing=smoothing)
    expected = torch.autograd.grad(3 * plain, given)

    head = LMHead(weight_VD=weight, bias_V=offset, scale=scale, soft_cap=soft_cap)
    loss = mean_cross_entropy(hidden, targets, head, label_smoothing=smoothing)
    found = torch.autograd.grad(3 * loss, given)

    assert abs(float((loss - plain).detach())) < 1e-5
    for one, other in zip(found, expected, strict=True):
        assert float((one - other).abs().max()) < 1e-5 * max(1.0, float(other.abs().max()))


def test_a_frozen_head_gets_no_gradient():
    (hidden, weight, _), targets = _case(20, 50, bias=False)
    weight.requires_grad_(False)
    head = LMHead(weight_VD=weight, bias_V=None, scale=1.0, soft_cap=None)
    mean_cross_entropy(hidden, targets, head).backward()
    assert weight.grad is None
    assert hidden.grad.abs().sum() > 0
