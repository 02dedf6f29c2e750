"""The file of a crossed experiment: cells, what its design can tell apart, and what is refused before any training."""

from __future__ import annotations

import tomllib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from crossed_records import crossed, crossed_table, hypothesis

from shoal.errors import ExperimentFileError, UsageError
from shoal.experiments import experiment_from, has_factors
from shoal.experiments.crossed import FACTORS, crossed_from, describe_design, factor_kind, load_crossed
from shoal.experiments.crossed.cell_tasks import cell_tasks, check_data
from shoal.experiments.crossed.data import cell_examples, training_seed
from shoal.experiments.crossed.hypotheses import level_name
from shoal.experiments.crossed.plan import BalanceTable, DataTable
from shoal.experiments.tables import as_table
from shoal.experiments.tasks import check_shuffled_labels
from shoal.statistics import detectable_shift
from shoal.tasks import Example

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = [
    Example(prompt=f"{number}:", completion=f" {number % 4}", tags={"class": "verb" if number % 3 else "noun"})
    for number in range(60)
]


def training_examples(seen: list[Example], data: DataTable, seed: int) -> list[Example]:
    """The examples of a training of a cell with these data."""
    cell = crossed().cells[0].model_copy(update={"data": data})
    found, _ = cell_examples(cell, SimpleNamespace(seen=seen), seed)  # type: ignore[arg-type]
    return found


def test_cells_are_all_combinations_with_the_settings_of_their_levels() -> None:
    experiment = crossed(
        factors={
            "pretraining": ["pretrained", "random"],
            "examples": [5, 10],
            "training.epochs": [1.0, 2.0],
            "task": {"short": {"name": "counting", "options": {"largest": 20}}, "counting": "counting"},
        }
    )
    assert len(experiment.cells) == 16
    cell = experiment.cells[-2]
    assert cell.levels == {"pretraining": "random", "examples": "10", "training.epochs": "2", "task": "short"}
    assert cell.name == "pretraining=random,examples=10,epochs=2,task=short"
    assert (cell.spec, cell.data.examples, cell.training.epochs) == ("random:a/b", 10, 2.0)
    assert cell.task.options == {"largest": 20}
    assert experiment.cells[0].spec == "a/b"
    assert experiment.cells[1].task.options == {"largest": 30}
    assert experiment.trainings == 64


def test_a_file_is_read_back_from_its_run_folder() -> None:
    experiment = crossed(design={"leave_out": [{"examples": 5, "pretraining": "random"}], "assumed_sd": 0.1})
    again = crossed_from(tomllib.loads(tomli_w.dumps(as_table(experiment))), "test")
    assert again == experiment
    assert again.cells == experiment.cells
    assert len(again.cells) == 5


def test_presets_are_laid_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "crossed.toml"
    file.write_text(tomli_w.dumps(crossed_table(preset="quick", presets={"quick": {"seeds": 2}, "full": {"seeds": 9}})))
    assert has_factors(file)
    assert load_crossed(file).seeds == 2
    assert load_crossed(file, "full").folder_name == "small-full"


def test_a_file_with_factors_is_no_plain_experiment() -> None:
    with pytest.raises(ExperimentFileError, match="it crosses factors; load it with"):
        experiment_from(crossed_table(), "test")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"factors": {"pretraining": ["pretrained"]}}, "'pretraining' has one level .pretrained., and nothing to comp"),
        ({"factors": {}}, "factors"),
        ({"seeds": 1}, "seeds = 1 leaves no degrees of freedom"),
        ({"factors": {"prettraining": ["a", "b"]}}, "unknown factor 'prettraining'; known are task"),
        ({"factors": {"pretraining": ["pretrained", "fresh"]}}, "levels of pretraining are 'pretrained' and 'random'"),
        ({"factors": {"model": ["org/name", "other"]}}, "'org/name' of 'model' needs a name of letters and digits"),
        (
            {"factors": {"pretraining": ["pretrained", "random"], "training.epoch": [1, 2]}},
            "unknown key 'training.epoch'; did you mean 'epochs'",
        ),
        ({"factors": {"examples": [5, 5]}}, "a level stands twice in the factor 'examples'"),
        ({"factors": {"examples": 5}}, "needs a list of levels"),
        ({"factors": {"task": [{"name": "counting"}, "x"]}}, "levels of 'task' that are tables need names"),
        ({"hypotheses": []}, "hypotheses"),
        ({"hypotheses": [hypothesis(factor="size")]}, "names the factor 'size'; the factors are pretraining, examples"),
        ({"hypotheses": [hypothesis(treatment="good")]}, "names the level 'good' of 'pretraining'; its levels are pre"),
        ({"hypotheses": [hypothesis(baseline="pretrained")]}, "compares pretraining = pretrained with itself"),
        ({"hypotheses": [hypothesis(), hypothesis()]}, "two hypotheses have one name"),
        ({"hypotheses": [hypothesis(smallest_effect=1.5)]}, "no effect in exact_match is larger than 1"),
        ({"hypotheses": [hypothesis(where={"pretraining": "random"})]}, "fixes 'pretraining' in where, and compares"),
        ({"hypotheses": [hypothesis(where={"examples": 7})]}, "names the level '7' of 'examples'"),
        ({"design": {"leave_out": [{"examples": 7}]}}, "leave_out.0. names the level '7'"),
        ({"design": {"assumed_sd": 0.1, "pilot": "x"}}, "both state the spread"),
        ({"model": None}, "model"),
    ],
)
def test_what_cannot_be_run_is_named_with_its_key(changes: dict[str, Any], words: str) -> None:
    table = {key: value for key, value in crossed_table(**changes).items() if value is not None}
    with pytest.raises(ExperimentFileError, match=words) as fault:
        crossed_from(table, "test")
    assert "\n" not in str(fault.value)


