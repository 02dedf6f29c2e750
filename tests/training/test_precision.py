from __future__ import annotations

from types import SimpleNamespace

import pytest

from shoal.training import preparation
from shoal.training.preparation import faster_precision


class Clocks:
    """The clocks of a machine on which work takes as long as it is said to."""

    def __init__(self):
        self.work = self.waiting = 0.0

    def process_time(self):
        return self.work

    def perf_counter(self):
        return self.work + self.waiting


@pytest.fixture
def clocks(monkeypatch):
    clocks = Clocks()
    monkeypatch.setattr(
        preparation, "time", SimpleNamespace(process_time=clocks.process_time, perf_counter=clocks.perf_counter)
    )
    return clocks


def _speed_of_products(monkeypatch, clocks, faster):
    def product(kind):
        clocks.work += 0.001 + 0.002 * (kind != faster)

    monkeypatch.setattr(preparation, "_product", product)


@pytest.mark.parametrize("faster", ["float32", "bfloat16"])
def test_the_faster_precision_is_found_though_the_first_step_is_dear(faster, clocks, monkeypatch):
    _speed_of_products(monkeypatch, clocks, "bfloat16")
    seen = []

    def step(kind):
        clocks.work += 0.004 + 0.004 * (kind != faster) + (0.4 if not seen else 0.0)
        seen.append(kind)

    assert faster_precision(step) == faster
    assert len(seen) == 2 * 5


def test_a_long_step_is_tried_in_one_round(clocks, monkeypatch):
    _speed_of_products(monkeypatch, clocks, "bfloat16")
    seen = []

    def step(kind):
        clocks.work += 1.0 if kind == "float32" else 0.9
        seen.append(kind)

    assert faster_precision(step) == "bfloat16"
    assert len(seen) == 2 * 2


def test_where_bfloat16_speeds_up_no_product_no_step_is_tried(clocks, monkeypatch):
    _speed_of_products(monkeypatch, clocks, "float32")
    assert faster_precision(pytest.fail) == "float32"


@pytest.mark.parametrize(("device", "faster"), [("cpu", "float32"), ("cuda", "bfloat16")])
def test_waiting_for_others_does_not_count_on_a_cpu(device, faster, clocks, monkeypatch):
    _speed_of_products(monkeypatch, clocks, "bfloat16")

    def step(kind):
        clocks.work += 0.002 if kind == "float32" else 0.006
        clocks.waiting += 0.05 if kind == "float32" else 0.0

    assert faster_precision(step, device=device) == faster
