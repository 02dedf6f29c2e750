"""The evidence of segments, against the formulas worked out token by token and sentence by sentence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import multivariate_normal

from shoal.segmentation import Features, WordChannel
from shoal.segmentation.evidence import (
    ClassEvidence,
    SegmentEvidence,
    VectorEvidence,
    WordEvidence,
    effective_dimensions,
)

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


def test_the_evidence_of_a_class_segment_is_its_definition() -> None:
    likelihoods = np.random.default_rng(0).normal(size=(6, 3))
    shared = likelihoods - np.logaddexp.reduce(likelihoods, axis=1, keepdims=True)
    scores = ClassEvidence(likelihoods).scores()
    for start in range(6):
        for stop in range(start + 1, 7):
            expected = np.logaddexp.reduce(shared[start:stop].sum(axis=0)) - np.log(3)
            assert scores[start, stop] == pytest.approx(expected)


def test_the_evidence_of_all_parts_is_added() -> None:
    draw = np.random.default_rng(3)
    vectors, likelihoods = draw.normal(size=(6, 3)), draw.normal(size=(6, 4))
    alone = [
        SegmentEvidence(Features(counts=COUNTS, background=SHARES)).scores(2.0),
        SegmentEvidence(Features(vectors=vectors)).scores(),
        SegmentEvidence(Features(likelihoods=likelihoods)).scores(),
    ]
    together = Features(counts=COUNTS, background=SHARES, vectors=vectors, likelihoods=likelihoods)
    assert SegmentEvidence(together).scores(2.0) == pytest.approx(sum(alone))


def test_without_a_background_the_document_has_its_own_shares_flattened() -> None:
    own = np.sqrt(COUNTS.sum(axis=0))
    flattened = WordEvidence(COUNTS, own / own.sum()).scores(800.0, 0.9)
    assert SegmentEvidence(Features(counts=COUNTS)).scores() == pytest.approx(flattened, abs=1.0)
    assert WordEvidence(COUNTS).scores(800.0, 0.9) == pytest.approx(SegmentEvidence(Features(counts=COUNTS)).scores())


def test_the_commonest_words_take_the_documents_own_frequencies() -> None:
    shares = np.array([0.05, 1e-4])
    rare_style = WordEvidence(np.array([[1, 0]] * 5 + [[0, 1]]), shares)
    common_style = WordEvidence(np.array([[40, 0]] * 5 + [[0, 1]]), shares)
    # A word of style that fills the document is expected there, so one more of it says less.
    assert common_style.scores(400.0)[0, 1] / 40 > rare_style.scores(400.0)[0, 1]


def test_zeros_that_are_written_out_and_weights_below_one_count_as_what_they_are() -> None:
    table = sparse.coo_array(np.eye(2))
    written = sparse.coo_array((np.array([1.0, 1.0, 0.0]), (np.array([0, 1, 0]), np.array([0, 1, 1]))), shape=(2, 2))
    shares = np.array([1e-3, 2e-3])
    assert np.array_equal(WordEvidence(written, shares).scores(10.0), WordEvidence(table, shares).scores(10.0))
    # Of a weight the rising factorial is a quotient of gamma functions, and that of 0.5 once more is that of 1.
    half = WordEvidence(np.array([[0.5], [0.5]]), np.array([1e-3])).scores(10.0)[0, 2]
    assert half == pytest.approx(WordEvidence(np.array([[1.0]]), np.array([1e-3])).scores(10.0)[0, 1])
