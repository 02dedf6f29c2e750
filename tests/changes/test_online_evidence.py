"""The evidence of an online detector against its formula, and the levels that it counts."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from shoal.changes import OnlineDetector
from shoal.changes.online_evidence import (
    CELLS,
    DIGITS,
    MAX_BITS,
    SLOTS,
    SPACING,
    WEIGHTS,
    DetectorState,
    likeliest_start,
)
from shoal.changes.whitening import ORDER, Whitening, learn

LEVELS = st.lists(st.integers(0, 15), min_size=1, max_size=31)


def on_paper(past: list[int], levels: list[int]) -> float:
    """D after the last level, from the formula: every fourth step is a start, which stands for four."""
    total = 0.0
    whole = past + levels
    for (bits, length), weight in zip(CELLS, WEIGHTS, strict=True):
        q, seen, contexts = 1 << bits, Counter(), Counter()
        starts: dict[int, tuple[float, Counter, Counter]] = {}
        for now in range(len(whole)):
            if now >= len(past) and now % SPACING == 0:
                starts[now] = (1.0, Counter(), Counter())
            if now < length - 1:
                continue
            word = tuple(level >> (DIGITS - bits) for level in whole[now - length + 1 : now + 1])
            context = word[:-1]
            p = (seen[word] + 1 / q) / (contexts[context] + 1)
            for start, (factor, since, since_contexts) in starts.items():
                ratio = (since[word] + q / 2 * p) / ((since_contexts[context] + q / 2) * p)
                since[word] += 1
                since_contexts[context] += 1
                starts[start] = factor * ratio, since, since_contexts
            seen[word] += 1
            contexts[context] += 1
        if len(whole) >= length:
            total += weight * SPACING * sum(factor for factor, _, _ in starts.values())
    return total


@given(levels=LEVELS)
@settings(max_examples=40)
def test_the_evidence_is_that_of_the_formula(levels: list[int]) -> None:
    done, evidence = DetectorState.fresh().read(np.array(levels), 1e300)
    assert done == len(levels)
    assert evidence == pytest.approx(on_paper([], levels), rel=1e-9)


@given(past=LEVELS, levels=LEVELS)
@settings(max_examples=30)
def test_what_was_only_learned_from_has_no_start_of_its_own(past: list[int], levels: list[int]) -> None:
    state = DetectorState.fresh()
    assert state.read(np.array(past), 0.0) == (len(past), 0.0)
    assert (state.starts == -1).all()
    _, evidence = state.read(np.array(levels), 1e300)
    assert evidence == pytest.approx(on_paper(past, levels), rel=1e-9)


@given(levels=LEVELS, cut=st.integers(0, 31))
def test_reading_in_parts_is_reading_at_once(levels: list[int], cut: int) -> None:
    once, twice = DetectorState.fresh(), DetectorState.fresh()
    _, whole = once.read(np.array(levels), 1e300)
    first, second = np.array(levels[:cut], dtype=np.int64), np.array(levels[cut:], dtype=np.int64)
    evidence = [twice.read(part, 1e300)[1] for part in (first, second) if len(part)]
    assert evidence[-1] == whole
    assert once.step == twice.step == len(levels)
    np.testing.assert_array_equal(once.counts, twice.counts)


def test_it_stops_at_the_level_that_passes_the_limit() -> None:
    levels = np.concatenate([np.tile([0, 8, 4, 12], 30), np.full(60, 15)])
    state = DetectorState.fresh()
    state.read(levels[:120], 0.0)
    done, evidence = state.read(levels[120:], 1000.0)
    assert 0 < done < 60
    assert evidence >= 1000.0
    assert state.step == 120 + done
    shorter = DetectorState.fresh()
    shorter.read(levels[:120], 0.0)
    assert shorter.read(levels[120 : 119 + done], 1e300)[1] < 1000.0


def test_cells_are_all_words_of_up_to_six_bits_and_weights_add_up_to_one() -> None:
    assert set(CELLS) == {(b, m) for b in range(1, 5) for m in range(1, 7) if b * m <= MAX_BITS}
    assert WEIGHTS.sum() == pytest.approx(1.0)
    raw = np.array([1 / (b * (b + 1) * m * (m + 1)) for b, m in CELLS])
    np.testing.assert_allclose(WEIGHTS, raw / raw.sum())


def test_starts_stay_few_and_stand_for_all_steps_between_them() -> None:
    state = DetectorState.fresh()
    state.read(np.random.default_rng(0).integers(0, 16, 6001), 1e300)
    held = np.sort(state.starts[state.starts >= 0])
    assert len(held) <= 8 * math.ceil(math.log2(6001 / SPACING)) < SLOTS
    assert held[-1] == 6000
    ages = 6000 - held
    gaps = np.diff(held)
    # After a steps one start in every a/8 or so is left; near ones stand four steps apart.
    assert (gaps <= np.maximum(ages[:-1] / 4 + SPACING, SPACING)).all()
    assert gaps[-1] == SPACING
    assert state.stands_for[state.starts >= 0].sum() == pytest.approx(6000, rel=0.15)


def test_the_likeliest_start_is_where_the_levels_changed_and_says_which() -> None:
    levels = np.random.default_rng(1).integers(0, 8, 200)
    state = DetectorState.fresh()
    state.read(levels[:120], 0.0)
    state.read(np.concatenate([levels[120:160], np.full(24, 15)]), 1e300)
    start, feature = likeliest_start(state)
    assert abs(start - 160) <= 2 * SPACING
    assert feature.after > 0.9 > 0.1 > feature.before
    size = feature.cell[0]
    assert feature.word.split(", then ")[0] == f"level {size} of {size}"


def test_scores_are_normal_quantiles_of_mid_ranks_among_the_first_values() -> None:
    first = np.array([3.0, 1.0, 2.0, 2.0, 5.0])
    made = Whitening(reference=np.sort(first), coefficients=np.zeros(ORDER), cuts=np.empty(0))
    values = np.array([0.0, 1.0, 1.5, 2.0, 4.0, 5.0, 9.0])
    below = np.array([(first < value).sum() for value in values])
    ties = np.array([(first == value).sum() for value in values])
    np.testing.assert_allclose(made.scores(values), stats.norm.ppf((below + ties / 2 + 0.5) / 6))


@given(st.lists(st.integers(-20, 20), min_size=64, max_size=90))
def test_scores_and_levels_do_not_know_the_scale(values: list[int]) -> None:
    first = np.array(values, dtype=float) / 7.0
    plain, moved = learn(first), learn(np.exp(first))
    np.testing.assert_array_equal(plain.coefficients, moved.coefficients)
    past = plain.scores(first[:ORDER])
    np.testing.assert_array_equal(plain.levels(first[ORDER:], past)[0], moved.levels(np.exp(first[ORDER:]), past)[0])


@pytest.mark.parametrize("phi", [0.5, 0.8])
def test_an_autoregression_is_learned_a_little_longer_than_it_is(phi: float) -> None:
    values = np.zeros(4000)
    for step, noise in enumerate(np.random.default_rng(2).normal(size=4000)):
        values[step] = phi * values[step - 1] + noise
    found = learn(values).coefficients
    assert phi < found[0] < phi + 0.1
    assert np.abs(found[1:]).max() < 0.1
    assert found.sum() <= 0.999


def test_noise_and_a_constant_have_no_memory_and_a_walk_has_less_than_one() -> None:
    noise = np.random.default_rng(3).normal(size=3000)
    assert np.abs(learn(noise).coefficients).max() < 0.1
    assert not learn(np.ones(100)).coefficients.any()
    assert 0.9 < learn(np.cumsum(noise)).coefficients.sum() <= 0.999


def test_levels_of_the_first_values_are_equally_frequent() -> None:
    first = np.random.default_rng(4).normal(size=1608)
    made = learn(first)
    levels, _ = made.levels(first[ORDER:], made.scores(first[:ORDER]))
    assert np.bincount(levels, minlength=16).tolist() == pytest.approx([100] * 16, abs=2)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30), st.integers(0, 30))
def test_levels_in_parts_are_levels_at_once(values: list[float], cut: int) -> None:
    first = np.random.default_rng(5).normal(size=100).cumsum()
    made, past, row = learn(first), np.zeros(ORDER), np.array(values)
    whole, last = made.levels(row, past)
    parts = []
    for part in (row[:cut], row[cut:]):
        if len(part):
            found, past = made.levels(part, past)
            parts.append(found)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(past, last)


def test_the_evidence_of_a_detector_is_that_of_its_levels() -> None:
    values = np.random.default_rng(6).normal(size=95)
    detector = OnlineDetector(1e200, history=64)
    detector.update_many(values[:64])
    assert detector.evidence == -math.inf
    detector.update_many(values[64:])
    made = learn(values[:64])
    levels, _ = made.levels(values[ORDER:], made.scores(values[:ORDER]))
    past, new = levels[: 64 - ORDER].tolist(), levels[64 - ORDER :].tolist()
    assert detector.evidence == pytest.approx(math.log(on_paper(past, new)), rel=1e-9)


def test_a_start_is_forgotten_before_its_counts_stand_still() -> None:
    """Counts of 32 bits end at 2^24, after which every start would seem to have found a law that fits ever better."""
    state, steps = DetectorState.fresh(), 2**25
    state.step, state.starts[0], state.stands_for[0] = steps, 0, SPACING
    for cell, (bits, length) in enumerate(CELLS):
        words, contexts = 1 << bits * length, 1 << bits * (length - 1)
        state.past[cell, :words], state.past_contexts[cell, :contexts] = steps / words, steps / contexts
    state.counts[0], state.contexts[0] = np.minimum(state.past, 2**24), np.minimum(state.past_contexts, 2**24)
    done, _ = state.read(np.random.default_rng(0).integers(0, 16, 200), 1e9)
    assert done == 200
