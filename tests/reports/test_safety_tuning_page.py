"""The page of an experiment on safety tuning: curve, claims, types and trade-off, worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from page_reader import HOSTILE, read_page
from shoal.errors import ExperimentFileError
from shoal.experiments.safety_tuning import SafetyTuning, load_safety_tuning
from shoal.experiments.safety_tuning.result import (
    BestNumber,
    TuningEstimate,
    TuningVerdict,
    TypeRefusals,
    measure_label,
)
from shoal.reports import safety_tuning_content
from shoal.statistics import Control

TOML = """
model = "bundled:stories"
layout = "plain"
safety_examples = [0, 1000]
seeds = 2
{more}

[instructions]
source = "i.jsonl"
examples = 10

[safe_answers]
source = "s.jsonl"

[[requests]]
source = "r.jsonl"
"""


def plan_of(tmp_path, more=""):
    path = tmp_path / "plan.toml"
    path.write_text(TOML.format(more=more), encoding="utf-8")
    return load_safety_tuning(path)


def estimate(measure, number, value):
    trainings = () if number is None else (value - 0.05, value + 0.05)
    return TuningEstimate(
        measure=measure, safety_examples=number, value=value, low=value - 0.1, high=value + 0.1, raw=value,
        by_training=trainings, items=40,
    )  # fmt: skip


def verdict(**changes):
    given = {
        "name": "suffice",
        "claim": "Safety examples lower compliance",
        "measure": "harmful_complied",
        "comparison": "1,000 against 0",
        "verdict": "supported",
        "sentence": "Compliance falls by 0.5.",
        "estimate": 0.5,
        "low": 0.25,
        "high": 0.75,
        "confidence": 0.975,
        "smallest_effect": 0.2,
        "p_value": 0.0123,
        "smallest_p_value": 0.01,
        "detectable": 0.3,
        "seeds_needed": None,
        "trainings": 4,
        "items_estimate": 0.45,
        "items_low": 0.2,
        "items_high": 0.7,
        "controls": (Control(name="leakage", passed=True, says="no request was trained on", numbers={}),),
    }
    return TuningVerdict(**{**given, **changes})


def result(tmp_path, **changes):
    numbers = (None, 0, 1000)
    values = {"harmful_complied": (0.9, 0.8, 0.3), "safe_refused": (0.0, 0.1, 0.4), "loss": (2.5, 2.0, 2.05)}
    plan = changes.pop("plan", None) or plan_of(tmp_path)
    given = {
        "folder": Path("run"),
        "plan": plan,
        "trainings": 4,
        "planned": 4,
        "estimates": tuple(
            estimate(measure, number, value)
            for measure, row in zip(plan.measures, values.values(), strict=True)
            for number, value in zip(numbers, row, strict=True)
        ),
        "types": tuple(
            TypeRefusals(
                type=kind, harmful=harmful, safety_examples=number, value=value, low=value - 0.1, high=value + 0.1,
                requests=20,
            )
            for kind, harmful, row in (
                ("contrast_homonyms", True, (0.1, 0.2, 0.7)), ("homonyms", False, (0.1, 0.1, 0.4)),
            )
            for number, value in zip(numbers, row, strict=True)
        ),
        "verdicts": (),
        "best": BestNumber(
            safety_examples=1000, costs={0: 0.9, 1000: 0.7}, excluded=(), chances={0: 0.25, 1000: 0.75}
        ),
        "empty": 0,
        "answers": 480,
        "tokens": {0: 1234.4, 1000: 56_789.0},
        "cpu_seconds": 600.0,
    }  # fmt: skip
    return SafetyTuning(**{**given, **changes})


def page_of(found, plan=""):
    return read_page(safety_tuning_content(found, plan).to_html())


def test_the_curve_has_every_measure_by_the_number_of_examples(tmp_path):
    page = page_of(result(tmp_path))
    assert page.tables[next(name for name in page.tables if name.startswith("Estimates with 95%"))][0] == [
        "Safety examples", "harmful requests complied with", "safe requests refused",
        "held-out loss (nats per token)", "Tokens",
    ]  # fmt: skip
    assert page.rows("Estimates with 95% intervals") == [
        ["before tuning", "0.900 [0.800, 1.000]", "0.000 [\N{MINUS SIGN}0.100, 0.100]", "2.500 [2.400, 2.600]", ""],
        ["0", "0.800 [0.700, 0.900]", "0.100 [0.000, 0.200]", "2.000 [1.900, 2.100]", "1,234"],
        ["1,000", "0.300 [0.200, 0.400]", "0.400 [0.300, 0.500]", "2.050 [1.950, 2.150]", "56,789"],
    ]
    assert "4 trainings of 4, 2 seeds; 10 CPU minutes" in page.part(".details")


def test_the_best_number_is_the_result_with_its_rule(tmp_path):
    page = page_of(result(tmp_path))
    assert page.part(".result") == (
        "The best number at the stated trade-off is 1,000 safety examples: it costs 0.70, where a model that never "
        "refuses costs 1, and is the best in 75% of the resamples."
    )
    rule = "harmful requests complied with + 1 x safe requests refused, the held-out loss at most 0.1 above that with 0"
    assert rule in page.text
    assert page.rows("Cost of each number") == [["0", "0.900", "25%", ""], ["1,000", "0.700", "75%", ""]]


def test_where_no_number_has_answers_of_both_kinds_that_is_the_result(tmp_path):
    nothing = float("nan")
    best = BestNumber(
        safety_examples=None, costs={0: nothing, 1000: 0.7}, excluded=(1000,), chances={0: 0.0, 1000: 0.0}
    )
    page = page_of(result(tmp_path, best=best))
    assert page.part(".result").startswith("No number of safety examples has answers to both kinds of requests")
    assert page.rows("Cost of each number") == [
        ["0", "no answers", "0%", ""],
        ["1,000", "0.700", "0%", "held-out loss too high"],
    ]


def test_types_stand_apart_for_harmful_and_safe_requests(tmp_path):
    page = page_of(result(tmp_path))
    assert page.rows("Harmful requests: the share refused") == [
        ["contrast_homonyms", "20", "0.10 [0.00, 0.20]", "0.20 [0.10, 0.30]", "0.70 [0.60, 0.80]"]
    ]
    assert page.rows("Safe requests: the share refused")[0][0] == "homonyms"


def test_a_claim_stands_with_its_numbers_and_its_controls(tmp_path):
    failed = Control(name="empty answers", passed=False, says="30% are empty", numbers={"empty": 3})
    found = result(tmp_path, verdicts=(verdict(), verdict(name="other", seeds_needed=12, controls=(failed,))))
    page = page_of(found)
    assert "suffice: supported" in page.part("h3")
    # Two claims of one caption: the later one stands.
    rows = page.rows("Safety examples lower compliance")
    assert ["To settle", "12 seeds"] in rows
    assert ["FAILED", "empty answers: 30% are empty"] in rows
    text = str(found)
    assert "SUPPORTED: Compliance falls by 0.5." in text
    assert "97.5% interval" in text
    assert "FAILED   empty answers: 30% are empty" in text
    assert "settle   12 seeds, by the spread of these" in text


def test_harm_stands_in_a_table_of_its_own_where_it_was_scored(tmp_path):
    harm = tuple(estimate("harm_in_harmful", number, 0.5) for number in (None, 0, 1000))
    found = result(tmp_path, harm=harm, harm_scorer="a judge")
    page = page_of(found)
    assert page.rows("Shares of harmful answers by a judge") == [
        [name, "0.500 [0.400, 0.600]"] for name in ("before tuning", "0", "1,000")
    ]
    assert found.to_dict()["harm_scorer"] == "a judge"
    assert "harm" not in {attrs["id"] for attrs in page_of(result(tmp_path)).all("section")}
    assert result(tmp_path).harm_rows() == []


def test_what_is_not_done_and_what_is_empty_is_noted(tmp_path):
    found = result(tmp_path, trainings=3, empty=12)
    notes = " ".join(found.notes())
    assert "12 of 480 answers are empty; they stand in no rate." in notes
    assert "3 of 4 trainings are done; give the same command again to do the rest." in notes
    assert len(result(tmp_path).notes()) == 1


def test_the_result_is_json_and_a_frame(tmp_path):
    record = json.loads(json.dumps(result(tmp_path).to_dict(), allow_nan=False))
    assert record["best"] == {
        "safety_examples": 1000, "costs": {"0": 0.9, "1000": 0.7}, "excluded": [], "chances": {"0": 0.25, "1000": 0.75},
    }  # fmt: skip
    assert record["tokens"] == {"0": 1234.4, "1000": 56_789.0}
    assert "harm" not in record
    assert len(result(tmp_path).to_frame()) == 9
    assert result(tmp_path).numbers == (None, 0, 1000)
    assert measure_label("hellaswag") == "hellaswag (accuracy)"


def test_names_and_questions_are_text(tmp_path):
    plan = plan_of(tmp_path, f"question = {json.dumps(HOSTILE, ensure_ascii=False)}")
    found = result(tmp_path, plan=plan, verdicts=(verdict(name=HOSTILE, claim=HOSTILE, sentence=HOSTILE),))
    page = page_of(found)
    assert page.part("h1") == " ".join(HOSTILE.split())
    assert "onerror=alert(1)>" in page.part("h3")


HYPOTHESIS = """
[[hypothesis]]
name = "h"
claim = "c"
measure = "{measure}"
treatment = [{treatment}]
baseline = [{baseline}]
direction = "lower"
smallest_effect = 0.2
"""


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("safety_examples = [0]", "at least 2 items"),
        ("safety_examples = [10, 0]", "give each number once, in rising order"),
        ("safety_examples = [0, 0]", "give each number once, in rising order"),
        ("seeds = 1", "greater than or equal to 2"),
        ("confidence = 0.05", "greater than or equal to 0.5"),
        ("sedes = 3", "unknown key 'sedes'; did you mean 'seeds'?"),
    ],
)
def test_a_plan_that_cannot_be_run_is_one_line(tmp_path, more, message):
    text = TOML.format(more="")
    key = more.split(" ")[0]
    lines = [line for line in text.splitlines() if not line.startswith(f"{key} ")]
    (tmp_path / "plan.toml").write_text("\n".join([more, *lines]), encoding="utf-8")
    with pytest.raises(ExperimentFileError) as fault:
        load_safety_tuning(tmp_path / "plan.toml")
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("measure", "treatment", "baseline", "message"),
    [
        ("harmful_complied", "1000", "1000", "the hypothesis 'h' has 1000 on both sides; name each number once"),
        ("harmful_complied", "500", "0", "is about 500 safety examples, with which nothing is trained"),
        ("accuracy", "1000", "0", "the hypothesis 'h' is about 'accuracy'; expected one of harmful_complied"),
    ],
)
def test_a_hypothesis_about_what_is_not_measured_is_refused(tmp_path, measure, treatment, baseline, message):
    text = TOML.format(more="") + HYPOTHESIS.format(measure=measure, treatment=treatment, baseline=baseline)
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ExperimentFileError) as fault:
        load_safety_tuning(tmp_path / "plan.toml")
    assert message in str(fault.value)
