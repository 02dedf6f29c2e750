"""The verdicts of crossed experiments whose effects are known."""

from __future__ import annotations

import json
import math
import random
from typing import TYPE_CHECKING

import pytest
from crossed_records import ITEMS, crossed, hypothesis, write_crossed

from shoal.errors import StoreError
from shoal.experiments.crossed import CrossedResult, open_crossed
from shoal.experiments.crossed.judging import judge_crossed, pooled_spread
from shoal.statistics import BlockedPermutation, holm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Right = "Callable[[Mapping[str, str], int], int]"
MORE = hypothesis(name="more", claim="More examples help.", factor="examples", treatment=20, baseline=5)


def pretrained_is_better(levels: Mapping[str, str], seed: int) -> int:
    """Six items more for pretrained weights, nothing for more examples."""
    return 5 + 6 * (levels["pretraining"] == "pretrained") + random.Random(f"{levels} {seed}").choice((0, 1))


def judged(folder: Path, right: Callable[[Mapping[str, str], int], int], **changes: object) -> CrossedResult:
    return judge_crossed(write_crossed(folder, crossed(**changes), right))


def test_a_clear_effect_is_supported_and_an_absent_one_refuted(tmp_path: Path) -> None:
    found = judged(tmp_path / "run", pretrained_is_better, hypotheses=[hypothesis(), MORE])
    pretraining, more = found.hypotheses
    assert (pretraining.verdict, more.verdict) == ("supported", "refuted")
    assert pretraining.estimate == pytest.approx(0.3, abs=0.03)
    assert pretraining.low <= pretraining.estimate <= pretraining.high
    assert [block.label for block in pretraining.blocks] == ["examples 5", "examples 10", "examples 20"]
    assert "exact match is 0.3" in pretraining.sentence.lower()
    assert "higher with pretraining = pretrained than with random" in pretraining.sentence
    assert more.high < 0.1
    assert found.trainings == 24
    assert len(found.cells) == 6


def test_the_numbers_are_those_of_the_test_within_blocks(tmp_path: Path) -> None:
    experiment = crossed(hypotheses=[hypothesis(), MORE])
    run = write_crossed(tmp_path / "run", experiment, pretrained_is_better)
    values = {name: [each.value("exact_match") for each in rows] for name, rows in run.trainings.items()}
    sides = [
        [values[f"pretraining={level},examples={size}"] for size in (5, 10, 20)] for level in ("pretrained", "random")
    ]
    test = BlockedPermutation(*sides)  # type: ignore[arg-type]
    found = judge_crossed(run)
    assert found.hypotheses[0].estimate == pytest.approx(test.estimate)
    assert found.hypotheses[0].p_value == pytest.approx(test.p_value())
    assert (found.hypotheses[0].low, found.hypotheses[0].high) == pytest.approx(test.interval(0.95))
    decisive = [test.p_value(), min(1.0, 2 * judge_one_sided(found))]
    assert [each.corrected_p for each in found.hypotheses] == pytest.approx(list(holm(decisive)))


def judge_one_sided(found: CrossedResult) -> float:
    """The one-sided p-value of an effect that matters, of the second hypothesis."""
    cells = {(cell.levels["pretraining"], cell.levels["examples"]): list(cell.values) for cell in found.cells}
    sides = [[cells[level, size] for level in ("pretrained", "random")] for size in ("20", "5")]
    return BlockedPermutation(*sides).one_sided(0.1)[1]


def test_an_interaction_is_the_difference_of_differences(tmp_path: Path) -> None:
    def right(levels: Mapping[str, str], seed: int) -> int:
        gain = {"5": 10, "10": 5, "20": 0}[levels["examples"]] * (levels["pretraining"] == "pretrained")
        return 5 + gain + random.Random(f"{levels} {seed}").choice((0, 1))

    at = {"factor": "examples", "treatment": 5, "baseline": 20}
    # 8 seeds: one block of two groups of four differences cannot reach 95%.
    found = judged(tmp_path / "run", right, hypotheses=[hypothesis(moderator=at)], seeds=8)
    [result] = found.hypotheses
    assert result.verdict == "supported"
    assert result.estimate == pytest.approx(0.5, abs=0.05)
    assert "larger at examples = 5 than at 20" in result.sentence


