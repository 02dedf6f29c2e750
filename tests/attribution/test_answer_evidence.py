"""The evidence of answers: what runs against what with which weight, and how noise would answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hand_tables import answers_to, table_of

from shoal.attribution import ItemAnswer
from shoal.attribution.candidates import NoiseModel, collect_evidence, race_of
from shoal.errors import UsageError


def answer(text: str, log_probs: dict[str, float], *, ends: bool = True) -> ItemAnswer:
    return ItemAnswer(prompt="item 0", expected=" a", answer=text, ends=ends, log_probs=log_probs)


def test_a_greedy_answer_alone_has_all_weight() -> None:
    assert race_of(answer(" a", {}), [" a", " b"]) == {" a": 1.0, " b": 0.0}


def test_candidates_share_the_weight_by_their_probabilities() -> None:
    race = race_of(answer(" a", {" a": math.log(0.6), " b": math.log(0.2)}), [" a", " b", None])
    assert race == pytest.approx({" a": 0.75, " b": 0.25})


@pytest.mark.parametrize("more", [1e-6, 1.0, 700.0])
def test_a_more_probable_candidate_never_overrules_the_greedy_answer(more: float) -> None:
    race = race_of(answer(" a long answer", {" a long answer": -800.0, " b": -800.0 + more}), [" a long answer", " b"])
    assert race == {" a long answer": 1.0, " b": 0.0}


@pytest.mark.parametrize("nats", [-1e-9, -5.0, -2000.0])
def test_the_greedy_answer_of_the_candidates_has_the_greatest_weight_however_improbable_it_is(nats: float) -> None:
    race = race_of(answer(" a", {" a": nats, " b": nats - 1, " c": -math.inf}), [" a", " b", " c"])
    assert max(race, key=lambda text: race[text]) == " a"
    assert sum(race.values()) == pytest.approx(1)
    assert race[" c"] == 0


def test_an_answer_that_is_no_candidate_has_what_the_candidates_leave() -> None:
    race = race_of(answer(" other", {" other": math.log(0.3), " a": math.log(0.1)}), [" a", " b"])
    assert race == pytest.approx({" other": 0.9, " a": 0.1, " b": 0.0})


def test_the_text_of_a_candidate_that_does_not_end_is_another_answer() -> None:
    race = race_of(answer(" a", {" a": math.log(0.2)}, ends=False), [" a"])
    assert len(race) == 2
    assert race[" a"] == pytest.approx(0.2)
    # Without log-probabilities nothing speaks for the candidate.
    assert race_of(answer(" a", {}, ends=False), [" a"])[" a"] == 0


@pytest.mark.parametrize(
    ("own", "other"),
    [
        (" 1", " 12"),  # begins like it
        (" 12", " 1"),
        ("", " "),  # empty, and a blank
        (" caf\u00e9", " cafe\u0301"),  # composed and decomposed: the same to a reader, and not as tokens
        (" A", " a"),
        (" a", " a\n"),
    ],
)
def test_answers_are_compared_character_by_character(own: str, other: str) -> None:
    table = table_of({"rule": [other], "mine": [own]})
    evidence = collect_evidence(table, answers_to(table, [own]), [])
    assert evidence.answered_NC[0, :2].tolist() == [0.0, 1.0]
    assert race_of(answer(own, {}), [other])[own] == 1.0


def test_an_empty_answer_of_the_rule_is_given_by_an_empty_text_that_ends() -> None:
    table = table_of({"rule": ["", " x"], "other": [" y", " x"]})
    ended = collect_evidence(table, answers_to(table, ["", " x"]), [" x"])
    assert ended.answered_NC[:, 0].tolist() == [1.0, 1.0]
    endless = collect_evidence(table, answers_to(table, ["", " x"], ends=False), [" x"])
    assert not endless.answered_NC[:, :2].any()


def test_races_sum_to_one_and_every_answer_can_come_from_noise() -> None:
    table = table_of({"rule": [" a", " b"], "other": [" a", " c"], "silent": [None, " b"]})
    evidence = collect_evidence(table, answers_to(table, [" a", " nothing of these"]), [" a", " b"])
    assert evidence.race_NA.sum(axis=1) == pytest.approx([1, 1])
    present = evidence.race_NA > 0
    assert (evidence.given_NAC[..., -1][present] > 0).all()
    assert evidence.answered_NC[1].tolist()[:-1] == [0.0] * len(evidence.classes)


def test_items_of_one_cluster_weigh_as_one() -> None:
    table = table_of({"rule": [" a"] * 4, "other": [" b"] * 4}, clusters=["x", "x", "x", "y"])
    evidence = collect_evidence(table, answers_to(table, [" a"] * 4), [])
    assert evidence.weights_N == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])


def test_noise_answers_as_often_as_training_did_and_its_probabilities_sum_to_one() -> None:
    seen = [" yes"] * 6 + [" no"] * 3 + [" perhaps"]
    noise = NoiseModel(seen)
    known = [noise.probability(text) for text in (" yes", " no", " perhaps")]
    assert known[0] == pytest.approx(2 * known[1])
    # What is left is dealt to one more unseen answer than were seen.
    assert sum(known) + 4 * noise.probability(" never seen") == pytest.approx(1)
    assert noise.probability(" never seen") < known[2]


@pytest.mark.parametrize("seen", [[], [" a"], [" a"] * 1000, [f" {number}" for number in range(1000)]])
def test_noise_gives_every_answer_a_probability(seen: list[str]) -> None:
    noise = NoiseModel(seen)
    for text in (" a", " never seen", ""):
        assert 0 < noise.probability(text) <= 1


def test_explanations_that_apply_to_no_item_explain_nothing() -> None:
    table = table_of({"rule": [" a"], "silent": [None]}).of(["silent"])
    with pytest.raises(UsageError, match=r"the explanations \(silent\) give no answer to any of the 1 items"):
        collect_evidence(table, answers_to(table, [" a"]), [])


def test_equal_prompts_with_answers_in_another_order_are_no_fault_but_other_prompts_are() -> None:
    table = table_of({"rule": [" a", " b"], "other": [" b", " a"]}, prompts=["same", "same"], clusters=["x", "x"])
    evidence = collect_evidence(table, answers_to(table, [" a", " a"]), [])
    assert np.array_equal(evidence.answered_NC[:, :2], [[1, 0], [0, 1]])
    other = table_of({"rule": [" a", " b"]}, prompts=["same", "another"])
    with pytest.raises(UsageError, match="one answer for each item, in the same order"):
        collect_evidence(other, answers_to(table, [" a", " a"]), [])
