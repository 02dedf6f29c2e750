from __future__ import annotations

import pytest
from mutants.generation_mutants import Answering, FlexibleThroughout, StopIncluded
from mutants.generation_right import RIGHT_GENERATION, token_by_token

from shoal.evaluation import certify


def failures(certificate):
    return {check.name: (check.expected, check.got) for check in certificate.checks if not check.passed}


@pytest.mark.parametrize(
    "evaluator",
    [pytest.param(one, marks=[pytest.mark.slow] * (one is not None)) for one in (None, *RIGHT_GENERATION, Answering())],
    ids=lambda one: getattr(one, "__name__", type(one).__name__),
)
def test_right_evaluators_with_generation_raise_no_alarm(evaluator):
    assert failures(certify(evaluator, kind="generation")) == {}


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, marks=[pytest.mark.slow] * (place % 14 != 1))
        for place, mutant in enumerate(Answering.mutants)
    ],
    ids=lambda mutant: mutant.__name__,
)
def test_each_mutant_of_an_evaluator_with_generation_is_caught(mutant):
    assert not certify(mutant(), kind="generation", stop_at_first_failure=True).passed


def test_a_flexible_filter_in_place_of_a_strict_one_is_caught_where_the_mark_is_missing():
    certificate = certify(FlexibleThroughout(), kind="generation", fast=True, stop_at_first_failure=True)
    expected, got = failures(certificate)["strict and flexible"]
    assert (expected["correct"], got["correct"]) == (False, True)


def test_a_text_is_shown_with_its_white_space():
    class Shown(StopIncluded):
        def record(self, item):
            return {"text": self.cut(self.generate(item), item)}

    Answering.mutants.remove(Shown)
    certificate = certify(Shown(), kind="generation", fast=True, stop_at_first_failure=True)
    expected, got = failures(certificate)["stop strings"]
    assert (expected["text"], got["text"]) == ("' a cage'", "' a cage\\n'")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"generation": "a"}, "a record of type dict has no text, answer or correct"),
        (3, "a record of type int has no text, answer or correct"),
        ({"correct": "yes"}, "correct is yes; it must be true or false"),
    ],
)
def test_a_record_that_cannot_be_read_fails_with_a_message(record, message):
    certificate = certify(lambda model, tokenizer, items: [record] * len(items), kind="generation", fast=True)
    assert certificate.checks[0].got == {"error": message}


@pytest.mark.slow
def test_records_may_be_bare_answers():
    certificate = certify(
        lambda *given: [record["answer"] for record in token_by_token(*given)],
        kind="generation",
        stop_at_first_failure=True,
        fast=True,
    )
    assert failures(certificate) == {}
