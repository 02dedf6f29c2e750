from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
import tomli_w

from shoal.errors import ExperimentFileError, UnknownNameError
from shoal.experiments import load_experiment, shipped_experiments
from shoal.experiments.experiment import TrainingTable
from shoal.experiments.loading import experiment_from
from shoal.experiments.tables import as_table
from shoal.experiments.tasks import make_experiment_task
from shoal.training import TrainSettings

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "counting.toml"

TEXT = """\
name = "mine"
preset = "quick"
hypothesis = "Pretrained beats random."
treatment = "pretrained"
baseline = "random"
seeds = 6

[task]
name = "counting"

[split]
name = "last-digit"

[arms]
pretrained = "bundled:stories"
random = "random:bundled:stories"

[training]
epochs = 60
batch_tokens = 300
optimizer = "adamw"

[tuning]
learning_rates = [5e-4, 2e-3]
validation = 0.2

[measure]
primary = "exact_match"
smallest_effect = 0.1

[controls]
training_ceiling = { measure = "exact_match", threshold = 0.9 }

[presets.quick.task.options]
largest = 30

[presets.full.training]
epochs = 200
"""


def changed(tmp_path: Path, before: str, after: str) -> Path:
    """The text above with one place changed, as a file."""
    assert before in TEXT
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace(before, after, 1), encoding="utf-8")
    return path


def test_a_shipped_experiment_loads_by_name_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shipped_experiments() == ("counting",)
    assert load_experiment("counting").folder_name == "counting-quick"


def test_the_example_is_the_shipped_experiment() -> None:
    assert load_experiment(EXAMPLE) == load_experiment("counting")


def test_every_preset_of_the_shipped_experiment_makes_its_task() -> None:
    quick = make_experiment_task(load_experiment("counting", "quick"))
    full = make_experiment_task(load_experiment("counting", "full"))
    assert (len(full.seen), len(full.held_out)) == (70, 30)
    assert len(quick.examples) <= 30


def test_the_shipped_experiment_has_enough_seeds_to_reach_a_verdict() -> None:
    for preset in ("quick", "full"):
        assert len(load_experiment("counting", preset).seeds) >= 6


def test_the_training_keys_are_those_of_the_training_room() -> None:
    # Adapters are for tuning alone, and an experiment evaluates before and after, not on the way.
    left_out = {"seed", "evaluate_every", "lora_rank", "lora_alpha", "lora_targets"}
    of_data = {"augment", "augment_copies", "augment_unchecked"}
    assert set(TrainingTable.model_fields) - of_data == {field.name for field in fields(TrainSettings)} - left_out


@pytest.mark.parametrize("line", ["early_stopping_patience = 3", "keep_best = true"])
def test_weights_may_not_be_chosen_by_the_part_that_decides_the_hypothesis(tmp_path: Path, line: str) -> None:
    name = line.split(" ")[0]
    with pytest.raises(ExperimentFileError, match=f"training.{name} would choose weights by the held-out part"):
        load_experiment(changed(tmp_path, "[training]", f"[training]\n{line}"))


