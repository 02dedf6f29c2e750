"""A kind of layer is one class: what it registers is measured like every other."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest
import torch

from shoal.errors import UnknownNameError
from shoal.insight.layers import KINDS, LayerKind, Ranges, Size, Theory, build_layer, layer_table, layers_frame
from shoal.insight.layers.profiling import counted_operations, cpu_seconds, one_thread
from shoal.insight.layers.structure import graph_depth, path_length
from shoal.reports import layers_page

SMALL = Size(n=14, d=4, k=3, r=5)
TINY = Ranges(n=(16, 32), long_n=(16, 32), d=(4, 8), k=(3, 5), r=(3, 5), base=Size(n=16, d=4, r=5), repeats=2)


@pytest.fixture
def pooling() -> Iterator[type[LayerKind]]:
    """A kind of its own: the mean of all positions, mixed by a matrix."""

    class Pooling(LayerKind):
        """The mean of all positions."""

        kind = "pooling"
        theory = Theory(
            complexity="O(n · d²)",
            sequential="O(1)",
            path="O(1)",
            operations={"n": 1, "d": 2},
            memory={"n": 1},
            depth=0,
        )
        colour = 5

        def __init__(self, size: Size, *, level: int = 0) -> None:
            super().__init__(size, level=level)
            self.matrix = torch.nn.Parameter(torch.randn(size.d, size.d))

        @classmethod
        def longest_path(cls, size: Size) -> int:
            """One layer connects all."""
            return 1

        def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
            """N × D to N × D."""
            return (x_ND + x_ND.mean(0)) @ self.matrix

    yield Pooling
    del KINDS["pooling"]


def test_a_new_kind_is_measured_and_drawn_without_another_line(pooling: type[LayerKind]) -> None:
    assert KINDS["pooling"] is pooling
    (row,) = layer_table(TINY, kinds=["pooling"])
    assert [sweep.variable for sweep in row.sweeps] == ["n", "d"]
    assert row.sweeps[0].exponents["operations"].value == pytest.approx(1.0)
    assert row.sweeps[0].colour == 5
    assert all(path.measured == path.predicted == 1 and path.confirmed for path in row.paths)
    assert "pooling: O(n · d²), O(1) sequential, path O(1)" in str(row)
    assert "pooling" in layers_page([row])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_maps_n_vectors_to_n_vectors_by_weights_of_its_seed(kind: str) -> None:
    x_ND = torch.randn(14, 4, generator=torch.Generator().manual_seed(1))
    state = torch.random.get_rng_state()
    one, other, third = (build_layer(kind, SMALL, seed=seed)(x_ND) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert one.shape == x_ND.shape
    assert torch.equal(one, other)
    assert torch.equal(one, third) == (not list(build_layer(kind, SMALL).parameters()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_looks_back_does_not_see_ahead_and_another_does(kind: str) -> None:
    layers = [build_layer(kind, SMALL, level=level) for level in range(KINDS[kind].longest_path(SMALL))]
    stack = torch.nn.Sequential(*(layers if KINDS[kind].step == "layer" else layers[:1]))
    x_ND = torch.randn(14, 4, generator=torch.Generator().manual_seed(1))
    changed = x_ND.clone()
    changed[-1] += 9.0
    with torch.no_grad():
        sees_the_last = not torch.equal(stack(x_ND)[0], stack(changed)[0])
    assert sees_the_last is not KINDS[kind].looks_back


@pytest.mark.parametrize("kind", KINDS)
def test_the_operations_grow_as_the_theory_of_the_kind_says(kind: str) -> None:
    """Without projections, whose square of the width the paper leaves out, and at whole blocks of a window."""
    if KINDS[kind].projections:
        pytest.skip("the paper counts attention without its projections")
    for variable, exponent in KINDS[kind].theory.operations.items():
        base = {"n": 45, "d": 8, "k": 3, "r": 5}
        if variable == "r":  # a block sees 2 r - 1 positions, which doubles only in the limit
            continue
        counts = []
        for factor in (1, 3):
            size = Size(**base | {variable: base[variable] * factor})
            layer = build_layer(kind, size)
            counts.append(counted_operations(lambda layer=layer, size=size: layer(torch.zeros(size.n, size.d))))
        assert counts[1] / counts[0] == pytest.approx(3**exponent, rel=0.01), variable


@pytest.mark.parametrize(
    ("kind", "twin"), [(name, KINDS[name].__mro__[1]) for name in KINDS if KINDS[name].projections]
)
def test_a_kind_with_projections_has_the_colour_and_theory_of_the_one_without(kind: str, twin: type[LayerKind]) -> None:
    assert KINDS[kind].colour == twin.colour
    assert KINDS[kind].theory is twin.theory
    assert not twin.projections


def test_kinds_without_projections_have_colours_of_their_own() -> None:
    colours = [kind.colour for kind in KINDS.values() if not kind.projections]
    assert len(colours) == len(set(colours))


def test_depth_and_paths_of_an_unknown_kind_are_refused() -> None:
    for call in (build_layer, graph_depth, path_length):
        with pytest.raises(UnknownNameError, match="did you mean 'recurrent'"):
            call("recurent", SMALL) if call is not path_length else build_layer("recurent", SMALL)


def test_the_exponents_are_a_table() -> None:
    rows = layer_table(TINY, kinds=["convolution", "recurrent"])
    frame = layers_frame(rows)
    assert list(frame.columns) == ["kind", "variable", "cost", "theory", "exponent", "low", "high"]
    assert len(frame) == (3 + 2) * 3
    exact = frame[(frame.kind == "convolution") & (frame.cost == "operations") & (frame.variable == "k")]
    assert exact.exponent.tolist() == pytest.approx([1.0])


def test_work_is_timed_as_often_as_it_is_repeated_and_the_slow_one_is_slower() -> None:
    calls: dict[str, int] = {"slow": 0, "quick": 0}
    a_NN = torch.ones(200, 200)

    def work(name: str, times: int) -> Any:
        calls[name] += 1
        for _ in range(times):
            a_NN @ a_NN

    with one_thread():
        found = cpu_seconds({"slow": lambda: work("slow", 60), "quick": lambda: work("quick", 1)}, repeats=3)
    assert {name: len(samples) for name, samples in found.items()} == {"slow": 3, "quick": 3}
    assert median(found["slow"]) > median(found["quick"]) > 0
    assert calls["quick"] > 3  # quick work is repeated within a sample


def test_one_thread_is_put_back_after_an_error() -> None:
    def fail() -> None:
        with one_thread():
            assert torch.get_num_threads() == 1
            raise ZeroDivisionError

    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.get_num_threads() == before
