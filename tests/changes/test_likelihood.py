"""Places by likelihood, and their confidence sets."""

from __future__ import annotations

import numpy as np

from shoal.changes.generators import hidden_parity, hidden_rotation
from shoal.changes.likelihood import digits_of, locate, split_likelihoods
from shoal.changes.quantization import channels_of
from shoal.changes.validation import as_stream


def test_the_likelihood_of_coins_is_the_one_on_paper() -> None:
    bits = np.random.default_rng(0).integers(0, 2, 400)
    digits = digits_of(channels_of(as_stream(bits)), 400)
    found = split_likelihoods(digits, [(0, 200)], [(200, 400)], (150, 250))
    assert found.shape == (101,)
    assert np.abs(np.diff(found)).max() < 1.0


def test_sets_hold_the_true_place_about_as_often_as_they_say() -> None:
    inside = 0
    for seed in range(40):
        draw = hidden_rotation if seed % 2 else hidden_parity
        values = draw(lengths=(700, 900), seed=seed).values
        digits = digits_of(channels_of(as_stream(values)), 1600)
        found = locate(digits, (0, 1600), 740, margin=80, confidence=0.95)
        inside += found.low <= 700 <= found.high
    assert inside >= 33


def test_a_place_stays_within_its_margins() -> None:
    values = np.random.default_rng(3).random(300)
    digits = digits_of(channels_of(as_stream(values)), 300)
    for guess in (0, 150, 300):
        found = locate(digits, (0, 300), guess, margin=100, confidence=0.9)
        assert 100 <= found.low <= found.place <= found.high <= 200


def test_contexts_start_anew_at_the_change() -> None:
    errors = []
    for seed in range(12):
        values = hidden_rotation((600, 600), seed=seed).values
        found = locate(digits_of(channels_of(as_stream(values)), 1200), (0, 1200), 620, margin=60, confidence=0.95)
        errors.append(found.place - 600)
    assert abs(np.mean(errors)) < 3.0