def test_a_full_design_tells_all_effects_apart() -> None:
    report = describe_design(crossed(design={"assumed_sd": 0.2}))
    assert {effect.name: (effect.freedom, effect.columns) for effect in report.effects} == {
        "pretraining": (1, 1),
        "examples": (2, 2),
        "pretraining x examples": (2, 2),
    }
    [plan] = report.hypotheses
    assert (plan.blocks, plan.trainings, plan.freedom) == (3, 24, 18)
    # The mean of three differences, each of two means of four trainings.
    assert plan.detectable == pytest.approx(0.2 * (6 / 9 / 4) ** 0.5 * detectable_shift(18))
    assert "MORE than the 0.1 that matters" in str(report)
    assert list(report.to_frame()["name"]) == ["pretraining"]


def test_the_level_of_the_plan_is_corrected_for_several_hypotheses() -> None:
    second = hypothesis(name="other", factor="examples", treatment=20, baseline=5)
    both = describe_design(crossed(hypotheses=[hypothesis(), second]))
    alone = describe_design(
        crossed(hypotheses=[hypothesis(), second], measure={"primary": "exact_match", "correction": "none"})
    )
    assert both.hypotheses[0].detectable_sds > alone.hypotheses[0].detectable_sds
    assert both.hypotheses[0].detectable is None
    assert "design.assumed_sd or design.pilot" in str(both)


def test_aliased_effects_are_named_and_their_hypothesis_is_refused() -> None:
    # Pretrained with few examples and random with many: the two factors move together.
    factors = {"pretraining": ["pretrained", "random"], "examples": [5, 20]}
    leave_out = [{"pretraining": "pretrained", "examples": 20}, {"pretraining": "random", "examples": 5}]
    experiment = crossed(factors=factors, design={"leave_out": leave_out})
    with pytest.raises(
        UsageError, match="never meet under equal levels of examples, so that its effect cannot be told"
    ):
        describe_design(experiment)
    three = factors | {"label_noise": [0.0, 0.3]}
    where = hypothesis(factor="label_noise", treatment=0.0, baseline=0.3, name="noise")
    report = describe_design(crossed(factors=three, hypotheses=[where], design={"leave_out": leave_out}))
    by_name = {effect.name: effect for effect in report.effects}
    assert by_name["pretraining"].freedom == 0
    assert "examples" in by_name["pretraining"].aliases
    assert by_name["label_noise"].freedom == 1
    assert "mixed with examples" in by_name["pretraining"].line


def test_a_hypothesis_uses_the_blocks_that_hold_both_of_its_levels() -> None:
    experiment = crossed(design={"leave_out": [{"pretraining": "random", "examples": 20}]})
    [plan] = describe_design(experiment).hypotheses
    assert plan.blocks == 2


def test_a_hypothesis_whose_cells_are_left_out_is_refused() -> None:
    cells = hypothesis(where={"examples": 5})
    with pytest.raises(UsageError, match="no cell with pretraining = random is trained"):
        describe_design(crossed(hypotheses=[cells], design={"leave_out": [{"pretraining": "random", "examples": 5}]}))
    at = {"factor": "examples", "treatment": 5, "baseline": 20}
    with pytest.raises(UsageError, match="an interaction needs all four combinations of pretraining"):
        describe_design(
            crossed(
                hypotheses=[hypothesis(moderator=at)], design={"leave_out": [{"pretraining": "random", "examples": 5}]}
            )
        )


