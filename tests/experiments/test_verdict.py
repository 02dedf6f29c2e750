from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from item_records import item_record

from shoal.experiments import Control, Verdict, decide
from shoal.experiments.controls import ControlCheck, Evidence, controls_of
from shoal.experiments.judging import judge
from shoal.experiments.loading import experiment_from
from shoal.experiments.tasks import make_experiment_task
from shoal.experiments.verdict import needed_sentence
from shoal.tasks import Example, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.experiments import ItemRecord
    from shoal.experiments.experiment import Experiment

PASSED = Control(name="a", passed=True, says="fine", numbers={})
FAILED = Control(name="b", passed=False, says="the floor was wet", numbers={})


def plan(**changes: Any) -> Experiment:
    table = {
        "name": "small",
        "hypothesis": "One beats two.",
        "treatment": "one",
        "baseline": "two",
        "seeds": 6,
        "task": {"name": "counting", "options": {"largest": 30}},
        "split": {"name": "last-digit"},
        "arms": {"one": "a/b", "two": "random:a/b"},
        "measure": {"primary": "exact_match", "smallest_effect": 0.2},
        "controls": {"shuffled_weights": False},
    }
    return experiment_from(table | changes, "test")


def rows(examples: Sequence[Example], right: int, *, kind: str = "went-on", bits: float = 1.0) -> list[ItemRecord]:
    """Items of which the first so many are right."""
    return [
        item_record(
            tags=dict(example.tags),
            exact_match=place < right,
            string_match=place < right,
            divergence=None if place < right else kind,
            first_divergence=None if place < right else 3,
            bits_per_byte=bits + place / 100,
        )
        for place, example in enumerate(examples)
    ]


def arm(
    task: Task, held_out: Sequence[int], *, seen: int = 21, kind: str = "went-on", bits: float = 1.0
) -> dict[int, dict[tuple[str, str], list[ItemRecord]]]:
    """An arm whose seeds have so many held-out items right."""
    return {
        seed: {
            ("before", "seen"): rows(task.seen, 0),
            ("before", "held_out"): rows(task.held_out, 0),
            ("after", "seen"): rows(task.seen, seen),
            ("after", "held_out"): rows(task.held_out, right, kind=kind, bits=bits + seed / 50),
        }
        for seed, right in enumerate(held_out)
    }


def judged(
    right_one: Sequence[int], right_two: Sequence[int], *, experiment: Experiment | None = None, **arms: Any
) -> Verdict:
    """The verdict of two arms with so many of 9 held-out items right, seed by seed; further arms take their place."""
    experiment = experiment or plan(seeds=len(right_one))
    task = make_experiment_task(experiment)
    given = {"one": arm(task, right_one), "two": arm(task, right_two)}
    return judge(experiment, task, given | {name: make(task) for name, make in arms.items()})


def test_the_rule_in_all_its_branches() -> None:
    def word(estimate: float, low: float, high: float, *controls: Control) -> str:
        return decide(estimate=estimate, low=low, high=high, smallest=0.2, controls=controls)

    assert word(0.3, 0.1, 0.5) == "supported"
    assert word(0.2, 0.01, 0.5) == "supported"
    assert word(0.3, 0.1, 0.5, PASSED) == "supported"
    assert word(0.3, 0.1, 0.5, PASSED, FAILED) == "confounded"
    assert word(0.0, -0.1, 0.1, FAILED) == "confounded"
    assert word(0.0, -0.1, 0.1) == "refuted"
    assert word(0.15, 0.1, 0.19) == "refuted"
    assert word(-0.4, -0.5, -0.3) == "refuted"
    assert word(0.15, 0.1, 0.2) == "underpowered"
    assert word(0.3, 0.0, 0.5) == "underpowered"
    assert word(0.3, -0.1, 0.5) == "underpowered"
    assert word(0.9, -math.inf, math.inf) == "underpowered"
    assert word(math.nan, -math.inf, math.inf) == "underpowered"


def test_what_could_not_have_been_found_is_not_refuted() -> None:
    # All six seeds fall short of .2, and they spread so far that an effect of .2 would have been found only at times.
    verdict = judged([0, 2, 0, 1, 0, 1], [1, 1, 2, 0, 2, 1])
    assert verdict.effect.high < 0.2
    assert verdict.smallest_detectable_effect is not None
    assert verdict.smallest_detectable_effect > 0.2
    assert verdict.verdict == "underpowered"
    assert "lies below the 0.2 that matters, but 6 seeds" in verdict.sentence
    assert verdict.seeds_needed is not None
    assert verdict.seeds_needed > 6
    numbers = {"estimate": -0.1, "low": -0.4, "high": 0.15, "smallest": 0.2, "controls": ()}
    assert decide(**numbers, detectable=0.3) == "underpowered"
    assert decide(**numbers, detectable=0.2) == "refuted"


