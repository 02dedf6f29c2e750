"""The concentration of words that a document chooses."""

from __future__ import annotations

import numpy as np

from shoal.segmentation import Features
from shoal.segmentation.evidence import SegmentEvidence
from shoal.segmentation.posterior import likely_evidence

USUAL = 400.0
WORDS = 2000


def drawn(concentration: float, seed: int) -> Features:
    """Forty segments of six sentences of twenty words, each from a Polya urn of a concentration."""
    draw = np.random.default_rng(seed)
    shares = draw.dirichlet(np.full(WORDS, 0.5))
    rows = []
    for _ in range(40):
        law = draw.dirichlet(concentration * shares + 1e-9)
        rows += [draw.multinomial(20, law) for _ in range(6)]
    return Features(counts=np.array(rows), background=shares)


def test_words_that_come_back_often_are_weighed_at_a_low_concentration() -> None:
    for concentration in (100.0, 1600.0):
        features = drawn(concentration, seed=1)
        best = max(likely_evidence(features, 2), key=lambda scores: scores[:-1, 1:].diagonal(5)[::6].sum())
        near = [SegmentEvidence(features).scores(concentration * by / USUAL) for by in (0.5, 2**-0.5, 1.0, 2**0.5, 2.0)]
        assert any(np.allclose(best, scores) for scores in near)


def test_the_walk_does_not_go_beyond_its_bounds_and_keeps_few() -> None:
    features = Features(counts=np.eye(30, dtype=int), background=np.full(30, 1e-4))
    tables = likely_evidence(features, 2)
    assert 1 <= len(tables) <= 17
    assert all(np.isfinite(table).all() for table in tables)


def test_where_there_are_no_words_there_is_nothing_to_choose() -> None:
    vectors = np.random.default_rng(0).normal(size=(12, 3))
    (table,) = likely_evidence(Features(vectors=vectors), 2)
    assert np.array_equal(table, SegmentEvidence(Features(vectors=vectors)).scores())
