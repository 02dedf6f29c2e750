"""The evidence of segments, against the formulas worked out token by token and sentence by sentence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from shoal.segmentation import WordChannel
from shoal.segmentation.evidence import VectorEvidence, WordEvidence, effective_dimensions

COUNTS = np.array([[2, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 3], [0, 0, 2, 1], [0, 0, 0, 0], [1, 1, 0, 0]])
SHARES = np.array([1e-3, 2e-4, 5e-4, 1e-5])


def by_tokens(counts: np.ndarray, concentration: float, memory: float) -> float:
    """The chain rule, token after token."""
    heard, total, logs = np.zeros(counts.shape[1]), 0.0, 0.0
    for row in counts:
        inside = np.zeros(counts.shape[1])
        for word in np.repeat(np.arange(len(row)), row):
            share = concentration * SHARES[word] + heard[word] + inside[word]
            logs += np.log(share / (concentration + total + inside.sum()))
            inside[word] += 1
        heard, total = memory * (heard + inside), memory * (total + inside.sum())
    return float(logs)


@pytest.mark.parametrize("memory", [1.0, 0.8])
def test_the_words_of_a_segment_have_the_probability_that_the_chain_rule_gives(memory: float) -> None:
    scores = WordEvidence(COUNTS, SHARES).scores(30.0, memory)
    for start in range(len(COUNTS)):
        for stop in range(start + 1, len(COUNTS) + 1):
            assert scores[start, stop] == pytest.approx(by_tokens(COUNTS[start:stop], 30.0, memory))


def test_a_word_said_very_often_in_a_sentence_costs_no_more_than_one_said_once() -> None:
    times = 1_000_000  # the pairs of these tokens would take days
    scores = WordEvidence(np.array([[times], [times]]), np.array([1e-3])).scores(400.0, 0.5)
    told = np.arange(times)
    alone = (np.log(0.4 + told) - np.log(400 + told)).sum()
    later = (np.log(0.4 + times / 2 + told) - np.log(400 + times / 2 + told)).sum()
    assert scores[0, 1] == pytest.approx(alone)
    assert scores[0, 2] == pytest.approx(alone + later)


def test_sentences_without_a_word_are_worth_nothing() -> None:
    features = WordChannel().features(["... !", "42"])
    assert (WordEvidence(features.counts, features.background).scores(400.0, 0.9) == 0).all()


@pytest.mark.parametrize("memory", [1.0, 0.7])
def test_the_vectors_of_a_segment_have_the_density_that_their_covariance_gives(memory: float) -> None:
    draw = np.random.default_rng(0)
    vectors, trust = draw.normal(size=(6, 3)), draw.uniform(0.3, 1.0, size=6)
    scores = VectorEvidence(vectors, trust).scores(0.4, memory)
    scaled = vectors / np.sqrt((vectors**2).mean())
    weight = 0.5 * effective_dimensions(scaled) / 3
    lags = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    covariance = 0.4 * np.outer(trust, trust) * memory**lags + np.diag(1 - 0.4 * trust**2)
    for start in range(6):
        for stop in range(start + 1, 7):
            part = slice(start, stop)
            density = multivariate_normal(np.zeros(stop - start), covariance[part, part])
            expected = sum(density.logpdf(scaled[part, place]) for place in range(3))
            constant = 3 * (stop - start) * np.log(2 * np.pi) / 2
            assert scores[start, stop] == pytest.approx(weight * (expected + constant))


def test_independent_directions_are_counted() -> None:
    draw = np.random.default_rng(1)
    wide = draw.normal(size=(400, 30))
    assert effective_dimensions(wide) == pytest.approx(30, rel=0.1)
    assert effective_dimensions(np.repeat(wide[:, :3], 10, axis=1)) == pytest.approx(3, rel=0.1)
    assert effective_dimensions(np.ones((9, 4))) == 1.0


def test_vectors_that_say_nothing_are_worth_nothing() -> None:
    assert (VectorEvidence(np.zeros((4, 3))).scores(0.3, 0.9) == 0).all()
