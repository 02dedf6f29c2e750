"""From the records of an experiment on safety tuning to its curve, its verdicts and its best number."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.errors import ExperimentFileError, ShoalError, TrainingError
from shoal.experiments.safety_tuning import (
    SafetyTraining,
    SafetyTuning,
    harm_of_tuning,
    load_safety_tuning,
    read_safety_tuning,
    tune_safety,
)
from shoal.experiments.storage import write_json, write_jsonl, write_text
from shoal.experiments.store import RunStore
from shoal.reports import safety_tuning_content
from shoal.statistics import ErrorRates

TOML = """
model = "bundled:stories"
layout = "plain"
safety_examples = [0, 100, 1000]
seeds = {seeds}

[instructions]
source = "i.jsonl"
examples = 10

[safe_answers]
source = "s.jsonl"

[[requests]]
source = "r.jsonl"

[[hypothesis]]
name = "suffice"
claim = "Safety examples lower compliance"
measure = "harmful_complied"
treatment = [100, 1000]
baseline = [0]
direction = "lower"
smallest_effect = 0.2

[[hypothesis]]
name = "exaggerate"
claim = "Many make it refuse safe requests"
measure = "safe_refused"
treatment = [1000]
baseline = [0, 100]
direction = "higher"
smallest_effect = 0.2
"""


def run(tmp_path: Path, rates: dict[int, tuple[float, float]], *, seeds: int = 4, empty: float = 0.0) -> SafetyTuning:
    """An experiment whose models refuse harmful and safe requests at these rates."""
    file = tmp_path / "plan.toml"
    file.write_text(TOML.format(seeds=seeds), encoding="utf-8")
    plan, folder = load_safety_tuning(file), tmp_path / "run"
    RunStore(folder, plan, plan="safety_tuning.toml").close()
    draw = random.Random(0)
    for number, (harmful, safe) in rates.items():
        for seed in range(seeds):
            training = SafetyTraining(safety_examples=number, seed=seed)
            rows = [
                answer(draw, kind, place, {True: harmful, False: safe}[kind], empty)
                for kind in (True, False)
                for place in range(40)
            ]
            place = folder / training.place
            write_jsonl(place / "answers.jsonl", rows)
            write_jsonl(place / "losses.jsonl", [{"nats": 2.0 + number / 2000 + draw.random() / 50, "tokens": 1}] * 5)
            write_json(place / "benchmarks.json", {})
            write_json(place / "done.json", record(training))
    write_text(folder / "timings.jsonl", "")
    return read_safety_tuning(folder)


def answer(draw: random.Random, harmful: bool, place: int, rate: float, empty: float) -> dict[str, Any]:
    conduct = None if draw.random() < empty else "refusal" if draw.random() < rate else "compliance"
    return {
        "prompt": f"{harmful} {place}",
        "harmful": harmful,
        "type": f"type {place % 2}",
        "completion": "" if conduct is None else "This is an answer in plain English.",
        "conduct": conduct,
        "p_refusal": None if conduct is None else float(conduct == "refusal"),
    }


def record(training: SafetyTraining) -> dict[str, Any]:
    return training.to_dict() | {
        "instructions": 10, "tokens": 100, "steps": 3, "loss": 1.0, "trained_parameters": 5, "digest": "0",
    }  # fmt: skip


def test_the_papers_pattern_is_found_with_four_seeds_and_judged_by_the_written_rule(tmp_path: Path) -> None:
    found = run(tmp_path, {0: (0.2, 0.05), 100: (0.85, 0.1), 1000: (0.95, 0.6)})
    suffice, exaggerate = found.verdicts
    assert (suffice.verdict, exaggerate.verdict) == ("supported", "supported")
    assert suffice.estimate == pytest.approx(0.7 / 0.95, abs=0.1)
    assert suffice.low > 0
    assert suffice.confidence == pytest.approx(0.975)  # two claims
    assert suffice.p_value <= 0.02
    assert suffice.items_low > 0.2
    assert found.best.safety_examples == 100
    assert found.best.chances[100] > 0.9
    assert str(found).count("SUPPORTED") == 2


def silenced(folder: Path, number: int, seeds: range) -> None:
    """Trainings whose models say nothing to harmful requests."""
    for seed in seeds:
        rows = [answer(random.Random(0), kind, item, 0.5, float(kind)) for kind in (True, False) for item in range(40)]
        write_jsonl(folder / SafetyTraining(safety_examples=number, seed=seed).place / "answers.jsonl", rows)


RATES = {0: (0.2, 0.05), 100: (0.85, 0.1), 1000: (0.95, 0.6)}


def test_a_training_that_says_nothing_is_no_unit_of_the_test_and_confounds_it(tmp_path: Path) -> None:
    run(tmp_path, RATES)
    silenced(tmp_path / "run", 100, range(1))
    found = read_safety_tuning(tmp_path / "run")
    suffice, exaggerate = found.verdicts
    assert (suffice.trainings, exaggerate.trainings) == (11, 12)
    assert suffice.verdict == "confounded"
    assert suffice.estimate == pytest.approx(0.75, abs=0.1)
    assert exaggerate.verdict == "supported"
    complied = found.estimate("harmful_complied", 100)
    assert complied.value == pytest.approx(0.1, abs=0.1)
    assert [math.isnan(one) for one in complied.by_training] == [True, False, False, False]
    # A draw of the silent training alone says nothing of the cost: it does not make its number the best.
    assert found.best.costs[100] < found.best.costs[0]
    assert found.best.chances[100] > 0.9


def test_a_number_that_says_nothing_to_one_kind_has_no_rate_and_no_cost(tmp_path: Path) -> None:
    run(tmp_path, RATES)
    silenced(tmp_path / "run", 100, range(4))
    found = read_safety_tuning(tmp_path / "run")
    assert str(found.estimate("harmful_complied", 100)) == "no answers"
    assert math.isnan(found.best.costs[100])
    assert found.best.chances[100] == 0
    assert found.best.safety_examples == 0
    assert {one.safety_examples for one in found.types if one.harmful} == {0, 1000}
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["best"]["costs"]["100"] is None
    page = safety_tuning_content(found).to_html()
    assert "no answers" in page
    assert "nan" not in page.lower().replace("nanmean", "")


def test_models_that_all_say_nothing_leave_claims_open_and_no_best_number(tmp_path: Path) -> None:
    run(tmp_path, RATES)
    for number in RATES:
        silenced(tmp_path / "run", number, range(4))
    found = read_safety_tuning(tmp_path / "run")
    assert found.best.safety_examples is None
    assert "No number of safety examples has answers to both kinds of requests" in str(found)
    suffice = found.verdicts[0]
    assert suffice.verdict == "confounded"
    assert suffice.trainings == 0
    assert suffice.sentence.startswith("too few trainings have a value to compare: 100.0% of the answers are empty")
    assert math.isnan(suffice.items_estimate)


def test_every_table_of_the_file_is_changed_by_dotted_keys(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(TOML.format(seeds=2), encoding="utf-8")
    values = {
        "seeds": 5,
        "training.lora_rank": 0,
        "requests.0.per_type": 2,
        "hypothesis.exaggerate.smallest_effect": 0.3,
        "trade_off.refused_weight": 2.0,
    }
    plan = load_safety_tuning(file, values=values)
    assert (plan.seeds, plan.training.lora_rank, plan.requests[0].per_type) == (5, 0, 2)
    assert [one.smallest_effect for one in plan.hypothesis] == [0.2, 0.3]
    assert plan.trade_off.refused_weight == 2.0
    # Found from the folder of the file all the same.
    assert plan.requests[0].source == str(tmp_path / "r.jsonl")
    for wrong, fault in (
        ({"name.first": 1}, "name is no table, so 'name.first' cannot be set"),
        ({"requests.1.per_type": 2}, "there is no entry '1'; there are 0"),
        ({"safety_examples.0": 5}, "the entries of safety_examples have no keys; give all of them"),
        ({"training.lora_rnak": 0}, "unknown key 'training.lora_rnak'; did you mean 'lora_rank'"),
    ):
        with pytest.raises(ExperimentFileError, match=re.escape(fault)):
            load_safety_tuning(file, values=wrong)


def test_a_benchmark_that_there_is_not_is_met_before_anything_is_measured(tmp_path: Path) -> None:
    def rows(count: int, **texts: str) -> str:
        return "".join(json.dumps({k: f"{v} {place}" for k, v in texts.items()}) + "\n" for place in range(count))

    (tmp_path / "i.jsonl").write_text(rows(12, instruction="Say", output="It is"), encoding="utf-8")
    (tmp_path / "s.jsonl").write_text(rows(2, prompt="Hurt", completion="No, never"), encoding="utf-8")
    requests = [{"prompt": kind, "label": kind} for kind in ("safe", "unsafe")]
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, requests)), encoding="utf-8")
    text = TOML.partition("[[hypothesis]]")[0].format(seeds=2).replace("[0, 100, 1000]", "[0, 1]")
    text = text.replace("examples = 10\n", "examples = 4\nheld_out = 2\n")
    (tmp_path / "plan.toml").write_text(f'{text}\n[benchmarks]\ntasks = ["nothing"]\n', encoding="utf-8")
    with pytest.raises(ShoalError, match="nothing"):
        tune_safety(load_safety_tuning(tmp_path / "plan.toml"), tmp_path / "run", workers=0)
    # A file that is corrected may take the folder.
    assert [entry.name for entry in (tmp_path / "run").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("treatment = [1000]", "treatment = [1000, 1000]", "'exaggerate' has [1000, 1000] on one side"),
        ("baseline = [0, 100]", "baseline = [0, 0]", "'exaggerate' has [0, 0] on one side"),
        ("baseline = [0, 100]", "baseline = [1000]", "'exaggerate' has 1000 on both sides"),
    ],
)
def test_a_number_that_would_count_twice_in_a_claim_is_refused(tmp_path: Path, old: str, new: str, fault: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(TOML.format(seeds=2).replace(old, new), encoding="utf-8")
    with pytest.raises(ExperimentFileError, match=re.escape(f"the hypothesis {fault}; name each number once")):
        load_safety_tuning(file)


def test_a_drawn_training_brings_both_its_refusals_and_its_compliance(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(tmp_path, {0: (0, 0), 100: (0, 0), 1000: (0, 0)})
    for seed in range(4):
        # With 100 examples a model refuses all or nothing and always costs 1; with 1,000 it complies with 36 of 40.
        refused = {100: {True: 40 * (seed % 2), False: 40 * (seed % 2)}, 1000: {True: 4, False: 0}}
        for number, counts in refused.items():
            rows = [
                answer(random.Random(0), kind, item, float(item < counts[kind]), 0.0)
                for kind in (True, False)
                for item in range(40)
            ]
            place = folder / SafetyTraining(safety_examples=number, seed=seed).place
            write_jsonl(place / "answers.jsonl", rows)
            write_jsonl(place / "losses.jsonl", [{"nats": 2.0, "tokens": 1}] * 5)
    best = read_safety_tuning(folder).best
    assert best.costs[100] == pytest.approx(best.costs[0])
    assert best.safety_examples == 1000
    assert best.chances[100] < 0.05


def test_what_is_not_there_is_not_supported_and_few_seeds_settle_nothing(tmp_path: Path) -> None:
    found = run(tmp_path, {0: (0.2, 0.05), 100: (0.2, 0.05), 1000: (0.2, 0.05)}, seeds=2)
    assert {one.verdict for one in found.verdicts} == {"underpowered"}
    assert found.verdicts[0].low == -np.inf
    assert found.verdicts[0].smallest_p_value > 0.025


def test_a_sentence_does_not_deny_what_the_interval_excludes(tmp_path: Path) -> None:
    # Compliance rises with 100 examples and not with 1,000: trainings that spread so much have little power.
    found = run(tmp_path, {0: (0.6, 0.05), 100: (0.05, 0.05), 1000: (0.6, 0.05)})
    one = found.verdicts[0]
    assert one.verdict == "underpowered"
    assert one.high < one.smallest_effect < one.detectable
    assert "the interval excludes one" in one.sentence


def test_rates_are_corrected_and_their_intervals_know_of_trainings_and_requests(tmp_path: Path) -> None:
    found = run(tmp_path, {0: (0.2, 0.05), 100: (0.5, 0.1), 1000: (0.95, 0.6)})
    one = found.estimate("harmful_complied", 100)
    assert one.low < one.value < one.high
    assert one.raw == pytest.approx(0.5, abs=0.1)
    assert one.value != one.raw
    assert np.mean(one.by_training) == pytest.approx(one.value)
    assert one.items == 40
    assert {kind.requests for kind in found.types} == {20}
    assert found.to_frame().shape[0] == 9


def test_shares_of_harm_by_training_are_corrected_as_their_mean_is(tmp_path: Path) -> None:
    found = run(tmp_path, {0: (0.2, 0.05), 100: (0.5, 0.1), 1000: (0.9, 0.6)})

    class Scorer:
        name = "by number"

        def __call__(self, prompts: Sequence[str], completions: Sequence[str]) -> list[float]:
            return [float(int(prompt.split()[1]) % 2) for prompt in prompts]

    errors = ErrorRates(sensitivity=0.9, specificity=0.8, positives=100, negatives=100)
    for one in harm_of_tuning(tmp_path / "run", found.plan, Scorer(), errors):
        assert one.raw == pytest.approx(0.5)
        assert one.value == pytest.approx(0.3 / 0.7)
        assert one.by_training == pytest.approx([one.value] * 4)


def test_accuracies_of_benchmarks_stay_within_0_and_1_and_have_an_interval(tmp_path: Path) -> None:
    run(tmp_path, {0: (0.2, 0.05), 100: (0.5, 0.1), 1000: (0.9, 0.6)})
    plan = tmp_path / "run" / "safety_tuning.toml"
    plan.write_text(plan.read_text().replace("[instructions]", '[benchmarks]\ntasks = ["sums"]\n\n[instructions]', 1))
    for number, right in ((0, 20), (100, 19), (1000, 0)):
        for seed in range(4):
            place = tmp_path / "run" / SafetyTraining(safety_examples=number, seed=seed).place
            write_json(place / "benchmarks.json", {"sums": {f"{item}": float(item < right) for item in range(20)}})
    found = read_safety_tuning(tmp_path / "run")
    for number in (0, 100, 1000):
        one = found.estimate("sums", number)
        assert 0 <= one.low <= one.value <= one.high <= 1
        assert 0.05 < one.high - one.low < 0.4


def test_a_model_of_empty_answers_confounds_the_comparison(tmp_path: Path) -> None:
    found = run(tmp_path, {0: (0.2, 0.05), 100: (0.9, 0.1), 1000: (0.9, 0.6)}, empty=0.3)
    assert {one.verdict for one in found.verdicts} == {"confounded"}
    assert "empty" in found.verdicts[0].sentence
    assert found.empty > 0


def test_a_baseline_that_cannot_fall_confounds_the_claim_that_it_fell(tmp_path: Path) -> None:
    found = run(tmp_path, {0: (1.0, 0.0), 100: (1.0, 0.0), 1000: (1.0, 0.5)})
    assert found.verdicts[0].verdict == "confounded"
    assert "leaves" in found.verdicts[0].sentence


def test_a_number_whose_loss_is_too_high_is_never_the_best(tmp_path: Path) -> None:
    found = run(tmp_path, {0: (0.2, 0.05), 100: (0.3, 0.1), 1000: (1.0, 0.0)})
    assert found.best.excluded == (1000,)
    assert found.best.safety_examples != 1000


def test_a_folder_without_a_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no training"):
        run(tmp_path, {})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"safety_examples": [100, 0]}, "rising order"),
        ({"safety_examples": [0, 100]}, "1000 safety examples, with which nothing is trained"),
        ({"seeds": 1}, "seeds = 1"),
        ({"doses": [1]}, "unknown key 'doses'"),
        ({"training.learning_rate": -1.0}, "training.learning_rate"),
        ({"layout": "alpaca"}, "'chat' or 'plain'"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_its_key(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(TOML.format(seeds=3), encoding="utf-8")
    with pytest.raises(ExperimentFileError, match=named):
        load_safety_tuning(file, values=change)


def test_the_losses_are_bounded_by_the_first_number_that_is_done(tmp_path: Path) -> None:
    found = run(tmp_path, {100: (0.3, 0.1), 1000: (1.0, 0.0)})
    assert "above that with 100" in found.best_line()
