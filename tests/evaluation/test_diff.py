"""An evaluator's records against the right ones: what differs is named by values, their units in the names."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest

from shoal.errors import CertificationError
from shoal.evaluation.certification import values_text
from shoal.evaluation.certification.item_kinds import count_right, disagreements, evaluator_records, exact_match, plain

TRUTHS = [
    {"exact_match": True, "tokens": 2, "log_likelihood": -1.0, "margin": 3.0, "token_margins": (3.0, 4.0)},
    {"exact_match": False, "tokens": 1, "log_likelihood": -2.0, "margin": -3.0, "token_margins": (-3.0,)},
]


def test_records_that_agree_have_no_disagreement():
    assert disagreements(TRUTHS, TRUTHS) == []
    assert disagreements([{"exact_match": 1}, SimpleNamespace(exact_match=False)], TRUTHS) == []


def test_wrong_verdicts_come_first_with_their_number():
    first, *others = disagreements([{"exact_match": False, "tokens": 9}, {"exact_match": True}], TRUTHS)
    assert first.expected == {"item": 0, "exact_match": True, "wrong_items": 0, "items": 2}
    assert first.got == {"item": 0, "exact_match": False, "wrong_items": 2, "items": 2}
    assert [(other.expected, other.got) for other in others] == [({"item": 0, "tokens": 2}, {"item": 0, "tokens": 9})]


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ("log_likelihood", -1.5, "log_likelihood_nats"),
        ("margin", 3.1, "margin_logits"),
        ("token_margins", (3.0, 4.5), "token_margins_logits"),
        ("token_margins", (3.0,), "token_margins_logits"),  # it may end early only behind a wrong token
    ],
)
def test_a_value_with_a_unit_has_it_in_its_name(field, value, key):
    records = [{**TRUTHS[0], field: value}, TRUTHS[1]]
    (found,) = disagreements(records, TRUTHS)
    assert set(found.expected) == set(found.got) == {"item", key}
    assert found.got[key] == plain(value)


def test_none_and_an_absent_field_are_no_disagreement():
    assert disagreements([{"exact_match": True, "margin": None}, {"exact_match": False}], TRUTHS) == []


def test_the_summaries_of_a_result_are_compared_too():
    result = SimpleNamespace(items=TRUTHS, accuracy=0.6, perplexity=math.exp(1.0))
    (found,) = disagreements(result, TRUTHS)
    assert (found.expected, found.got) == ({"accuracy": 0.5}, {"accuracy": 0.6})


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, object(), b"x" * 200])
def test_what_json_does_not_have_becomes_short_text(value):
    shown = json.loads(json.dumps(plain(value), allow_nan=False))
    assert isinstance(shown, str)
    assert len(shown) <= 60


@pytest.mark.parametrize("result", [3, "text", {"a": 1}, [1], SimpleNamespace(items=[1])])
def test_a_result_that_has_no_record_for_each_example_is_refused(result):
    with pytest.raises(CertificationError, match="the evaluator returned"):
        evaluator_records(result, 2)


def test_a_verdict_is_true_or_false():
    assert exact_match({"exact_match": 1}) is True
    with pytest.raises(CertificationError, match="has no exact_match"):
        exact_match({})
    with pytest.raises(CertificationError, match=r"exact_match is 0\.5; it must be true or false"):
        exact_match({"exact_match": 0.5})
    assert count_right(TRUTHS, 2) == 1


def test_values_read_as_a_line():
    assert values_text({"item": 3, "exact_match": True, "margin_logits": 0.123456789}) == (
        "item 3, exact_match True, margin_logits 0.123457"
    )
    assert values_text({"changed": ["weights", "mode"]}) == "changed [weights, mode]"
    assert values_text({}) == "nothing"
