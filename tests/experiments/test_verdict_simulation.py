"""The simulation of verdicts whose truth is known (`benchmarks.verdicts`) runs to its end."""

from __future__ import annotations

import pytest
from benchmarks.verdicts import CROSSED, KINDS, crossed, plain


@pytest.mark.slow
def test_each_kind_of_experiment_is_judged() -> None:
    assert len(plain(1, seed=0)) == len(KINDS)
    assert len(crossed(1, seed=0)) == len(CROSSED)
