from __future__ import annotations

import time

import pytest

from shoal.training import precision
from shoal.training.precision import faster_precision


def _busy(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def _speed_of_products(monkeypatch, faster):
    monkeypatch.setattr(precision, "_product", lambda kind: _busy(0.001 + 0.002 * (kind != faster)))


@pytest.mark.parametrize("faster", ["float32", "bfloat16"])
def test_the_faster_precision_is_found_though_the_first_step_is_dear(faster, monkeypatch):
    _speed_of_products(monkeypatch, "bfloat16")
    seen = []

    def step(kind):
        _busy(0.004 + 0.004 * (kind != faster) + (0.4 if not seen else 0.0))
        seen.append(kind)

    assert faster_precision(step) == faster
    assert len(seen) <= 2 * 5


def test_where_bfloat16_speeds_up_no_product_no_step_is_tried(monkeypatch):
    _speed_of_products(monkeypatch, "float32")
    assert faster_precision(pytest.fail) == "float32"


def test_waiting_for_others_does_not_count_on_a_cpu(monkeypatch):
    _speed_of_products(monkeypatch, "bfloat16")

    def step(kind):
        _busy(0.002 if kind == "float32" else 0.006)
        time.sleep(0.05 if kind == "float32" else 0.0)

    assert faster_precision(step) == "float32"