def test_few_noisy_trainings_are_underpowered_and_say_what_would_settle_it(tmp_path: Path) -> None:
    def right(levels: Mapping[str, str], seed: int) -> int:
        return random.Random(f"{levels} {seed}").randrange(0, ITEMS)

    [result] = judged(tmp_path / "run", right, seeds=2).hypotheses
    assert result.verdict == "underpowered"
    assert result.seeds_needed is not None
    assert result.seeds_needed > 2
    assert "inconclusive" in result.sentence


def test_a_claim_that_it_is_worse_or_that_it_differs_has_its_own_rule(tmp_path: Path) -> None:
    claims = [hypothesis(name=way, direction=way) for way in ("better", "worse", "different")]
    found = judged(tmp_path / "run", pretrained_is_better, hypotheses=claims)
    assert [each.verdict for each in found.hypotheses] == ["supported", "refuted", "supported"]
    nothing = judged(tmp_path / "none", lambda levels, seed: 8 + seed % 2, hypotheses=claims)
    assert [each.verdict for each in nothing.hypotheses] == ["refuted"] * 3


@pytest.mark.parametrize("test", ["permutation", "cluster"])
def test_an_effect_that_is_there_and_too_small_to_matter_is_refuted(tmp_path: Path, test: str) -> None:
    def a_little_better(levels: Mapping[str, str], seed: int) -> int:
        return 8 + 3 * (levels["pretraining"] == "pretrained") + (seed == 0)

    # Nearer to what matters than to nothing: .15 of .2.
    changes = {"hypotheses": [hypothesis(smallest_effect=0.2, test=test)]}
    measure = {"primary": "exact_match", "correction": "none"}
    [result] = judged(tmp_path / "run", a_little_better, seeds=5, measure=measure, **changes).hypotheses
    assert result.estimate == pytest.approx(0.15)
    if test == "permutation":
        assert 0 < result.low < result.high < 0.2
        assert result.verdict == "refuted"
    else:
        # Over 20 items the interval is wide, and the claim that nothing matters decides all the same.
        assert result.corrected_p > result.p_value


def test_few_items_leave_the_cluster_test_few_degrees_of_freedom(tmp_path: Path) -> None:
    run = write_crossed(tmp_path / "run", crossed(hypotheses=[hypothesis(test="cluster")]), pretrained_is_better)
    plain = judge_crossed(run).hypotheses[0]
    for place in (tmp_path / "run" / "cells").rglob("after.jsonl"):
        rows = [json.loads(line) for line in place.read_text().splitlines()]
        rows = [row | {"tags": {"group": row["index"] % 2}} for row in rows]
        place.write_text("".join(json.dumps(row) + "\n" for row in rows))
    grouped = judge_crossed(open_crossed(tmp_path / "run")).hypotheses[0]
    assert grouped.freedom == 1
    assert plain.freedom > 1
    # Half of the interval is t(.975, 1) standard errors, and what is found is 16.3 of them.
    assert grouped.detectable == pytest.approx((grouped.high - grouped.low) / 2 / 12.706 * 16.334, rel=1e-3)


def test_an_interval_below_what_matters_is_not_said_to_include_it(tmp_path: Path) -> None:
    def right(levels: Mapping[str, str], seed: int) -> int:
        return 5 + random.Random(f"{levels} {seed}").choice((0, 4))

    names = [f"claim-{number}" for number in range(30)]
    found = judged(tmp_path / "run", right, hypotheses=[hypothesis(name=name, smallest_effect=0.105) for name in names])
    result = found.hypotheses[0]
    assert result.high < result.smallest_effect
    assert result.verdict == "underpowered"
    assert "excludes an effect of 0.105, which would matter, but not after the correction" in result.sentence


def test_a_floor_confounds(tmp_path: Path) -> None:
    [result] = judged(tmp_path / "run", lambda levels, seed: 0).hypotheses
    assert result.verdict == "confounded"
    assert "stands at its floor, 0" in result.sentence


