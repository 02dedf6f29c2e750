"""What answers weigh and which item is worth asking, against the formulas written out."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hand_tables import SEEN, answers_to, table_of
from hypothesis import given, settings, strategies as st
from scipy import integrate

from shoal.attribution import ItemAnswer, explain_answers, explain_one_answer, pool_of
from shoal.attribution.candidates import NoiseModel, collect_evidence, race_of
from shoal.attribution.item_choice import AnswerCounts, ItemChooser
from shoal.errors import UsageError

TEXTS = st.sampled_from([" a", " b", " c", "", " ü", " 日本"])
ROWS = st.lists(TEXTS | st.none(), min_size=1, max_size=4)
NATS = st.dictionaries(TEXTS, st.floats(-30.0, -0.01), max_size=6)


def asked(answer: str, nats: dict[str, float], *, ends: bool = True) -> ItemAnswer:
    return ItemAnswer(prompt="p", expected=" a", answer=answer, ends=ends, log_probs=nats)


@given(answer=TEXTS, row=ROWS, nats=NATS, ends=st.booleans())
def test_a_race_is_a_probability_over_the_answers_that_are_compared(
    answer: str, row: list[str | None], nats: dict[str, float], ends: bool
) -> None:
    race = race_of(asked(answer, nats, ends=ends), row)
    assert sum(race.values()) == pytest.approx(1.0)
    assert all(0.0 <= weight <= 1.0 for weight in race.values())
    own, *others = race
    assert own.startswith(answer)
    assert set(others) == {text for text in row if text is not None} - {own}
    assert race[own] == max(race.values()) or own not in row


@given(row=st.lists(TEXTS, min_size=1, max_size=4), nats=st.lists(st.floats(-9.0, -0.01), min_size=6, max_size=6))
def test_candidates_share_by_their_probabilities_where_the_answer_leads_them(row: list[str], nats: list[float]) -> None:
    known = dict(zip([" a", " b", " c", "", " ü", " 日本"], nats, strict=True))
    answer = max(row, key=known.__getitem__)
    total = sum(math.exp(known[text]) for text in set(row))
    race = race_of(asked(answer, known), row)
    assert race == pytest.approx({text: math.exp(known[text]) / total for text in race})


@given(row=st.lists(st.sampled_from([" b", " c"]), min_size=1, max_size=3), left=st.floats(0.01, 0.9))
def test_an_answer_of_its_own_has_what_the_candidates_leave(row: list[str], left: float) -> None:
    shared = (1.0 - left) / len(set(row))
    nats = {text: math.log(shared) for text in row} | {" own": math.log(left / 2)}
    assert race_of(asked(" own", nats), row)[" own"] == pytest.approx(left)


@given(st.lists(TEXTS, max_size=30))
def test_noise_is_a_probability_of_what_was_seen_and_of_one_more_answer_each(seen: list[str]) -> None:
    noise, counts = NoiseModel(seen), Counter(seen)
    new = noise.probability(" never seen")
    assert sum(map(noise.probability, counts)) + new * (len(counts) + 1) == pytest.approx(1.0)
    for text, count in counts.items():
        assert noise.probability(text) == pytest.approx(count / (len(seen) + len(counts)))
        assert noise.probability(text) > new


def test_evidence_holds_which_class_gives_which_answer() -> None:
    columns = {"rule": [" 1", " 2", " 3"], "same": [" 1", " 2", " 3"], "other": [" 1", None, " 9"]}
    table = table_of(columns, clusters=["x", "x", "y"])
    found = collect_evidence(table, answers_to(table, [" 1", " 7", " 9"]), [" 1", " 1", " 2"])
    assert found.classes == (("rule", "same"), ("other",))
    assert found.weights_N.tolist() == [0.5, 0.5, 1.0]
    assert found.answered_NC[:, :2].tolist() == [[1, 1], [0, 0], [0, 1]]
    noise = NoiseModel([" 1", " 1", " 2"])
    assert found.answered_NC[:, 2].tolist() == [noise.probability(text) for text in (" 1", " 7", " 9")]
    # Of the second item the model's own answer stands first, then the candidate of the rule.
    assert found.given_NAC[1, :2, 0].tolist() == [0, 1]
    np.testing.assert_allclose(found.race_NA.sum(axis=1), 1.0)


def test_an_answer_that_does_not_end_is_given_by_nobody() -> None:
    table = table_of({"rule": [" 1", " 2"], "other": [" 3", " 2"]})
    found = collect_evidence(table, answers_to(table, [" 1", " 2"], ends=False), [" 1"])
    assert not found.answered_NC[:, :2].any()


PATTERNS = np.array([[0, 0, 1], [0, 1, 2], [0, 1, -1], [0, -1, -1]])


def fits(counts: AnswerCounts) -> list[float]:
    """The integral of the likelihood over how often a class gives the answer, by quadrature."""
    found = []
    for agrees, differs, chance in zip(counts.agrees_E, counts.differs_E, counts.log_chance_E, strict=True):
        value, _ = integrate.quad(
            lambda p, a=agrees, d=differs: 9 * p ** (8 + a) * (1 - p) ** d, 0, 1
        )  # the prior is beta (9, 1)
        found.append(value * math.exp(chance))
    return found


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 2)), max_size=8))
@settings(max_examples=25)
def test_the_posterior_of_the_classes_is_that_of_the_integral(observed: list[tuple[int, int]]) -> None:
    counts = AnswerCounts.empty(3)
    for pattern, outcome in observed:
        if outcome <= PATTERNS[pattern].max():
            counts.add(PATTERNS[pattern], outcome)
    weights = np.array([*fits(counts), math.exp(counts.log_chance)])
    live = np.ones(3, dtype=bool)
    np.testing.assert_allclose(counts.posterior(live), weights / weights.sum(), rtol=1e-6)
    assert counts.leader(live) == int(np.argmax(counts.posterior(live)[:-1]))
    some = np.array([True, False, True])
    left = weights * np.append(some, True)
    np.testing.assert_allclose(counts.posterior(some), left / left.sum(), rtol=1e-6)


def test_counting_an_answer_says_who_gave_it_and_how_likely_it_was_by_chance() -> None:
    counts = AnswerCounts.empty(3)
    counts.add(np.array([0, 1, -1]), 1)
    assert counts.agrees_E.tolist() == [0, 1, 0]
    assert counts.differs_E.tolist() == [1, 0, 0]
    # The first class errs in one of two other ways; the third says nothing, so all three outcomes are as likely.
    np.testing.assert_allclose(counts.log_chance_E, [-math.log(2), 0.0, -math.log(3)])
    assert counts.log_chance == pytest.approx(-math.log(3))
    before = counts.copy()
    counts.add(np.array([0, 0, 0]), -1)
    assert before.differs_E.tolist() == [1, 0, 0]
    assert counts.differs_E.tolist() == [2, 1, 1]


def information(pattern: np.ndarray, posterior: np.ndarray, agreement: np.ndarray) -> float:
    """The mutual information of the answer and the main explanation, from the joint table."""
    outcomes = int(pattern.max()) + 2  # the answers of the classes, and any other
    rows = []
    for own, agrees in zip(pattern, agreement, strict=True):
        if own < 0:
            rows.append([1 / outcomes] * outcomes)
        else:
            rows.append([agrees if k == own else (1 - agrees) / (outcomes - 1) for k in range(outcomes)])
    rows.append([1 / outcomes] * outcomes)
    joint = posterior[:, None] * np.array(rows)
    apart = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    return float((joint[joint > 0] * np.log(joint[joint > 0] / apart[joint > 0])).sum())


@pytest.mark.parametrize("seed", range(6))
def test_the_item_that_is_chosen_is_the_most_informative_one(seed: int) -> None:
    draw = np.random.default_rng(seed)
    letters = [[None if draw.random() < 0.2 else f" {draw.integers(0, 3)}" for _ in range(4)] for _ in range(25)]
    columns = {name: [row[k] for row in letters] for k, name in enumerate(("rule", "a", "b", "c"))}
    pool = pool_of(table_of(columns))
    counts = AnswerCounts.empty(len(pool.classes))
    for pattern in draw.integers(0, len(pool.patterns_UE), 3):
        counts.add(pool.patterns_UE[pattern], int(draw.integers(0, 2)))
    live = np.ones(len(pool.classes), dtype=bool)
    useful = np.ones(len(pool.patterns_UE), dtype=bool)
    (item,) = ItemChooser(pool, seed).choose(counts, live, useful, 1)
    values = [information(row, counts.posterior(live), counts.agreement()) for row in pool.patterns_UE]
    assert values[pool.pattern_of_N[item]] == pytest.approx(max(values), rel=1e-9)


def test_every_item_is_chosen_once_until_none_is_left() -> None:
    columns = {"rule": [f" {k}" for k in range(9)], "other": [f" {k % 3}" for k in range(9)]}
    pool = pool_of(table_of(columns))
    chooser, counts = ItemChooser(pool, 0), AnswerCounts.empty(2)
    live, useful = np.ones(2, dtype=bool), np.ones(len(pool.patterns_UE), dtype=bool)
    chosen = [item for _ in range(5) for item in chooser.choose(counts, live, useful, 2)]
    assert sorted(chosen) == list(range(9))
    assert not chooser.available().any()
    assert chooser.choose(counts, live, useful, 3) == []


def test_patterns_say_which_explanations_agree_on_an_item() -> None:
    columns = {"rule": [" 1", " 1", " 5"], "a": [" 1", " 2", None], "b": [" 2", " 2", " 5"]}
    pool = pool_of(table_of(columns))
    found = [pool.patterns_UE[pattern].tolist() for pattern in pool.pattern_of_N]
    assert found == [[0, 0, 1], [0, 1, 1], [0, -1, 0]]
    for item, (place, group) in itertools.product(range(3), enumerate(pool.classes)):
        assert pool.candidate(item, place) == pool.table.column(group[0])[item]


def test_of_a_rare_answer_the_shares_are_those_of_bayes_where_nothing_is_open() -> None:
    # Half of the answers are the rule's, half the shortcut's; the one that only the shortcut gives is its own.
    rule, other = [f" r{k}" for k in range(20)], [f" o{k}" for k in range(19)] + [" rare"]
    table = table_of({"rule": rule, "other": other})
    answers = answers_to(table, [*rule[:10], *other[10:]])
    found = {share.name: share for share in explain_one_answer(table, answers, SEEN, " rare")}
    assert found["other"].share > 0.99
    assert found["rule"].share == 0.0
    assert sum(share.share for share in found.values()) == pytest.approx(1.0)
    assert found["other"].low <= found["other"].share <= found["other"].high + 1e-12
    plain = {name: share.to_dict() for name, share in found.items()}
    assert plain["other"]["same_as"] == ()
    assert plain["noise"]["kind"] == "noise"


@pytest.mark.parametrize("wrong", [["item 0"], ["item 0", "item 9"], []])
def test_answers_to_other_prompts_are_refused(wrong: list[str]) -> None:
    table = table_of({"rule": [" 1", " 2"], "other": [" 2", " 1"]})
    answers = [ItemAnswer(prompt=prompt, expected=" 1", answer=" 1", ends=True, log_probs={}) for prompt in wrong]
    with pytest.raises(UsageError, match="answers") as caught:
        explain_answers(table, answers, SEEN)
    assert "\n" not in str(caught.value)