def test_a_number_of_seeds_counts_from_0_and_a_list_is_taken_as_it_is(tmp_path: Path) -> None:
    assert load_experiment(changed(tmp_path, "seeds = 6", "seeds = 8")).seeds == tuple(range(8))
    assert load_experiment(changed(tmp_path, "seeds = 6", "seeds = [3, 5]")).seeds == (3, 5)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[training]", "[trainign]", "unknown key 'trainign'; did you mean 'training'?"),
        ("epochs =", "epcohs =", "unknown key 'training.epcohs'; did you mean 'epochs'?"),
        ("hypothesis =", "hypothesi =", "unknown key 'hypothesi'; did you mean 'hypothesis'?"),
        ("validation =", "zzz =", "unknown key 'tuning.zzz'; known here: learning_rates, validation"),
        (
            "threshold = 0.9",
            "threshold = 0.0",
            "training_ceiling.threshold = 0 is reached by every model in exact_match, so that the control cannot fail",
        ),
        (
            "threshold = 0.9",
            "treshold = 0.9",
            "unknown key 'controls.training_ceiling.treshold'; did you mean 'threshold'?",
        ),
        ("batch_tokens = 300", "batch_tokens = -1", "training.batch_tokens = -1: input should be greater than"),
        ("epochs = 60", "epochs = inf", "training.epochs = inf: input should be less than"),
        ("epochs = 60", "epochs = true", "training.epochs = true: input should be a valid number"),
        ("5e-4", "'low'", "tuning.learning_rates.0 = 'low': input should be a valid number"),
        (
            'optimizer = "adamw"',
            'optimizer = "adamx"',
            "training.optimizer = 'adamx': input should be 'adamw', 'adam', 'sgd' or 'muon'",
        ),
        ("seeds = 6", 'seeds = "6"', "seeds = '6'"),
        ("seeds = 6", "seeds = 0", "seeds = 0: a number of seeds lies between 1 and 10000"),
        ("seeds = 6", "seeds = [1, 1]", "a seed stands twice"),
        ("seeds = 6", "seeds = [1, 12000]", "seeds holds 12000; give seeds below 10000"),
        ("smallest_effect = 0.1", "smallest_effect = -1", "measure.smallest_effect = -1: input should be greater"),
        (
            '"exact_match"\nsmallest',
            '"exact"\nsmallest',
            "measure.primary = 'exact': input should be 'exact_match', 'agreed_prefix'",
        ),
        (
            'treatment = "pretrained"',
            'treatment = "best"',
            "treatment = 'best' is none of the arms: pretrained, random",
        ),
        (
            "smallest_effect = 0.1",
            "smallest_effect = 10",
            "measure.smallest_effect = 10: exact_match lies between 0 and",
        ),
        ('name = "counting"', 'name = "a"\nrows = "a.jsonl"\noptions = { x = 1 }', "task.rows names a file; give one"),
        ("[5e-4, 2e-3]", "[5e-4, 0.0005]", "a rate stands twice"),
        ('baseline = "random"', 'baseline = "pretrained"', "same arm"),
        ("pretrained = ", "pretrained-shuffled = 'x'\npretrained = ", "is reserved for the shuffled-weights control"),
        ("pretrained = ", '"../x" = "y"\npretrained = ', "should match pattern"),
        ("[presets.quick", "[presets.quick.traning]\n[presets.quick", "(preset quick): unknown key 'traning'"),
        ("[presets.full", "[presets.full.traning]\n\n[presets.full", "(preset full): unknown key 'traning'"),
        ('preset = "quick"\n', "", "it has presets but names no default"),
        ('preset = "quick"', "preset = 'quick'\npresets = 6", "cannot"),
        ('preset = "quick"', "preset = ['quick']", "preset = ['quick']: give the name of a preset, as a text"),
        ('preset = "quick"', "preset = 3", "preset = 3: give the name of a preset, as a text"),
    ],
)
def test_a_fault_in_the_file_is_one_line_that_names_it(tmp_path: Path, before: str, after: str, words: str) -> None:
    path = changed(tmp_path, before, after)
    with pytest.raises(ExperimentFileError) as caught:
        load_experiment(path)
    message = str(caught.value)
    assert words.lower() in message.lower()
    assert message.startswith(str(path))
    assert "\n" not in message


def test_broken_toml_is_named_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("name = 'a'\nseeds 6\n")
    with pytest.raises(ExperimentFileError, match=r"broken TOML.*line 2, column 7"):
        load_experiment(path)


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b"name = 'a'\nhypothesis = 'na\xefve'\n")
    with pytest.raises(ExperimentFileError, match="line 2 is not UTF-8"):
        load_experiment(path)


def test_an_absent_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ExperimentFileError, match="No such file"):
        load_experiment(tmp_path / "none.toml")
    with pytest.raises(ExperimentFileError, match="directory"):
        load_experiment(tmp_path)


def test_an_unknown_experiment_or_preset_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'counting'"):
        load_experiment("countin")
    with pytest.raises(UnknownNameError, match="did you mean 'quick'"):
        load_experiment("counting", "quik")


def test_a_preset_changes_only_what_it_names(tmp_path: Path) -> None:
    path = changed(tmp_path, "seeds = 6", "seeds = 7")
    quick, full = load_experiment(path), load_experiment(path, "full")
    assert (quick.preset, quick.task.options, quick.training.epochs) == ("quick", {"largest": 30}, 60)
    assert (full.preset, full.task.options, full.training.epochs) == ("full", {}, 200)
    assert full.training.batch_tokens == 300


def test_presets_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("presets = 6\n" + TEXT.partition("[presets")[0])
    with pytest.raises(ExperimentFileError, match="one table per preset"):
        load_experiment(path)


def test_a_preset_of_a_file_without_presets_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.toml"
    plain.write_text(tomli_w.dumps(as_table(load_experiment("counting", "full"))))
    assert load_experiment(plain, "full") == load_experiment("counting", "full")
    with pytest.raises(UnknownNameError, match="'quick'"):
        load_experiment(plain, "quick")


def test_a_file_of_rows_is_found_from_where_the_experiment_lies(tmp_path: Path) -> None:
    path = changed(tmp_path, 'name = "counting"', 'name = "mine"\nrows = "rows.jsonl"')
    text = path.read_text().replace("[presets.quick.task.options]\nlargest = 30", "[presets.quick]")
    path.write_text(text.replace("last-digit", "random"))
    rows = [{"prompt": f"{number} and {number} is", "completion": f" {2 * number}"} for number in range(10)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    experiment = load_experiment(path)
    task = make_experiment_task(experiment)
    assert (task.name, len(task.examples)) == ("mine", 10)
    again = experiment_from(as_table(experiment), str(tmp_path / "run" / "experiment.toml"))
    assert make_experiment_task(again).examples == task.examples


def test_an_experiment_survives_being_written_as_toml() -> None:
    table = as_table(load_experiment("counting"))
    assert tomllib.loads(tomli_w.dumps(table)) == table


def test_reading_an_experiment_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys; from shoal.experiments import load_experiment; load_experiment('counting'); "
        "print([name for name in ('torch', 'numpy', 'transformers') if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