def test_the_opposite_of_the_hypothesis_is_said_to_be_one() -> None:
    verdict = judged([0, 1, 0, 2, 1, 0], [2, 8, 1, 9, 3, 9])
    assert verdict.effect.high < 0
    assert verdict.verdict == "underpowered"
    assert "the opposite of the hypothesis: the 95% interval" in verdict.sentence
    assert "not called refuted only because 6 seeds" in verdict.sentence


def test_a_clear_effect_is_supported_with_its_numbers() -> None:
    verdict = judged([6, 7, 5, 6, 8, 6], [1, 0, 2, 1, 0, 1])
    assert verdict.verdict == "supported"
    assert verdict.effect.estimate == pytest.approx((38 - 5) / 9 / 6)
    assert verdict.effect.low == pytest.approx(3 / 9)
    assert verdict.effect.high == pytest.approx(8 / 9)
    assert verdict.effect.p_value == 2 / 64
    assert (verdict.seeds, verdict.items, verdict.seen_items) == (6, 9, 21)
    assert verdict.items_view["mcnemar"]["0"] == {"only_treatment": 5, "only_baseline": 0, "p_value": 2 / 32}
    assert verdict.needed is None
    assert "One beats two by 0.611 in exact match" in verdict.sentence


def test_an_effect_too_small_to_matter_is_refuted() -> None:
    verdict = judged([3, 4, 3, 3, 4, 3], [3, 3, 3, 4, 4, 3])
    assert verdict.verdict == "refuted"
    assert "less than the 0.2 that matters" in verdict.sentence


def test_a_wide_interval_is_underpowered_and_says_how_many_seeds_would_settle_it() -> None:
    verdict = judged([9, 0, 5, 9, 1, 7], [2, 3, 4, 0, 5, 1])
    assert verdict.verdict == "underpowered"
    assert verdict.seeds_needed is not None
    assert verdict.seeds_needed > 6
    assert f"{verdict.seeds_needed} seeds per arm" in (verdict.needed or "")
    assert verdict.smallest_detectable_effect is not None
    assert verdict.smallest_detectable_effect > 0.2


def test_too_few_seeds_are_underpowered_whatever_they_show() -> None:
    verdict = judged([9, 9, 8, 9, 9], [0, 1, 0, 0, 0])
    assert verdict.verdict == "underpowered"
    assert "fewer than 6 seeds" in verdict.sentence
    assert verdict.to_dict()["effect"]["low"] is None
    assert verdict.smallest_detectable_effect is None


def test_one_seed_has_no_spread_and_asks_for_six() -> None:
    assert judged([5], [1]).needed == "at least 6 seeds per arm, so that their spread can be seen"
    surer = plan(seeds=1, measure={"primary": "exact_match", "smallest_effect": 0.2, "confidence": 0.99})
    assert judged([5], [1], experiment=surer).needed == "at least 8 seeds per arm, so that their spread can be seen"


def test_two_arms_at_the_floor_are_confounded() -> None:
    verdict = judged([0] * 6, [0] * 6)
    assert verdict.verdict == "confounded"
    assert "stands at its floor" in verdict.sentence


def test_two_arms_at_the_ceiling_are_confounded() -> None:
    assert "stands at its ceiling" in judged([9] * 6, [9] * 6).sentence


def test_one_arm_at_the_floor_is_no_floor() -> None:
    assert judged([5, 6, 5, 6, 5, 6], [0] * 6).verdict == "supported"


def test_an_arm_that_did_not_fit_the_seen_examples_confounds() -> None:
    verdict = judged([6] * 6, [0] * 6, two=lambda task: arm(task, [0] * 6, seen=10))
    assert verdict.verdict == "confounded"
    assert "two did not fit the seen examples" in verdict.sentence


def test_bits_per_byte_counts_as_better_where_it_is_less_and_has_no_floor() -> None:
    experiment = plan(
        measure={"primary": "bits_per_byte", "smallest_effect": 0.2},
        controls={"shuffled_weights": False, "training_ceiling": {"measure": "bits_per_byte", "threshold": 2.0}},
    )
    verdict = judged(
        [0] * 6,
        [0] * 6,
        experiment=experiment,
        one=lambda task: arm(task, [0] * 6, bits=1.0),
        two=lambda task: arm(task, [0] * 6, bits=1.5),
    )
    assert verdict.verdict == "supported"
    assert verdict.effect.estimate == pytest.approx(0.5)
    assert verdict.effect.measure == "bits per byte saved"
    assert verdict.items_view["measure"] == "exact match"


