"""Layer types: what each computes, how deep and far it reaches, and how its cost grows."""

from __future__ import annotations

import pytest
import torch

from shoal.errors import UnknownNameError, UsageError
from shoal.insight.layers import KINDS, Ranges, Size, build_layer, sweep_layers
from shoal.insight.layers.profiling import counted_operations, peak_bytes
from shoal.insight.layers.structure import graph_depth, path_length
from shoal.insight.layers.table import layer_table
from shoal.reports import layers_page
from shoal.statistics import fit_exponent

TINY = Ranges(n=(16, 32), long_n=(16, 32), d=(4, 8), k=(3, 5), r=(3, 5), base=Size(n=16, d=4, r=5), repeats=2)


def vectors(n: int, d: int) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("n", [1, 5, 13, 40])
@pytest.mark.parametrize("r", [3, 5, 13])
def test_restricted_attention_in_blocks_is_attention_under_a_band(n: int, r: int) -> None:
    x_ND = vectors(n, 8)
    places = torch.arange(n)
    far = (places[:, None] - places).abs() > r // 2
    expected = (x_ND @ x_ND.T * 8**-0.5).masked_fill(far, float("-inf")).softmax(-1) @ x_ND
    torch.testing.assert_close(build_layer("restricted self-attention", Size(n=n, d=8, r=r))(x_ND), expected)


def test_gradients_of_restricted_attention_are_finite_where_blocks_are_filled_up() -> None:
    x_ND = vectors(6, 4).requires_grad_()
    build_layer("restricted with projections", Size(n=6, d=4, r=5))(x_ND).square().sum().backward()
    assert bool(x_ND.grad.isfinite().all())


def test_a_recurrent_layer_is_torchs_own() -> None:
    layer = build_layer("recurrent", Size(n=9, d=4))
    own = torch.nn.RNN(4, 4, bias=False)
    with torch.no_grad():
        own.weight_ih_l0.copy_(layer.inward.T)
        own.weight_hh_l0.copy_(layer.onward.T)
    torch.testing.assert_close(layer(vectors(9, 4)), own(vectors(9, 4))[0])


def test_a_dilated_convolution_does_not_look_ahead() -> None:
    layer = build_layer("dilated convolution", Size(n=12, d=4), level=1)
    x_ND = vectors(12, 4)
    changed = x_ND.clone()
    changed[7:] += 1
    torch.testing.assert_close(layer(changed)[:7], layer(x_ND)[:7])
    assert not torch.allclose(layer(changed)[7:], layer(x_ND)[7:])


@pytest.mark.parametrize("kind", KINDS)
def test_path_lengths_are_those_of_the_theory_and_stacks_of_layers_confirm_them(kind: str) -> None:
    for n, k, r in ((9, 3, 5), (14, 5, 3)):
        path = path_length(kind, Size(n=n, d=4, k=k, r=r))
        assert path.measured == path.predicted
        assert path.confirmed


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        ("self-attention", 1),
        ("recurrent", 27),
        ("convolution", 26),
        ("dilated convolution", 3),
        ("restricted self-attention", 13),
    ],
)
def test_the_longest_path_of_27_positions_by_hand(kind: str, steps: int) -> None:
    assert KINDS[kind].longest_path(Size(n=27, k=3, r=5)) == steps


def test_only_the_recurrent_layer_gets_deeper_with_the_length() -> None:
    size = Size(n=8, d=4, r=5)
    for kind in KINDS:
        deeper = graph_depth(kind, Size(n=16, d=4, r=5)) - graph_depth(kind, size)
        assert deeper == (16 if kind == "recurrent" else 0), kind


def test_operations_are_counted_as_the_theory_says() -> None:
    counted = {
        kind: counted_operations(lambda kind=kind: build_layer(kind, Size(n=20, d=4, k=5, r=5))(vectors(20, 4)))
        for kind in KINDS
    }
    assert counted["self-attention"] == 2 * 2 * 20 * 20 * 4
    assert counted["self-attention with projections"] - counted["self-attention"] == 4 * 2 * 20 * 4 * 4
    assert counted["recurrent"] == 2 * 2 * 20 * 4 * 4
    assert counted["convolution"] == counted["dilated convolution"] == 2 * 5 * 20 * 4 * 4
    assert counted["restricted self-attention"] == 2 * 2 * 20 * 9 * 4


def test_peak_memory_is_what_is_held_at_once() -> None:
    def work() -> torch.Tensor:
        first = torch.ones(1000)
        second = first + 1
        del first
        third = torch.ones(250)
        return second[:250] + third

    # Both of the thousands are held before the first is let go; 250 and 250 more come after.
    assert 4 * 2000 <= peak_bytes(work) <= 4 * 2000 + 512


def test_a_power_law_gives_its_exponent_and_noise_an_interval() -> None:
    exact = fit_exponent([1, 2, 4, 8], [(3.0 * n**1.5,) for n in (1, 2, 4, 8)])
    assert exact.value == pytest.approx(1.5)
    assert exact.low == exact.high == exact.value
    noisy = fit_exponent([1, 2, 4, 8], [(n * 0.9, n * 1.0, n * 1.2) for n in (1, 2, 4, 8)])
    assert noisy.low < 1.0 < noisy.high


def test_sweeps_hold_exact_exponents_of_operations() -> None:
    found = {(each.kind, each.variable): each for each in sweep_layers(TINY)}
    assert set(found) == {(kind, variable) for kind in KINDS for variable in KINDS[kind].theory.operations}
    for kind, variable, exponent in (("self-attention", "n", 2), ("recurrent", "d", 2), ("convolution", "k", 1)):
        assert found[kind, variable].exponents["operations"].value == pytest.approx(exponent)
    assert all(len(repeats) == 2 and min(repeats) > 0 for each in found.values() for repeats in each.seconds)


def test_the_table_is_drawn_as_a_page_that_fetches_nothing() -> None:
    rows = layer_table(TINY, kinds=["self-attention", "self-attention with projections"])
    assert [row.depths[0] for row in rows] == [(16, 4), (16, 6)]
    assert any("projections" in remark for remark in rows[1].remarks)
    html = layers_page(rows)
    assert "O(n² · d)" in html
    assert "http:" not in html.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Size(r=4), "odd"),
        (lambda: Size(n=0), "at least 1"),
        (lambda: Ranges(n=(16,)), "two different sizes"),
        (lambda: Ranges(k=(2, 3)), "odd"),
        (lambda: Ranges(repeats=1), "2 repeats"),
    ],
)
def test_sizes_that_cannot_be_are_refused(wrong, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        wrong()


def test_an_unknown_kind_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'recurrent'"):
        sweep_layers(TINY, kinds=["recurent"])
