"""Typos: a letter hit beside its key keeps its case."""

from __future__ import annotations

import random

from shoal.text.typos import misspell


def test_a_key_beside_a_capital_is_a_capital() -> None:
    typos = {misspell("AQ", random.Random(seed)) for seed in range(200)}
    # Swapped, dropped, doubled, or S beside A on the keyboard.
    assert typos == {"QA", "Q", "AAQ", "SQ"}
    assert "sq" in {misspell("aq", random.Random(seed)) for seed in range(200)}
