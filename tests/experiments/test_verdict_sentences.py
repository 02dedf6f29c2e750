"""What a verdict says in words: its sentence, what would settle it, and how numbers are written."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from shoal.experiments import Control
from shoal.experiments.verdict import Effect, needed_sentence, number_text, verdict_sentence


def effect(**changes: Any) -> Effect:
    values: dict[str, Any] = {
        "measure": "exact match", "estimate": 0.25, "low": 0.2, "high": 0.3, "confidence": 0.95, "smallest": 0.1,
        "p_value": 0.03125, "smallest_p_value": 0.03125, "method": "exact", "differences": (0.2,) * 6,
        "seeds": (0, 1, 2, 3, 4, 5), "difference_sd": 0.01,
    }  # fmt: skip
    return Effect(**values | changes)


def said(word: Any, one: Effect, *, items: int = 40, controls: tuple[Control, ...] = ()) -> str:
    return verdict_sentence(word, one, treatment="pretrained", baseline="random", items=items, controls=controls)


@pytest.mark.parametrize(
    ("word", "changes", "sentence"),
    [
        (
            "supported",
            {},
            (
                "Pretrained beats random by 0.25 in exact match (95% interval 0.2 to 0.3; 6 seeds, 40 "
                "held-out items); an "
                "effect of 0.1 matters."
            ),
        ),
        (
            "refuted",
            {"estimate": 0.01, "low": -0.03, "high": 0.05},
            (
                "If pretrained is better than random in exact match, it is by less than the 0.1 that "
                "matters: the effect "
                "is 0.01 (95% interval -0.03 to 0.05; 6 seeds, 40 held-out items)."
            ),
        ),
        (
            "underpowered",
            {"seeds": (0,), "low": -math.inf, "high": math.inf},
            (
                "Pretrained beats random by 0.25 in exact match, but 1 seed, 40 held-out items cannot "
                "exclude anything: "
                "with fewer than 6 seeds no result reaches 95%."
            ),
        ),
        (
            "underpowered",
            {"seeds": (0, 1), "low": -math.inf, "high": math.inf, "confidence": 0.99},
            (
                "Pretrained beats random by 0.25 in exact match, but 2 seeds, 40 held-out items cannot "
                "exclude anything: "
                "with fewer than 8 seeds no result reaches 99%."
            ),
        ),
        (
            "underpowered",
            {"low": -0.1, "high": 0.6},
            (
                "The result is inconclusive: pretrained beats random by 0.25 in exact match, and the 95% "
                "interval -0.1 to "
                "0.6 (6 seeds, 40 held-out items) excludes neither an effect of 0.1, which would matter, nor a smaller "
                "one."
            ),
        ),
        (
            "underpowered",
            {"estimate": 0.0, "low": -0.05, "high": 0.05},
            (
                "The result is inconclusive: pretrained and random are equal in exact match, and the 95% "
                "interval -0.05 to "
                "0.05 lies below the 0.1 that matters, but 6 seeds, 40 held-out items that spread this much would have "
                "found an effect of 0.1 with a power of less than 80%."
            ),
        ),
        (
            "underpowered",
            {"estimate": -0.2, "low": -0.3, "high": -0.1},
            (
                "Pretrained falls behind random by 0.2 in exact match, the opposite of the hypothesis: the "
                "95% interval "
                "-0.3 to -0.1 lies below 0. It is not called refuted only because 6 seeds, 40 held-out "
                "items that spread "
                "this much would have found an effect of 0.1 with a power of less than 80%."
            ),
        ),
    ],
)
def test_each_word_has_its_sentence(word: str, changes: dict[str, Any], sentence: str) -> None:
    assert said(word, effect(**changes)) == sentence


def test_the_failed_controls_are_why_a_comparison_answers_nothing() -> None:
    controls = tuple(
        Control(name=name, passed=passed, says=says, numbers={})
        for name, passed, says in (
            ("floor", False, "both arms stand at the floor"),
            ("leakage", True, "nothing leaked"),
            ("ceiling", False, "the baseline did not fit"),
        )
    )
    assert said("confounded", effect(), items=1, controls=controls) == (
        "The comparison cannot answer the hypothesis, since both arms stand at the floor and the "
        "baseline did not fit "
        "(pretrained beats random by 0.25 in exact match; 95% interval 0.2 to 0.3; 6 seeds, 1 held-out item)."
    )


def test_without_a_pair_there_is_no_number() -> None:
    none = effect(seeds=(), differences=(), estimate=math.nan, low=-math.inf, high=math.inf)
    lacking = Control(name="value", passed=False, says="exact match has no value", numbers={})
    line = said("confounded", none, controls=(lacking,))
    assert "(exact match has no value in both arms of any seed; 95% interval -infinity to infinity; 0 seeds," in line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1 + 0.2, "0.3"),
        (0.12345, "0.123"),
        (0.001, "0.001"),
        (0.00099, "0.00099"),
        (0.000123456, "0.00012"),
        (-0.000123456, "-0.00012"),
        (1e-12, "1e-12"),
        (100.0, "100"),
        (1200.0, "1200"),
        (12345.6789, "12345.679"),
        (math.nan, "nothing"),
        (math.inf, "infinity"),
        (-math.inf, "-infinity"),
    ],
)
def test_a_number_is_written_for_a_person(value: float, text: str) -> None:
    assert number_text(value) == text


@settings(max_examples=200, deadline=None)
@given(st.floats(min_value=-1e6, max_value=1e6, allow_nan=False))
def test_a_written_number_is_near_the_number_and_keeps_its_sign(value: float) -> None:
    text = number_text(value)
    assert float(text) == pytest.approx(value, rel=0.06, abs=0.00051 if abs(value) >= 0.001 else 0.0)
    assert (value < 0) == text.startswith("-")
    assert not text.endswith(".")


@pytest.mark.parametrize(
    ("seeds", "current", "sentence"),
    [
        (
            None,
            6,
            "no number of seeds up to 100,000 would settle it; state a larger smallest effect or reduce the spread",
        ),
        (24, 6, "24 seeds per arm, which give 80% power for a difference of 0.1"),
        (6, 6, "about twice as many seeds (12); 6 should have given 80% power for a difference of 0.1"),
        (3, 8, "about twice as many seeds (16); 8 should have given 80% power for a difference of 0.1"),
    ],
)
def test_what_would_settle_it(seeds: int | None, current: int, sentence: str) -> None:
    assert needed_sentence(seeds, current, 0.1) == sentence


@pytest.mark.parametrize(
    ("low", "high", "estimate"),
    [(0.1, 0.2, 0.15), (-math.inf, math.inf, 0.15), (-math.inf, math.inf, math.nan)],
)
def test_an_effect_survives_json(low: float, high: float, estimate: float) -> None:
    from dataclasses import asdict

    from shoal.textfiles import finite

    one = effect(low=low, high=high, estimate=estimate)
    text = json.dumps(finite(asdict(one)), allow_nan=False)
    back = Effect.from_dict(json.loads(text))
    assert repr(back) == repr(one)