def test_a_measure_without_a_value_confounds() -> None:
    experiment = plan(measure={"primary": "stopping", "smallest_effect": 0.2})
    verdict = judged(
        [6] * 6,
        [0] * 6,
        experiment=experiment,
        one=lambda task: arm(task, [6] * 6),
        two=lambda task: arm(task, [0] * 6, kind="other"),
    )
    assert verdict.verdict == "confounded"
    assert "has no value for some seed" in verdict.sentence
    assert verdict.items_view["bootstrap"] is None
    json.dumps(verdict.to_dict(), allow_nan=False)


def test_a_held_out_prompt_among_the_seen_ones_confounds() -> None:
    experiment = plan()
    clean = make_experiment_task(experiment)
    leaked = Example(prompt=clean.held_out[0].prompt.upper() + " ", completion="x", tags={"index": 2, "group": "2"})
    task = Task(name="t", examples=(*clean.examples, leaked), split=clean.split, rule=clean.rule)
    verdict = judge(experiment, task, {"one": arm(task, [6] * 6, seen=22), "two": arm(task, [0] * 6, seen=22)})
    assert verdict.verdict == "confounded"
    assert "1 of 9 held-out prompts stand among the seen ones" in verdict.sentence


def with_shuffled(shuffled: Sequence[int], two: Sequence[int] = (0, 1, 0, 1, 0, 1)) -> Verdict:
    experiment = plan(controls={"shuffled_weights": True})
    arms = {"one-shuffled": lambda task: arm(task, shuffled)}
    return judged([6, 7, 6, 7, 6, 7], two, experiment=experiment, **arms)


def test_shuffled_weights_that_do_as_well_confound() -> None:
    verdict = with_shuffled([6, 7, 7, 6, 6, 7])
    assert verdict.verdict == "confounded"
    assert "does not surely beat the same weights shuffled" in verdict.sentence


def test_shuffled_weights_that_do_worse_confirm() -> None:
    assert with_shuffled([0, 0, 1, 0, 1, 0]).verdict == "supported"


def test_shuffled_weights_matter_only_where_there_is_an_effect() -> None:
    verdict = with_shuffled([6, 7, 6, 7, 6, 7], two=[6, 7, 6, 7, 6, 6])
    assert verdict.verdict == "refuted"
    assert all(control.passed for control in verdict.controls)


@pytest.mark.parametrize(("right", "word"), [(0, "supported"), (6, "confounded")])
def test_labels_dealt_at_random_must_do_worse(right: int, word: str) -> None:
    experiment = plan(controls={"shuffled_weights": False, "shuffled_labels": True})
    task = make_experiment_task(experiment)
    arms = {"one": arm(task, [6, 7, 6, 7, 6, 7]), "two": arm(task, [0] * 6)}
    verdict = judge(experiment, task, arms, control_items={"shuffled labels": rows(task.held_out, right)})
    assert verdict.verdict == word


def test_every_measure_has_each_arm_before_and_after_with_an_interval_over_seeds() -> None:
    verdict = judged([6, 7, 5, 6, 8, 6], [1, 0, 2, 1, 0, 1])
    found = verdict.measures["exact_match"]["arms"]["one"]["after"]["held_out"]
    assert found["mean"] == pytest.approx(38 / 54)
    assert (found["low"], found["high"]) == (pytest.approx(5 / 9), pytest.approx(8 / 9))
    assert (found["seeds"], found["items"], found["by_seed"]["4"]) == (6, 9, pytest.approx(8 / 9))
    assert set(verdict.measures) >= {"exact_match", "counting", "stopping", "bits_per_byte", "token_accuracy"}


def test_the_text_tells_the_verdict_every_measure_and_every_control() -> None:
    text = str(judged([6, 7, 5, 6, 8, 6], [1, 0, 2, 1, 0, 1]))
    assert text.startswith("SUPPORTED: One beats two")
    assert "95% interval 0.333 to 0.889" in text
    assert "0.704 [0.56, 0.89]" in text
    assert "passed  training ceiling" in text
    assert "passed  leakage" in text
    assert all(len(line) < 400 for line in text.splitlines())


def test_a_verdict_is_plain_json() -> None:
    record = judged([9, 0, 5], [2, 3, 4]).to_dict()
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_what_would_settle_it_is_said_for_any_number_of_seeds() -> None:
    assert "9 seeds per arm" in needed_sentence(9, 6, 0.2)
    assert "about twice as many seeds (12)" in needed_sentence(6, 6, 0.2)
    assert "no number of seeds" in needed_sentence(None, 6, 0.0)


def test_a_treatment_that_is_worse_is_said_to_fall_behind() -> None:
    verdict = judged([1, 2, 1, 2, 1, 2], [6, 7, 6, 6, 7, 6])
    assert verdict.verdict == "refuted"
    assert verdict.effect.estimate < 0
    confounded = judged([1, 2, 1, 2, 1, 2], [6, 7, 6, 6, 7, 6], two=lambda task: arm(task, [6] * 6, seen=0))
    assert "one falls behind two by 0.5 in exact match" in confounded.sentence