def test_a_side_that_does_not_fit_its_training_examples_confounds(tmp_path: Path) -> None:
    controls = {"training_ceiling": {"measure": "agreed_prefix", "threshold": 1.1}}
    [result] = judged(tmp_path / "run", pretrained_is_better, controls=controls).hypotheses
    assert result.verdict == "confounded"
    assert "treatment and baseline did not fit the training examples" in result.sentence
    assert "at least 1.1 is required" in result.sentence
    controls = {"training_ceiling": {"measure": "bits_per_byte", "threshold": -1.0}}
    [result] = judged(tmp_path / "bits", pretrained_is_better, controls=controls).hypotheses
    assert "at most -1 is required" in result.sentence


def test_what_else_differs_is_named(tmp_path: Path) -> None:
    found = judged(tmp_path / "run", pretrained_is_better, hypotheses=[hypothesis(), MORE])
    pretraining, more = ({c.name for c in each.confounds if c.present} for each in found.hypotheses)
    assert pretraining == set()
    assert more == {"training steps"}


def test_files_of_rows_that_hold_out_the_same_items_are_no_confound(tmp_path: Path) -> None:
    for name in ("one", "two"):
        parts = ("seen", "seen", "held_out")
        rows = [{"prompt": f"{name} {n}", "completion": f" {n}", "part": part} for n, part in enumerate(parts)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tasks = {name: {"name": "mine", "rows": str(tmp_path / f"{name}.jsonl")} for name in ("one", "two")}
    claim = hypothesis(factor="task", treatment="one", baseline="two")
    changes = {"task": tasks["one"], "factors": {"task": tasks}, "split": {"name": "part"}, "hypotheses": [claim]}
    run = write_crossed(tmp_path / "run", crossed(**changes), lambda levels, seed: 5 + seed % 2)
    assert "items" not in {each.name for each in judge_crossed(run).hypotheses[0].confounds if each.present}
    for place in (tmp_path / "run" / "cells" / "task=one").glob("*/after.jsonl"):
        place.write_text(place.read_text().replace('"prompt": "', '"prompt": "another '))
    [result] = judge_crossed(open_crossed(tmp_path / "run")).hypotheses
    assert "items" in {each.name for each in result.confounds if each.present}


def test_the_cluster_test_may_decide_and_the_other_is_a_check(tmp_path: Path) -> None:
    found = judged(tmp_path / "run", pretrained_is_better, hypotheses=[hypothesis(test="cluster")])
    [result] = found.hypotheses
    assert [view.name for view in result.views] == ["permutation within blocks"]
    wide = judged(tmp_path / "other", pretrained_is_better).hypotheses[0]
    [view] = wide.views
    # The same items answer in all trainings, so that the interval over items is far wider.
    assert view.low is not None
    assert (view.low, view.high) == pytest.approx((result.low, result.high))
    assert view.low < wide.low


def test_the_mixed_model_is_a_check_with_the_same_estimate(tmp_path: Path) -> None:
    pytest.importorskip("statsmodels")
    measure = {"primary": "exact_match", "mixed_model": True}
    [result] = judged(tmp_path / "run", pretrained_is_better, measure=measure).hypotheses
    mixed = next(view for view in result.views if view.name == "mixed model")
    assert mixed.note
    if mixed.estimate is not None:
        assert mixed.estimate == pytest.approx(result.estimate)


def test_a_result_is_read_back_from_its_json_and_is_a_table(tmp_path: Path) -> None:
    found = judged(tmp_path / "run", pretrained_is_better, hypotheses=[hypothesis(), MORE], seeds=2)
    assert CrossedResult.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert list(found.to_frame()["verdict"]) == [each.verdict for each in found.hypotheses]
    assert len(found.cells_frame()) == 6
    text = str(found)
    assert "hypothesis  Pretraining helps." in text
    assert "confound    optimizer steps" in text


def test_the_spread_of_a_pilot_is_pooled_over_cells(tmp_path: Path) -> None:
    run = write_crossed(tmp_path / "run", crossed(), lambda levels, seed: 5 + 2 * (seed % 2))
    assert pooled_spread(run, "exact_match") == pytest.approx(0.1 * math.sqrt(4 / 12))


def test_another_folder_is_no_crossed_experiment(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no crossed experiment"):
        open_crossed(tmp_path)
