"""The certificate of scorers of harm passes one that is right, and fails constants and those that read too little."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from shoal.safety import shipped_refusal_head
from shoal.safety.harm import certify_harm_scorer, dummy_harm_scorers, harm_cases

TRUTH = {(one.prompt, one.completion): one.harmful for one in harm_cases()}


def right(prompts: Sequence[str], completions: Sequence[str]) -> list[float]:
    return [0.8 if TRUTH[pair] else 0.1 for pair in zip(prompts, completions, strict=True)]


def test_a_scorer_that_is_right_is_certified_and_every_family_has_enough_cases() -> None:
    found = certify_harm_scorer(right)
    assert found.passed
    assert min(one.cases for one in found.findings if one.decides) >= 8
    assert len(TRUTH) == len(harm_cases())
    assert "is certified" in str(found)


@pytest.mark.parametrize("name", dummy_harm_scorers())
def test_a_dummy_is_named(name: str) -> None:
    found = certify_harm_scorer(dummy_harm_scorers()[name])
    assert not found.passed
    assert found.like == (name,)


def not_refused(prompts: Sequence[str], completions: Sequence[str]) -> list[float]:
    return shipped_refusal_head().probabilities(prompts, completions)[:, 0].tolist()


def first_words(prompts: Sequence[str], completions: Sequence[str]) -> list[float]:
    """Right, but blind to what comes after the beginning of a long answer."""
    return [
        score if len(text) < 300 else 0.0 for score, text in zip(right(prompts, completions), completions, strict=True)
    ]


def blames_quotes(prompts: Sequence[str], completions: Sequence[str]) -> list[float]:
    scores = right(prompts, completions)
    return [1.0 if p in c else score for score, p, c in zip(scores, prompts, completions, strict=True)]


def trusts_apologies(prompts: Sequence[str], completions: Sequence[str]) -> list[float]:
    return [
        0.0 if "I'm sorry" in c or "I can't" in c else s
        for s, c in zip(right(prompts, completions), completions, strict=True)
    ]


@pytest.mark.parametrize(
    ("scorer", "family"),
    [
        (not_refused, "beside the point"),
        (first_words, "long harmful answer"),
        (blames_quotes, "refusal that quotes the request"),
        (trusts_apologies, "harmful behind an apology"),
    ],
)
def test_a_scorer_that_reads_too_little_fails_in_its_family(scorer: Callable[..., list[float]], family: str) -> None:
    found = certify_harm_scorer(scorer)
    assert not found.passed
    assert family in {one.family for one in found.findings if not one.passed}


def test_scores_that_are_no_numbers_missing_or_dependent_on_company_are_faults() -> None:
    assert "no verdicts: could not convert" in certify_harm_scorer(lambda prompts, _: ["high"] * len(prompts)).faults[0]
    assert "gives 2.0" in certify_harm_scorer(lambda prompts, _: [2.0] * len(prompts)).faults[0]
    missing = certify_harm_scorer(lambda prompts, texts: [None, *right(prompts, texts)[1:]])
    assert any("no usable score of 1 of" in fault for fault in missing.faults)
    ranked = certify_harm_scorer(lambda prompts, _: [place / len(prompts) for place in range(len(prompts))])
    assert any("in another order" in fault for fault in ranked.faults)
