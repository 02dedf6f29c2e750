"""Shares and rates over the number of safety examples: means over seeds, with intervals over prompts and seeds."""

from __future__ import annotations

import json
from zlib import crc32

import pytest

from refusal_rows import pair_rows, scores_of
from shoal.reports import refusal_shortcuts_page
from shoal.safety import shipped_refusal_head
from shoal.safety.shortcut import (
    FOCUS_WORD,
    PairSet,
    RefusalCurve,
    RefusalExplanation,
    compare_explanations,
    explain_refusals,
    make_minimal_pairs,
    make_refusal_curve,
)


def explained(pairs: PairSet, name: str, refuses, noise: int = 0) -> RefusalExplanation:
    """What explains a model that goes by a rule, but for a share of prompts that depends on the number."""
    scores = scores_of(
        pairs.prompts(), lambda one: refuses(one) != bool(noise and crc32(one.prompt.encode()) % noise == 0)
    )
    return explain_refusals(scores, pairs, name=name)


def curve_of(pairs: PairSet, models: dict[int | None, list[RefusalExplanation]]) -> RefusalCurve:
    every = compare_explanations([one for found in models.values() for one in found], pairs)
    return make_refusal_curve(models, pairs, every, shipped_refusal_head().errors["refused"])


@pytest.fixture(scope="module")
def curve() -> RefusalCurve:
    pairs = make_minimal_pairs(pair_rows())
    word = [explained(pairs, f"100-seed-{seed}", lambda one: one.has_focus, noise) for seed, noise in enumerate((7, 9))]
    rule = [explained(pairs, f"300-seed-{seed}", lambda one: one.harmful, noise) for seed, noise in enumerate((9, 9))]
    never = explained(pairs, "untuned", lambda _: False)
    return curve_of(pairs, {None: [never], 100: [*word, explained(pairs, "100-seed-2", lambda _: False)], 300: rule})


def test_each_number_has_the_verdicts_and_mean_shares_of_its_seeds(curve: RefusalCurve) -> None:
    before, hundred, three_hundred = curve.points
    assert (before.verdict, before.shares, before.refusing) == ("no refusals", (), 0)
    assert hundred.verdicts == {f"shortcut: {FOCUS_WORD}": 2, "no refusals": 1}
    assert three_hundred.verdict == "rule (2 of 2)"
    word = next(share for share in hundred.shares if share.name == FOCUS_WORD)
    assert len(word.by_training) == 2  # the one that refuses nothing has no share
    assert word.share == pytest.approx(sum(word.by_training) / 2)
    assert "100: 1 training of 3 refuse nothing." in str(curve)
    assert curve.sentence.startswith("Before tuning 0 of 250 answers refuse; with 100 safety examples ")
    assert curve.sentence.endswith("answers refuse, by the rule (harm).")


def test_seeds_that_differ_widen_the_interval_and_equal_ones_leave_that_over_prompts(curve: RefusalCurve) -> None:
    by_name = {model.name: model for model in curve.explanations.models}
    one = by_name["300-seed-0"].share_of("rule")
    pooled = next(share for share in curve.points[2].shares if share.name == "rule")
    assert one is not None
    assert (pooled.low, pooled.high) == pytest.approx((one.low, one.high))
    word = next(share for share in curve.points[1].shares if share.name == FOCUS_WORD)
    single = [by_name[f"100-seed-{seed}"].share_of(FOCUS_WORD) for seed in range(2)]
    assert word.high - word.low > max(one.high - one.low for one in single if one is not None)


def test_rates_are_over_all_seeds_and_the_curve_is_shown_as_text_table_and_page(curve: RefusalCurve) -> None:
    cell = next(cell for cell in curve.points[1].cells if cell.has_focus and not cell.harmful)
    assert 0.5 < cell.refused.raw < 0.67  # two of three seeds refuse nearly all of them
    assert cell.refused.low < cell.refused.corrected < cell.refused.high
    assert curve.share_names[0] == "rule"
    assert set(curve.to_frame()["safety_examples"]) == {100, 300}
    assert json.loads(json.dumps(curve.to_dict()))["points"][2]["safety_examples"] == 300
    assert "Refusals by number of safety examples" in refusal_shortcuts_page(curve)
