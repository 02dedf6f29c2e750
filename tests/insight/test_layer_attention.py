"""Attention written out beside the fused kernel."""

from __future__ import annotations

from statistics import median

import pytest
import torch

from shoal.errors import UsageError
from shoal.insight.layers.attention import compare_attention, fused_attention, naive_attention
from shoal.reports import layers_page


def test_both_ways_are_equal_and_the_fused_one_holds_no_scores() -> None:
    report = compare_attention((512, 1024), heads=1, width=16, repeats=2)
    assert report.forward_difference < 1e-5
    assert report.backward_difference < 1e-4
    held = {(cost.way, cost.use): cost for cost in report.costs}
    assert held["naive", "inference"].bytes[-1] >= 4 * 1024 * 1024
    assert held["naive", "inference"].memory_exponent.value > 1.8
    assert held["fused", "inference"].bytes[-1] < 4 * 1024 * 1024 / 3
    assert len(held) == 6


def test_dropout_is_unbiased_in_both_ways() -> None:
    report = compare_attention((16, 32), heads=1, width=16, repeats=2)
    assert all(0.75 < bias < 1.3 for bias in report.dropout_bias.values())
    times = {cost.way: median(cost.seconds[-1]) for cost in report.costs if cost.use == "inference"}
    sentence = f"In a forward pass over 32 positions fused attention takes {times['fused'] / times['naive']:.0%} of"
    assert sentence in layers_page(attention=report)


def test_a_biased_dropout_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.functional, "dropout", lambda x, p, training: x * (torch.rand_like(x) > p))
    report = compare_attention((16, 32), heads=1, width=16, repeats=2)
    assert report.dropout_bias["naive"] > 2


def test_nothing_looks_ahead() -> None:
    q, k, v = torch.randn(3, 1, 1, 6, 4, generator=torch.Generator().manual_seed(0))
    changed = [each.clone() for each in (q, k, v)]
    for each in changed:
        each[..., 4:, :] += 1
    for attend in (naive_attention, fused_attention):
        torch.testing.assert_close(attend((q, k, v))[..., :4, :], attend(changed)[..., :4, :])


@pytest.mark.parametrize(("lengths", "dropout", "said"), [((16,), 0.1, "two different"), ((16, 32), 1.0, "between")])
def test_settings_that_cannot_be_are_refused(lengths, dropout, said) -> None:
    with pytest.raises(UsageError, match=said):
        compare_attention(lengths, dropout=dropout)
