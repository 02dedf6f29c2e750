"""What a tuning did to probes is judged over seeds by the rule of every hypothesis."""

from __future__ import annotations

import json

import pytest

from shoal.safety import PromptScore
from shoal.safety.probing import Probe, ProbeClaim, judge_claims
from shoal.statistics import ErrorRates

ERRORS = ErrorRates(sensitivity=0.95, specificity=0.95, positives=200, negatives=200)


def judged(seeds: int, after, *, harmful: bool = True, empty: int = 0) -> ProbeClaim:
    """Each seed has two probes, none of which the first model refuses; the second refuses where a function says so."""
    probes = [
        Probe(
            prompt=f"{seed} {form}", seed=f"{seed}", harmful=harmful, type="", mutation=form, family=form, part="test"
        )
        for seed in range(seeds)
        for form in ("plain", "role")
    ]

    def score(probe: Probe, refused: bool) -> PromptScore:
        conduct = "refusal" if refused else "compliance"
        return PromptScore(prompt=probe.prompt, conduct=conduct, refuses=float(refused))

    first = {probe.prompt: score(probe, refused=False) for probe in probes}
    second = {probe.prompt: score(probe, refused=after(int(probe.seed))) for probe in probes}
    for probe in probes[:empty]:
        second[probe.prompt] = PromptScore(prompt=probe.prompt, conduct=None, refuses=0.0)
    (claim,) = judge_claims(("before", "after"), probes, first, second, ERRORS)
    return claim


def test_a_tuning_that_works_is_supported_and_its_price_is_a_claim_of_its_own() -> None:
    works = judged(12, lambda seed: seed % 4 != 0)
    assert works.verdict == "supported"
    assert works.estimate == pytest.approx(0.75 / 0.9)
    assert works.seeds == 12  # probes of one seed are one unit
    assert judged(12, lambda seed: seed % 4 != 0, harmful=False).verdict == "supported"
    assert "Harmless probes that are refused become more by 10% or more" in str(
        judged(12, lambda _: True, harmful=False)
    )


def test_no_change_over_enough_seeds_is_refuted_and_few_seeds_are_underpowered() -> None:
    assert judged(40, lambda _: False).verdict == "refuted"
    few = judged(4, lambda _: True)
    assert few.verdict == "underpowered"
    assert json.loads(json.dumps(few.to_dict()))["low"] is None
    assert "unbounded" in str(few)


def test_empty_answers_confound_a_claim_and_leave_their_seeds_out() -> None:
    confounded = judged(12, lambda _: True, empty=4)
    assert confounded.verdict == "confounded"
    assert confounded.seeds == 10
    assert "4 of 24 probes have an empty answer" in str(confounded)
    assert judged(12, lambda _: True, empty=1).verdict == "supported"


def test_a_corrected_change_is_no_larger_than_all_probes() -> None:
    whole = judged(12, lambda seed: seed > 0)
    assert whole.estimate == 1.0
    assert 0 < whole.low < whole.high == 1.0
