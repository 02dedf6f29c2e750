from __future__ import annotations

import time

import pytest

from shoal.training.precision import faster_precision


def _busy(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


@pytest.mark.parametrize("faster", ["float32", "bfloat16"])
def test_the_faster_precision_is_found_though_the_first_step_is_dear(faster):
    seen = []

    def step(kind):
        _busy(0.004 + 0.004 * (kind != faster) + (0.4 if not seen else 0.0))
        seen.append(kind)

    assert faster_precision(step) == faster
    assert len(seen) <= 2 * 5


def test_waiting_for_others_does_not_count_on_a_cpu():
    def step(kind):
        _busy(0.002 if kind == "float32" else 0.006)
        time.sleep(0.05 if kind == "float32" else 0.0)

    assert faster_precision(step) == "float32"
