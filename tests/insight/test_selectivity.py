"""Classes of tokens and their separation, against brute force and planted neurons."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from shoal.insight.neurons import TokenSums, class_separation, selectivity
from shoal.insight.neurons.selectivity import MAX_CLASS, MIN_COUNT

VOCABULARY = 20


def draw(seed: int, positions: int = 800) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Activations of six neurons, of which neuron n is higher on the tokens 0 to n; ids; the finding half."""
    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, VOCABULARY, (positions,), generator=random)
    activation = torch.randn(positions, 6, generator=random)
    for neuron in range(6):
        activation[:, neuron] += 4.0 * (ids <= neuron)
    return activation, ids, torch.arange(positions) % 2 == 0


@pytest.mark.parametrize("neuron", range(6))
def test_a_planted_class_is_found_and_confirmed(neuron: int) -> None:
    activation, ids, finding = draw(0)
    found = selectivity(activation[:, neuron], ids, finding)
    assert set(found.ids) == set(range(neuron + 1))
    assert list(found.means) == sorted(found.means, reverse=True)
    assert found.auc > 0.99
    assert found.p_value < 1e-6


def test_the_area_and_its_p_value_are_those_of_mann_and_whitney() -> None:
    activation, ids, finding = draw(1)
    values = (activation[:, 2] * 2).round()  # with many ties
    found = selectivity(values, ids, finding)
    inside = torch.isin(ids, torch.tensor(found.ids)) & ~finding
    outside = ~inside & ~finding
    sides = values[inside].double(), values[outside].double()
    theirs = stats.mannwhitneyu(*sides, alternative="greater", method="asymptotic", use_continuity=False)
    wins = (values[inside][:, None] > values[outside]).double() + 0.5 * (values[inside][:, None] == values[outside])
    assert found.auc == pytest.approx(float(wins.mean()))
    assert found.p_value == pytest.approx(float(theirs.pvalue), rel=1e-6)


def test_a_small_p_value_is_not_zero() -> None:
    activation, ids, finding = draw(4, positions=3000)
    assert 0.0 < selectivity(activation[:, 1], ids, finding).p_value < 1e-60


def test_a_constant_neuron_has_no_class_that_could_be_confirmed() -> None:
    _, ids, finding = draw(2)
    found = selectivity(torch.ones(len(ids)), ids, finding)
    assert (found.auc, found.p_value) == (0.5, 1.0)


def test_a_class_that_the_other_half_does_not_hold_is_not_confirmed() -> None:
    ids = torch.tensor([1] * 10 + [2] * 10 + [2] * 20)
    finding = torch.arange(40) < 20
    found = selectivity((ids == 1).float(), ids, finding)
    assert found.ids == (1,)
    assert math.isnan(found.auc)
    assert found.p_value == 1.0


def test_rare_tokens_are_left_out_and_none_may_be_left() -> None:
    ids = torch.tensor([1] * 20 + [2] * 20 + [3] * (MIN_COUNT - 1) + [1, 2] * 10)
    finding = torch.arange(len(ids)) < 40 + MIN_COUNT - 1
    values = torch.where(ids == 3, 100.0, (ids == 1).float())
    assert selectivity(values, ids, finding).ids == (1,)
    assert selectivity(values, ids, finding, min_count=50) is None


def test_a_class_holds_no_more_tokens_than_it_may() -> None:
    ids = torch.arange(30).repeat(20)
    values = (ids < 20).float() + torch.rand(len(ids), generator=torch.Generator().manual_seed(0)) / 10
    finding = torch.arange(len(ids)) < len(ids) // 2
    assert len(selectivity(values, ids, finding).ids) <= MAX_CLASS
    assert set(selectivity(values, ids, finding, max_tokens=20).ids) == set(range(20))


def test_separation_by_sums_is_that_of_all_positions() -> None:
    activation, ids, finding = draw(3)
    sums = TokenSums(6, VOCABULARY)
    for half in (0, 1):
        part = finding if half == 0 else ~finding
        for rows in part.nonzero()[:, 0].split(37):
            sums.add(activation[rows], ids[rows], half)
    found = sums.separation()
    for neuron in range(6):
        tokens = torch.tensor(selectivity(activation[:, neuron], ids, finding).ids)
        expected = class_separation(activation[~finding, neuron], torch.isin(ids[~finding], tokens))
        assert float(found[neuron]) == pytest.approx(expected, rel=1e-4)


def test_separation_is_the_distance_of_means_in_standard_deviations() -> None:
    inside = torch.tensor([True] * 4 + [False] * 4)
    values = torch.tensor([5.0, 7.0, 5.0, 7.0, 1.0, 3.0, 1.0, 3.0])
    assert class_separation(values, inside) == pytest.approx(4.0)
    assert class_separation(values, ~inside) == pytest.approx(-4.0)
    assert class_separation(values * 10 + 3, inside) == pytest.approx(4.0)


@pytest.mark.parametrize("inside", [torch.zeros(5, dtype=torch.bool), torch.ones(5, dtype=torch.bool)])
def test_an_empty_class_is_not_separate(inside: torch.Tensor) -> None:
    assert class_separation(torch.arange(5.0), inside) == 0.0


def test_tokens_beyond_the_buckets_share_them_and_a_class_is_still_seen() -> None:
    random = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 5000, (20_000,), generator=random)
    activation = torch.randn(len(ids), 2, generator=random)
    activation[:, 1] += 30.0 * (ids % 1024 == 7)
    sums = TokenSums(2, 5000)
    assert sums.buckets == 1024
    for half in (0, 1):
        sums.add(activation[half::2], ids[half::2], half)
    noise, planted = sums.separation().tolist()
    assert planted > 10 > abs(noise)


def test_without_two_frequent_tokens_nothing_is_separate() -> None:
    sums = TokenSums(3, VOCABULARY)
    sums.add(torch.randn(50, 3), torch.zeros(50, dtype=torch.long), 0)
    sums.add(torch.randn(50, 3), torch.zeros(50, dtype=torch.long), 1)
    assert sums.separation().tolist() == [0.0, 0.0, 0.0]