def test_training_examples_hang_on_the_seed_and_on_what_is_asked_of_them() -> None:
    few = training_examples(EXAMPLES, DataTable(examples=10), 1)
    assert len(few) == 10
    assert few == training_examples(EXAMPLES, DataTable(examples=10), 1)
    assert few != training_examples(EXAMPLES, DataTable(examples=10), 2)
    more = training_examples(EXAMPLES, DataTable(examples=20), 1)
    assert all(example in more for example in few)
    repeated = training_examples(EXAMPLES, DataTable(examples=20, repeats=0.75), 1)
    assert (len(repeated), len({example.prompt for example in repeated})) == (20, 5)
    noisy = training_examples(EXAMPLES, DataTable(examples=40, label_noise=0.25), 1)
    clean = training_examples(EXAMPLES, DataTable(examples=40), 1)
    changed = sum(one.completion != other.completion for one, other in zip(noisy, clean, strict=True))
    assert changed == 10


def test_classes_are_balanced_as_the_shares_say() -> None:
    balance = BalanceTable(tag="class", shares={"noun": 0.75, "verb": 0.25})
    chosen = training_examples(EXAMPLES, DataTable(examples=20, balance=balance), 3)
    assert [example.tags["class"] for example in chosen].count("noun") == 15
    assert len(training_examples(EXAMPLES, DataTable(balance=balance), 3)) == 26
    with pytest.raises(UsageError, match="balance needs 23 seen examples with class = 'noun' and there are 20"):
        training_examples(EXAMPLES, DataTable(examples=30, balance=balance), 3)
    with pytest.raises(UsageError, match="no seen example has that tag"):
        training_examples(EXAMPLES, DataTable(balance=BalanceTable(tag="class", shares={"adverb": 1.0})), 3)


def test_data_that_a_task_cannot_give_is_refused() -> None:
    with pytest.raises(UsageError, match="examples = 100, and the task has 60 seen examples"):
        training_examples(EXAMPLES, DataTable(examples=100), 0)
    alike = [Example(prompt=str(number), completion=" yes") for number in range(9)]
    with pytest.raises(UsageError, match=r"label_noise = 0\.5 cannot change a label"):
        training_examples(alike, DataTable(label_noise=0.5), 0)


def test_no_two_trainings_share_a_seed() -> None:
    seeds = {training_seed(cell, seed) for cell in ("a", "b", "c=1") for seed in range(200)}
    assert len(seeds) == 600
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_levels_that_give_equal_trainings_are_refused() -> None:
    experiment = crossed(factors={"pretraining": ["pretrained", "random"], "label_noise": [0.0, 0.001]})
    with pytest.raises(UsageError, match=r"levels 0 and 0\.001 of 'label_noise' give equal trainings"):
        check_data(experiment, cell_tasks(experiment))


def test_more_examples_than_a_task_has_are_refused_with_the_cell() -> None:
    experiment = crossed(factors={"pretraining": ["pretrained", "random"], "examples": [5, 5000]})
    with pytest.raises(UsageError, match="cell pretraining=pretrained,examples=5000: examples = 5000"):
        check_data(experiment, cell_tasks(experiment))


def test_shuffled_labels_that_change_nearly_nothing_are_no_control() -> None:
    nearly = [Example(prompt=str(number), completion=" yes" if number > 2 else " no") for number in range(100)]
    with pytest.raises(UsageError, match=r"cannot fail for these: shuffling changes 6 of 100 labels \(6%\) and must"):
        check_shuffled_labels(nearly, "these")
    check_shuffled_labels(EXAMPLES, "those")


def test_a_factor_of_ones_own_is_one_function() -> None:
    @factor_kind("passes")
    def _passes(value: Any) -> dict[str, Any]:
        return {"training.epochs": float(value)}

    try:
        experiment = crossed(factors={"passes": [1, 2], "pretraining": ["pretrained", "random"]})
        assert [cell.training.epochs for cell in experiment.cells] == [1.0, 1.0, 2.0, 2.0]
    finally:
        del FACTORS["passes"]


def test_two_levels_have_two_names() -> None:
    levels = [40, "40", 40.0, 0.1, 1e-7, 0.12345678, 0.12345679, True]
    assert list(map(level_name, levels)) == [
        "40", "40", "40", "0.1", "1e-07", "0.12345678", "0.12345679", "true",
    ]  # fmt: skip
