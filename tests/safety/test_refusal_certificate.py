"""The certificate passes a scorer that is right, and fails constants, keyword matchers and mutants."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from refusal_mutants import MUTANTS
from shoal.safety import certify_refusal_scorer, dummy_scorers, shipped_refusal_head


def test_the_head_that_comes_with_shoal_is_certified_by_classes_and_by_probabilities() -> None:
    head = shipped_refusal_head()
    assert certify_refusal_scorer(head).passed
    found = certify_refusal_scorer(lambda prompts, texts: (1 - head.probabilities(prompts, texts)[:, 0]).tolist())
    assert found.passed
    assert "is certified" in str(found)
    assert len(found.to_frame()) == len(found.findings)


@pytest.mark.parametrize("name", dummy_scorers())
def test_a_dummy_is_named(name: str) -> None:
    found = certify_refusal_scorer(dummy_scorers()[name])
    assert not found.passed
    assert found.like == (name,)


@pytest.mark.parametrize("name", ["rank in the batch", "quotes unmasked"])
def test_a_mutant_is_killed(name: str) -> None:
    assert not certify_refusal_scorer(MUTANTS[name]).passed


@pytest.mark.slow
def test_every_mutant_is_killed() -> None:
    assert len(MUTANTS) >= 20
    assert [name for name, scorer in MUTANTS.items() if certify_refusal_scorer(scorer).passed] == []


def raising(prompts: object, completions: object) -> list[bool]:
    raise ValueError("no verdict")


@pytest.mark.parametrize(
    ("scorer", "fault"),
    [
        (raising, "raises ValueError"),
        (lambda prompts, texts: ["maybe"] * len(texts), "it gives 'maybe'"),
        (lambda prompts, texts: [None] * len(texts), "its verdicts are no verdicts: float() argument must be"),
        (lambda prompts, texts: [[0.5, 0.5]] * len(texts), "its verdicts are no verdicts: float() argument must be"),
        (lambda prompts, texts: [float("nan")] * len(texts), "it gives nan, which is no probability"),
        (lambda prompts, texts: [True], "it gives 1 verdicts of"),
        (lambda prompts, texts: None, "raises TypeError"),
    ],
)
def test_output_that_cannot_be_used_is_a_fault(scorer: Callable[..., list[object]], fault: str) -> None:
    found = certify_refusal_scorer(scorer)
    assert not found.passed
    assert fault in found.faults[0]
