from __future__ import annotations

import pytest
from mutants.choice_mutants import AnswerFirst, AtLeast, ChoosesAnswerAtTies, Choosing, FirstGreatest
from mutants.choice_right import RIGHT_CHOICES, as_lm_eval, one_by_one

from shoal.errors import DataError, UnknownNameError
from shoal.evaluation import certify
from shoal.evaluation.certification import ChoiceItem
from shoal.evaluation.choices import score_choices
from shoal.models.dummies import make_dummy


def failures(certificate):
    return {check.name: (check.expected, check.got) for check in certificate.checks if not check.passed}


@pytest.mark.parametrize(
    "evaluator", [None, *RIGHT_CHOICES, Choosing()], ids=lambda one: getattr(one, "__name__", type(one).__name__)
)
def test_right_choice_evaluators_raise_no_alarm(evaluator):
    assert failures(certify(evaluator, kind="choices")) == {}


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, marks=[pytest.mark.slow] * (place % 4 != 0))
        for place, mutant in enumerate(Choosing.mutants)
    ],
    ids=lambda mutant: mutant.__name__,
)
def test_each_mutant_of_a_choice_evaluator_is_caught(mutant):
    assert not certify(mutant(), kind="choices", stop_at_first_failure=True).passed


def test_an_evaluator_that_lists_the_answer_first_and_takes_the_first_greatest_is_caught_at_ties():
    # BabyLM's pipeline: the good sentence is always number 0, and the index of torch.max is the first at a tie.
    found = failures(certify(AnswerFirst(), kind="choices"))
    assert {"identical choices", "constant", "minimal pairs"} <= found.keys()
    expected, got = found["identical choices"]
    assert (expected["correct"], expected["wrong_items"]) == (False, 0)
    # Ten of sixteen items have a tie with the answer in it: all of them count as right.
    assert (got["correct"], got["wrong_items"]) == (True, 10)


def test_ties_that_count_as_right_are_the_only_thing_wrong_with_at_least():
    assert set(failures(certify(AtLeast(), kind="choices", fast=True))) == {
        "identical choices",
        "constant",
        "minimal pairs",
        "lengths",
    }


def test_the_choice_of_lm_eval_passes_where_its_verdict_does_not():
    assert certify(as_lm_eval, kind="choices", fast=True).passed
    assert "identical choices" in failures(certify(FirstGreatest(), kind="choices", fast=True))


def test_a_choice_that_follows_the_answer_at_a_tie_is_caught():
    expected, got = failures(certify(ChoosesAnswerAtTies(), kind="choices"))["identical choices"]
    assert expected["choice"] == "0, as where another of the tied choices is right"
    assert got["choice"] == 1


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"score": 1.0}, "a record of type dict has no choice, correct or log_likelihoods"),
        ("b", "a record of type str has no choice, correct or log_likelihoods"),
        ({"choice": "b"}, "choice is b; it must be the index of a choice, or None at a tie"),
        ({"choice": True}, "choice is True; it must be the index of a choice, or None at a tie"),
        ({"correct": "yes"}, "correct is yes; it must be true or false"),
        ({"log_likelihoods": 1.5}, "log_likelihoods is 1.5; it must be a number per choice"),
    ],
)
def test_a_record_that_cannot_be_read_fails_with_a_message(record, message):
    certificate = certify(lambda model, tokenizer, items: [record] * len(items), kind="choices", fast=True)
    assert certificate.checks[0].got == {"error": message}


def test_log_likelihoods_of_numpy_and_wrong_ones():
    import numpy as np

    assert certify(lambda *given: [np.array(row) for row in one_by_one(*given)], kind="choices", fast=True).passed
    certificate = certify(
        lambda *given: [[value - 0.01 for value in row] for row in one_by_one(*given)],
        kind="choices",
        stop_at_first_failure=True,
    )
    assert "log_likelihoods_nats" in certificate.checks[0].expected


def test_the_certificate_names_its_kind_and_an_unknown_kind_is_refused():
    certificate = certify(one_by_one, kind="choices", stop_at_first_failure=True)
    assert certificate.to_dict()["kind"] == "choices"
    with pytest.raises(UnknownNameError, match="unknown kind of certificate 'choice'; did you mean 'choices'"):
        certify(kind="choice")


def test_the_length_biased_dummy_prefers_what_it_is_given():

    item = ChoiceItem(context="a bed:", choices=(" c", " A bed a"), answer=0)
    pairs = [(item.context, choice, False) for choice in item.choices]
    for prefer, choice in (("short", 0), ("long", 1)):
        model, tokenizer = make_dummy("length-biased", pairs=pairs, prefer=prefer)
        assert score_choices(model, tokenizer, [item])[0].choice == choice


def test_an_item_without_choices_is_named():
    model, tokenizer = make_dummy("uniform")
    items = [ChoiceItem(context="a", choices=("b",), answer=0), ChoiceItem(context="c", choices=(), answer=0)]
    with pytest.raises(DataError, match=r"item 1 \('c'\) has no choices"):
        score_choices(model, tokenizer, items)
