"""Sentences of crossed verdicts: what is said for each word, direction and measure."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from shoal.experiments.crossed.hypotheses import Hypothesis, Moderator, level_name
from shoal.experiments.crossed.result import BlockEffect, HypothesisResult, SecondView
from shoal.experiments.crossed.sentences import verdict_line
from shoal.experiments.measures import MEASURES
from shoal.statistics import Control

EXACT, BITS = MEASURES["exact_match"], MEASURES["bits_per_byte"]
PLAIN: dict[str, Any] = {
    "name": "h", "claim": "Pretraining helps.", "factor": "model", "treatment": "pretrained", "baseline": "random",
    "smallest_effect": 0.1,
}  # fmt: skip


def hypothesis(**changes: Any) -> Hypothesis:
    return Hypothesis.model_validate(PLAIN | changes)


def result(**changes: Any) -> HypothesisResult:
    values: dict[str, Any] = {
        "name": "h", "claim": "Pretraining helps.", "comparison": "", "direction": "better", "test": "permutation",
        "verdict": "supported", "sentence": "", "estimate": 0.25, "low": 0.2, "high": 0.3, "confidence": 0.95,
        "smallest_effect": 0.1, "p_value": 0.01, "corrected_p": 0.01, "freedom": 4.0, "detectable": None,
        "seeds_needed": None, "blocks": (BlockEffect(label="all", estimate=0.25),), "trainings": 8, "views": (),
        "controls": (), "confounds": (),
    }  # fmt: skip
    return HypothesisResult(**values | changes)


def control(name: str, says: str, *, passed: bool) -> Control:
    return Control(name=name, passed=passed, says=says, numbers={})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            (
                "Exact match is 0.25 higher with model = pretrained than with random (95% interval 0.2 to "
                "0.3; 8 trainings "
                "in 1 block); 0.1 matters."
            ),
        ),
        (
            {"trainings": 1, "blocks": (), "confidence": 0.975},
            (
                "Exact match is 0.25 higher with model = pretrained than with random (97.5% interval 0.2 to "
                "0.3; 1 training "
                "in 0 blocks); 0.1 matters."
            ),
        ),
        (
            {"verdict": "refuted", "estimate": 0.01, "low": -0.02, "high": 0.04},
            (
                "An effect of 0.1, which would matter, is excluded: exact match is 0.01 higher with model = "
                "pretrained than "
                "with random (95% interval -0.02 to 0.04; 8 trainings in 1 block)."
            ),
        ),
        (
            {"verdict": "refuted", "direction": "worse", "estimate": -0.01, "low": -0.02, "high": 0.04},
            (
                "A loss of 0.1, which would matter, is excluded: exact match is 0.01 lower with model = "
                "pretrained than "
                "with random (95% interval -0.02 to 0.04; 8 trainings in 1 block)."
            ),
        ),
        (
            {"verdict": "refuted", "direction": "different", "estimate": 0.0005, "low": -0.02, "high": 0.04},
            (
                "A difference of 0.1, which would matter, is excluded: exact match is 0.0005 higher with "
                "model = pretrained "
                "than with random (95% interval -0.02 to 0.04; 8 trainings in 1 block)."
            ),
        ),
        (
            {"verdict": "underpowered", "estimate": 0.2, "low": -0.05, "high": 0.45},
            (
                "The result is inconclusive: exact match is 0.2 higher with model = pretrained than with "
                "random, and the 95% "
                "interval -0.05 to 0.45 excludes neither an effect of 0.1, which would matter, nor none (8 "
                "trainings in 1 "
                "block)."
            ),
        ),
        (
            {"verdict": "underpowered", "low": -math.inf, "high": math.inf},
            (
                "Exact match is 0.25 higher with model = pretrained than with random, but 8 trainings in 1 "
                "block cannot "
                "exclude anything: add seeds or blocks."
            ),
        ),
        (
            {"verdict": "underpowered", "estimate": math.nan, "low": math.nan, "high": math.nan},
            "The result is inconclusive: exact match has no value on one side (8 trainings in 1 block).",
        ),
        (
            {"verdict": "underpowered", "estimate": 0.3, "low": 0.05, "high": 0.55},
            (
                "The result is inconclusive: exact match is 0.3 higher with model = pretrained than with "
                "random, and the "
                "effect is not clear after the correction for several hypotheses, or below the one that "
                "matters (95% "
                "interval 0.05 to 0.55)."
            ),
        ),
        (
            {"verdict": "underpowered", "estimate": 0.02, "low": -0.03, "high": 0.07, "corrected_p": 0.2},
            (
                "The result is inconclusive: exact match is 0.02 higher with model = pretrained than with "
                "random; the 95% "
                "interval -0.03 to 0.07 excludes an effect of 0.1, which would matter, but not after the "
                "correction for "
                "several hypotheses (8 trainings in 1 block)."
            ),
        ),
        (
            {"verdict": "underpowered", "estimate": 0.02, "low": -0.03, "high": 0.07},
            (
                "The result is inconclusive: exact match is 0.02 higher with model = pretrained than with "
                "random; the 95% "
                "interval -0.03 to 0.07 excludes an effect of 0.1, which would matter, but trainings that "
                "spread this much "
                "would have found one with a power of less than 80% (8 trainings in 1 block)."
            ),
        ),
    ],
)
def test_a_verdict_is_said_with_its_numbers(changes: dict[str, Any], sentence: str) -> None:
    assert verdict_line(result(**changes), hypothesis(), EXACT) == sentence


@pytest.mark.parametrize(
    ("direction", "low", "high", "short"),
    [
        # The interval lies on one side of what matters: only the claim's own side counts.
        ("better", -0.4, 0.05, True),
        ("worse", -0.4, 0.05, False),
        ("different", -0.4, 0.05, False),
        ("better", -0.05, 0.4, False),
        ("worse", -0.05, 0.4, True),
        ("different", -0.05, 0.4, False),
        ("different", -0.05, 0.05, True),
        ("better", -0.05, 0.1, False),
    ],
)
def test_an_interval_that_falls_short_is_judged_by_the_direction(
    direction: str, low: float, high: float, short: bool
) -> None:
    found = result(verdict="underpowered", direction=direction, estimate=0.01, low=low, high=high)
    assert ("with a power of less than 80%" in verdict_line(found, hypothesis(), EXACT)) == short


def test_less_is_read_as_it_is_measured() -> None:
    # The estimate counts what is better; bits per byte that are better are fewer.
    line = verdict_line(result(), hypothesis(), BITS)
    assert line.startswith(
        f"{BITS.label[0].upper()}{BITS.label[1:]} is 0.25 lower with model = pretrained than with ran"
    )
    worse = verdict_line(result(estimate=-0.25, low=-0.3, high=-0.2), hypothesis(), BITS)
    assert "is 0.25 higher with" in worse


def test_the_limits_of_a_claim_are_named() -> None:
    one = hypothesis(where={"task": "addition", "size": 40, "frozen": True})
    line = verdict_line(result(), one, EXACT)
    assert "than with random, where task is addition, size is 40 and frozen is true (95%" in line


@pytest.mark.parametrize(("estimate", "way"), [(0.25, "larger"), (-0.25, "smaller")])
@pytest.mark.parametrize("measure", [EXACT, BITS], ids=["more is better", "less is better"])
def test_an_interaction_is_a_gain_that_is_larger_or_smaller(estimate: float, way: str, measure: Any) -> None:
    one = hypothesis(moderator={"factor": "size", "treatment": 40, "baseline": 10.0})
    line = verdict_line(result(estimate=estimate), one, measure)
    assert line.startswith(
        f"What model = pretrained gains in {measure.label} over random is 0.25 {way} at size = 40 than at 10 ("
    )


def test_only_the_controls_that_failed_are_named() -> None:
    controls = (
        control("a", "both sides stand at the floor", passed=False),
        control("b", "nothing leaked", passed=True),
        control("c", "the baseline did not fit", passed=False),
        control("d", "labels did not matter", passed=False),
    )
    line = verdict_line(result(verdict="confounded", controls=controls), hypothesis(), EXACT)
    assert line == (
        "The comparison cannot answer the hypothesis, since both sides stand at the floor, the "
        "baseline did not fit "
        "and labels did not matter (exact match is 0.25 higher with model = pretrained than with "
        "random; 95% interval "
        "0.2 to 0.3; 8 trainings in 1 block)."
    )
    assert "leaked" not in line


def test_equal_sides_are_called_equal() -> None:
    equal = result(verdict="refuted", estimate=0.0, low=-0.01, high=0.01)
    assert "exact match is the same with model = pretrained as with random (" in verdict_line(
        equal, hypothesis(), EXACT
    )
    one = hypothesis(moderator={"factor": "size", "treatment": 40, "baseline": 10})
    assert (
        "what model = pretrained gains in exact match over random is the same at size = 40 as at 10 ("
        in verdict_line(equal, one, EXACT)
    )


def test_a_confounded_comparison_without_a_value_says_so() -> None:
    lacking = result(
        verdict="confounded", estimate=math.nan, low=-math.inf, high=math.inf,
        controls=(control("floor", "no training has a value", passed=False),),
    )  # fmt: skip
    line = verdict_line(lacking, hypothesis(), EXACT)
    assert "exact match has no value on one side; 95% interval -infinity to infinity" in line
    assert "nothing" not in line


@pytest.mark.parametrize(
    ("level", "name"),
    [
        ("random", "random"),
        (40, "40"),
        (40.0, "40"),
        (0.25, "0.25"),
        (1e-05, "1e-05"),
        (True, "true"),
        (False, "false"),
        ("größer", "größer"),
    ],
)
def test_a_level_is_called_as_in_the_file(level: Any, name: str) -> None:
    assert level_name(level) == name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baseline": "pretrained"}, "compares model = pretrained with itself; name two levels"),
        ({"treatment": 40, "baseline": 40.0}, "compares model = 40 with itself"),
        ({"treatment": True, "baseline": "true"}, "compares model = true with itself"),
        (
            {"moderator": {"factor": "model", "treatment": "a", "baseline": "b"}},
            "has 'model' as factor and as moderator",
        ),
        (
            {"moderator": {"factor": "size", "treatment": 1, "baseline": 1.0}},
            "compares size = 1 with itself; name two levels",
        ),
        ({"where": {"model": "random"}}, "fixes 'model' in where, and compares its levels too"),
        (
            {"moderator": {"factor": "size", "treatment": 1, "baseline": 2}, "where": {"size": 1}},
            "fixes 'size' in where",
        ),
        ({"smallest_effect": 0}, "smallest_effect"),
        ({"direction": "bigger"}, "direction"),
        ({"test": "t"}, "test"),
    ],
)
def test_a_hypothesis_that_compares_nothing_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        hypothesis(**changes)


@pytest.mark.parametrize(
    ("changes", "factors", "comparison"),
    [
        ({}, ("model",), "model: pretrained - random"),
        ({"treatment": 0.5, "baseline": 1}, ("model",), "model: 0.5 - 1"),
        (
            {"where": {"task": "addition", "size": 4}},
            ("model",),
            "model: pretrained - random, where task is addition and size is 4",
        ),
        (
            {"moderator": {"factor": "size", "treatment": 40, "baseline": 10}},
            ("model", "size"),
            "model: pretrained - random, at size 40 - at 10",
        ),
        (
            {"moderator": {"factor": "size", "treatment": 40, "baseline": 10}, "where": {"frozen": False}},
            ("model", "size"),
            "model: pretrained - random, at size 40 - at 10, where frozen is false",
        ),
    ],
)
def test_a_comparison_is_told_in_short(changes: dict[str, Any], factors: tuple[str, ...], comparison: str) -> None:
    one = hypothesis(**changes)
    assert (one.factors, one.comparison) == (factors, comparison)


def test_a_moderator_knows_its_own_keys_alone() -> None:
    with pytest.raises(ValidationError, match="levels"):
        Moderator.model_validate({"factor": "size", "treatment": 1, "baseline": 2, "levels": [1]})


@pytest.mark.parametrize(
    ("view", "line"),
    [
        (SecondView(name="mixed model", estimate=0.1, low=0.0, high=0.25, p_value=0.1), "mixed model: 0.1 [0, 0.25]"),
        (
            SecondView(name="cluster", estimate=0.1, low=None, high=None, p_value=None, note="3 items"),
            "cluster: 0.1 [nothing, nothing] (3 items)",
        ),
        (
            SecondView(name="mixed model", estimate=None, low=None, high=None, p_value=None, note="it did not settle"),
            "mixed model: it did not settle",
        ),
    ],
)
def test_a_check_is_one_line(view: SecondView, line: str) -> None:
    assert view.line == line