GRID = [-math.inf, -1.0, -0.2, -0.1, 0.0, 0.05, 0.1, 0.2, 0.3, 1.0, math.inf]


@pytest.mark.parametrize("controls", [(), (PASSED,), (PASSED, FAILED)])
def test_the_rule_holds_for_every_interval_of_a_grid(controls: tuple[Control, ...]) -> None:
    """By brute force, against the sentences of the rule: what is excluded, and what is not."""
    seen = set()
    for low in GRID:
        for high in (value for value in GRID if value >= low):
            for estimate in [*(value for value in GRID[1:-1] if low <= value <= high), math.nan]:
                word = decide(estimate=estimate, low=low, high=high, smallest=0.1, controls=controls)
                seen.add(word)
                excludes_none, reaches = low > 0, estimate >= 0.1
                excludes_an_effect_that_matters = high < 0.1
                if FAILED in controls:
                    assert word == "confounded"
                elif excludes_none and reaches:
                    assert word == "supported"
                elif excludes_an_effect_that_matters:
                    assert word == "refuted"
                else:
                    assert word == "underpowered"
                # No hypothesis is supported by an interval that holds 0, nor refuted by one that holds d.
                assert not (word == "supported" and low <= 0)
                assert not (word == "refuted" and high >= 0.1)
    assert seen == ({"confounded"} if FAILED in controls else {"supported", "refuted", "underpowered"})


@pytest.mark.parametrize(
    ("one", "two"), [([6, 7, 5, 6, 8, 6], [1, 0, 2, 1, 0, 1]), ([9, 0, 5], [2, 3, 4]), ([5], [1]), ([0] * 6, [0] * 6)]
)
def test_a_verdict_is_read_back_from_its_json(one: list[int], two: list[int]) -> None:
    verdict = judged(one, two)
    again = Verdict.from_dict(json.loads(json.dumps(verdict.to_dict())))
    assert again.to_dict() == verdict.to_dict()
    assert str(again) == str(verdict)
    assert again.effect == verdict.effect


def test_a_verdict_as_a_table_has_a_row_for_each_measure_arm_stage_and_split() -> None:
    pytest.importorskip("pandas")
    verdict = judged([6, 7, 5, 6, 8, 6], [1, 0, 2, 1, 0, 1])
    frame = verdict.to_frame().set_index(["measure", "arm", "stage", "split"])
    assert len(frame) == len(verdict.measures) * 2 * 2 * 2
    row = frame.loc["exact_match", "one", "after", "held_out"]
    assert row["mean"] == pytest.approx(38 / 54)
    assert (row["seeds"], row["items"]) == (6, 9)


def test_a_new_control_is_checked_once_it_is_defined() -> None:
    class LuckyNumber(ControlCheck):
        """Fails where an arm has exactly the unlucky number of held-out items right for its first seed."""

        name = "lucky number"

        def check(self, evidence: Evidence) -> Control:
            share = evidence.held_out("one")[0]
            return self.result("the number of right items is unlucky", passed=share != 6 / 9, share=share)

    try:
        assert [control.name for control in controls_of(plan())] == [
            "training ceiling", "floor and ceiling", "leakage", "lucky number"
        ]  # fmt: skip
        assert judged([7] * 6, [0] * 6).verdict == "supported"
        unlucky = judged([6] * 6, [0] * 6)
        assert unlucky.verdict == "confounded"
        assert unlucky.controls[-1].numbers == {"share": 6 / 9}
    finally:
        del ControlCheck.registry["lucky number"]


def test_controls_that_cost_a_training_are_on_where_the_experiment_asks_for_them() -> None:
    def names(**controls: bool) -> list[str]:
        return [control.name for control in controls_of(plan(controls=controls))]

    free = ["training ceiling", "floor and ceiling", "leakage"]
    assert names(shuffled_weights=False) == free
    assert names() == [*free, "shuffled weights"]
    assert names(shuffled_labels=True) == [*free, "shuffled weights", "shuffled labels"]


def test_a_number_of_a_group_is_not_the_place_of_an_item_without_one() -> None:
    experiment = plan(seeds=2)
    task = make_experiment_task(experiment)
    arms = {"one": arm(task, [6, 7]), "two": arm(task, [1, 2])}
    for seeds in arms.values():
        for parts in seeds.values():
            tags = [{"group": 8}, {"group": 8}, *({} for _ in range(7))]
            items = parts["after", "held_out"]
            parts["after", "held_out"] = [replace(item, tags=tag) for item, tag in zip(items, tags, strict=True)]
    assert judge(experiment, task, arms).items_view["bootstrap"]["groups"] == 8
