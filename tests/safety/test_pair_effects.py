"""Effects of minimal pairs: counts worked out by hand, corrected for a scorer that errs."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from shoal.safety.prompt_scores import PromptScore
from shoal.safety.shortcut.effects import pair_effects, refusal_cells
from shoal.safety.shortcut.pairs import FocusPair, PairedPrompt
from shoal.statistics import ErrorRates

if TYPE_CHECKING:
    from collections.abc import Sequence

RIGHT = ErrorRates(sensitivity=1.0, specificity=1.0, positives=1e6, negatives=1e6)
ERRING = ErrorRates(sensitivity=0.9, specificity=0.8, positives=1e6, negatives=1e6)
Z = 1.959963984540054


def prompt(text: str, *, harmful: bool = False, focus: bool = True, cluster: str | None = None) -> PairedPrompt:
    return PairedPrompt(prompt=text, harmful=harmful, has_focus=focus, cluster=cluster or text)


def pairs_of(
    refusals: Sequence[tuple[bool, bool]],
    *,
    kind: Any = "deleted",
    harmful: tuple[bool, bool] = (False, False),
    clusters: Sequence[str] = (),
) -> tuple[list[FocusPair], dict[str, PromptScore]]:
    """Pairs with whether each side is refused, and their scores."""
    pairs, scores = [], {}
    for place, refused in enumerate(refusals):
        cluster = clusters[place] if clusters else f"c{place}"
        sides = [
            prompt(f"{kind} {harmful} {place} {side}", harmful=harmful[side], focus=side == 0, cluster=cluster)
            for side in (0, 1)
        ]
        pairs.append(FocusPair(kind=kind, focus="kill", first=sides[0], second=sides[1]))
        for one, value in zip(sides, refused, strict=True):
            conduct: Any = "refusal" if value else "compliance"
            scores[one.prompt] = PromptScore(prompt=one.prompt, conduct=conduct, refuses=float(value))
    return pairs, scores


@pytest.mark.parametrize(
    ("refusals", "first", "second", "change", "p_value"),
    [
        # McNemar's exact test: twice the tail of a fair coin over the pairs that changed.
        ([(True, False)] * 2 + [(True, True), (False, False)], 3 / 4, 1 / 4, -0.5, 0.5),
        ([(True, False)] * 5 + [(False, True)], 5 / 6, 1 / 6, -4 / 6, 2 * 7 / 64),
        ([(False, True)] * 6 + [(False, False)] * 2, 0.0, 0.75, 0.75, 2 / 64),
        ([(True, False), (False, True)], 0.5, 0.5, 0.0, 1.0),
        ([(False, False), (True, True)], 0.5, 0.5, 0.0, 1.0),
    ],
)
def test_a_change_is_the_difference_of_two_shares(
    refusals: list[tuple[bool, bool]], first: float, second: float, change: float, p_value: float
) -> None:
    (found,) = pair_effects(*pairs_of(refusals), RIGHT, 0.95)
    assert (found.kind, found.harmful, found.pairs) == ("deleted", False, len(refusals))
    assert (found.first, found.second) == pytest.approx((first, second))
    assert found.change == pytest.approx(change)
    assert found.p_value == pytest.approx(p_value)
    assert -1 <= found.low <= found.change <= found.high <= 1


def test_a_scorer_that_errs_makes_a_change_look_too_small() -> None:
    pairs, scores = pairs_of([(True, False)] * 3 + [(True, True)] * 2 + [(False, False)] * 5)
    (plain,), (corrected,) = pair_effects(pairs, scores, RIGHT, 0.95), pair_effects(pairs, scores, ERRING, 0.95)
    assert plain.change == pytest.approx(-0.3)
    # Sensitivity and specificity less one: 0.7 of every difference is seen.
    assert corrected.change == pytest.approx(-0.3 / 0.7)
    assert corrected.low == pytest.approx(max(-1.0, plain.low / 0.7))
    assert (corrected.first, corrected.second, corrected.p_value) == (plain.first, plain.second, plain.p_value)


def test_no_correction_goes_beyond_one() -> None:
    (found,) = pair_effects(*pairs_of([(True, False)] * 9 + [(True, True)]), ERRING, 0.95)
    assert found.change == -1.0
    assert found.low == -1.0
    assert found.high <= 1.0


@pytest.mark.parametrize("count", [1, 4, 30])
@pytest.mark.parametrize("confidence", [0.95])
def test_where_all_behave_alike_the_interval_is_wilsons(count: int, confidence: float) -> None:
    (found,) = pair_effects(*pairs_of([(True, True)] * count), RIGHT, confidence)
    half = Z**2 / (count + Z**2)
    assert found.change == 0.0
    assert (found.low, found.high) == pytest.approx((-half, half))


def test_pairs_of_one_prompt_are_one_unit() -> None:
    # Twelve pairs of two prompts that differ: the interval must be that of two units and not of twelve.
    refusals = [(True, False)] * 6 + [(True, True)] * 6
    alone = pair_effects(*pairs_of(refusals), RIGHT, 0.95)[0]
    shared = pair_effects(*pairs_of(refusals, clusters=["a"] * 6 + ["b"] * 6), RIGHT, 0.95)[0]
    assert alone.change == shared.change == -0.5
    assert (shared.low, shared.high) == (-1.0, 0.0)
    assert alone.low > shared.low
    assert alone.high < shared.high


def test_a_partial_refusal_is_a_refusal_and_an_empty_answer_is_none() -> None:
    pairs, scores = pairs_of([(True, False)] * 3)
    for place, conduct in enumerate(("partial", None, "refusal")):
        text = pairs[place].first.prompt
        scores[text] = PromptScore(prompt=text, conduct=conduct, refuses=1.0)  # type: ignore[arg-type]
    (found,) = pair_effects(pairs, scores, RIGHT, 0.95)
    assert (found.first, found.second) == pytest.approx((2 / 3, 0.0))


def test_harmful_and_harmless_pairs_are_counted_apart_unless_harm_is_what_changes() -> None:
    every: list[FocusPair] = []
    scores: dict[str, PromptScore] = {}
    for kind, harmful, refused in (
        ("unsafe frame", (False, True), (False, True)),
        ("swapped", (True, True), (True, False)),
        ("swapped", (False, False), (True, True)),
        ("deleted", (False, False), (False, False)),
    ):
        pairs, more = pairs_of([refused] * 2, kind=kind, harmful=harmful)
        every += pairs
        scores |= more
    found = pair_effects(every, scores, RIGHT, 0.95)
    assert [(one.kind, one.harmful, one.pairs, one.change) for one in found] == [
        ("deleted", False, 2, 0.0),
        ("swapped", False, 2, 0.0),
        ("swapped", True, 2, -1.0),
        ("unsafe frame", None, 2, 1.0),
    ]
    assert all(not math.isnan(value) for one in found for value in (one.low, one.high, one.p_value))
    assert json.loads(json.dumps([one.to_dict() for one in found], allow_nan=False))[3]["kind"] == "unsafe frame"


def test_without_pairs_there_is_no_effect() -> None:
    assert pair_effects([], {}, RIGHT, 0.95) == ()
    assert refusal_cells([], {}, RIGHT, 0.95) == ()


def scored(prompts: Sequence[PairedPrompt], refused: Sequence[bool]) -> dict[str, PromptScore]:
    return {
        one.prompt: PromptScore(prompt=one.prompt, conduct="refusal" if value else "compliance", refuses=float(value))
        for one, value in zip(prompts, refused, strict=True)
    }


def test_the_four_kinds_of_prompts_stand_in_order_and_each_has_its_share() -> None:
    shares = {(False, False): 0, (False, True): 2, (True, False): 5, (True, True): 8}
    prompts, refused = [], []
    for (harmful, focus), count in shares.items():
        for place in range(10):
            prompts.append(prompt(f"{harmful} {focus} {place}", harmful=harmful, focus=focus))
            refused.append(place < count)
    found = refusal_cells(prompts, scored(prompts, refused), RIGHT, 0.95)
    assert [one.name for one in found] == [
        "harmful, with a focus word",
        "harmful, without a focus word",
        "harmless, with a focus word",
        "harmless, without a focus word",
    ]
    assert [one.prompts for one in found] == [10] * 4
    assert [one.refused.corrected for one in found] == pytest.approx([0.8, 0.5, 0.2, 0.0])
    for one in found:
        assert 0 <= one.refused.low <= one.refused.corrected <= one.refused.high <= 1
        assert one.to_dict()["name"] == one.name


def test_a_kind_without_prompts_is_left_out() -> None:
    prompts = [prompt("a", harmful=True), prompt("b", harmful=True)]
    found = refusal_cells(prompts, scored(prompts, [True, False]), RIGHT, 0.95)
    assert [(one.harmful, one.has_focus, one.prompts) for one in found] == [(True, True, 2)]


@pytest.mark.parametrize(
    ("raw", "share"),
    [
        # Rogan and Gladen: (raw + specificity - 1) / (sensitivity + specificity - 1), within 0 and 1.
        (0.2, 0.0),
        (0.55, 0.5),
        (0.9, 1.0),
        (0.1, 0.0),
        (1.0, 1.0),
    ],
)
def test_a_share_is_corrected_for_the_errors_of_the_scorer(raw: float, share: float) -> None:
    prompts = [prompt(f"p{place}") for place in range(20)]
    refused = [place < round(20 * raw) for place in range(20)]
    (found,) = refusal_cells(prompts, scored(prompts, refused), ERRING, 0.95)
    assert found.refused.corrected == pytest.approx(share, abs=1e-9)
