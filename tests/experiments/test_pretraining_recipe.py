"""Recipe files: read, changed by dotted keys, and refused with the key and the nearest known one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from shoal.errors import ExperimentFileError, UsageError
from shoal.experiments.pretraining import Recipe, load_recipe, parse_setting, recipe_from
from shoal.experiments.pretraining.planning import train_settings
from shoal.training import TrainSettings

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def recipe(**changes: Any) -> Recipe:
    return recipe_from({"name": "small", "corpus": [{"name": "told", "grammar": 50}]} | changes, "small.toml")


def test_the_shipped_example_is_a_recipe() -> None:
    assert load_recipe(EXAMPLES / "pretrain_tiny.toml").corpus[0].grammar == 2000


def test_the_recipe_of_the_page_is_one_and_its_keys_are_all_there(tmp_path: Path) -> None:
    page = (EXAMPLES.parent / "docs" / "pretraining.md").read_text()
    file = tmp_path / "page.toml"
    file.write_text(page.split("```toml")[1].split("```")[0])
    made = load_recipe(file)
    assert [corpus.name for corpus in made.corpus] == ["tinystories", "grammar"]
    told = made.model_dump(mode="json")
    for key in re.findall(r"`([a-z]+)\.([a-z_]+)`[,| ]", page):
        table = told.get(key[0], {})
        assert not table or key[1] in (table[0] if key[0] == "corpus" else table), key


def test_a_recipe_survives_being_written_and_read(tmp_path: Path) -> None:
    made = recipe(stages=[{"tokens": 100, "shares": {"told": 1.0}}], trackers=["tensorboard"])
    file = tmp_path / "small.toml"
    file.write_text(tomli_w.dumps(made.model_dump(mode="json", exclude_none=True)))
    assert load_recipe(file) == made


def test_a_file_without_a_name_is_called_after_itself(tmp_path: Path) -> None:
    file = tmp_path / "two words.toml"
    file.write_text('[[corpus]]\nname = "told"\ngrammar = 5\n')
    assert load_recipe(file).name == "two-words"


def test_sources_are_found_from_the_file_or_from_the_folder_of_data(tmp_path: Path) -> None:
    file = tmp_path / "here.toml"
    file.write_text('[[corpus]]\nname = "a"\nsource = "a.txt"\n\n[[corpus]]\nname = "h"\nsource = "hub:org/set"\n')
    assert [one.source for one in load_recipe(file).corpus] == [str(tmp_path / "a.txt"), "hub:org/set"]
    assert load_recipe(file, data=tmp_path / "data").corpus[0].source == str(tmp_path / "data" / "a.txt")


def test_values_are_changed_by_dotted_keys_and_validated() -> None:
    changed = recipe().with_values({"model.width": 96, "corpus.told.grammar": 7, "training.learning_rate": 0.5})
    assert (changed.model.width, changed.corpus[0].grammar, changed.training.learning_rate) == (96, 7, 0.5)
    assert recipe().model.width == 64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.widht": 3}, r"unknown key 'model.widht'; did you mean 'width'"),
        ({"modle.width": 3}, r"unknown key 'modle'; did you mean 'model'"),
        ({"corpus.told.grammer": 3}, r"unknown key 'corpus.0.grammer'; did you mean 'grammar'"),
        ({"corpus.other.grammar": 3}, r"there is no entry 'other'; there are told"),
        ({"corpus.told": 3}, r"names a whole entry"),
        ({"name.first": 3}, r"name is no table"),
        ({"model.layers": 0}, r"model.layers = 0: input should be greater than or equal to 1"),
        ({"training.learning_rate": float("inf")}, r"training.learning_rate = inf: input should be less than inf"),
        ({"corpus.told.source": "a.txt"}, r"has source and grammar; give one"),
        ({"corpus.told.mixture": {"tale": 1.0}}, r"has grammar and mixture; give one"),
        ({"corpus.told.language": "en"}, r"set clean = 'full'"),
        ({"corpus.told.longest": 9}, r"corpus 'told': longest belongs to mixture; leave it out"),
        ({"corpus.told.easiest_books": 9}, r"corpus 'told': easiest_books belongs to source; leave it out"),
        (
            {"tokenizer": {"source": "gpt2", "vocabulary": 512}},
            r"tokenizer.vocabulary is of a tokenizer that is learned",
        ),
        ({"evaluation.prompts": ["One", "One"]}, r"a prompt stands twice"),
        ({"training.context": 9999}, r"training.context = 9999 is longer than model.context = 512"),
        ({"stages": [{"tokens": 9, "shares": {"x": 1.0}}]}, r"'x' is none of the corpora: told"),
        ({"tokenizer": {"corpora": ["x"]}}, r"tokenizer.corpora: 'x' is none of the corpora: told"),
        ({"trackers": ["tensorbord"]}, r"trackers.0 = 'tensorbord'"),
        (
            {"evaluation.prompts.0": "hi"},
            r"'evaluation.prompts.0': the entries of evaluation.prompts have no keys; give .* evaluation.prompts=\[",
        ),
        ({"evaluation.prompts.first.text": "hi"}, r"the entries of evaluation.prompts have no keys"),
        ({"trackers.0.name": "wandb"}, r"'trackers.0.name': there is no entry '0'; there are none"),
        ({"corpus.-1.grammar": 3}, r"there is no entry '-1'; there are told"),
        ({"corpus.1.grammar": 3}, r"there is no entry '1'; there are told"),
        ({"corpus.told.name.first": 3}, r"corpus.told.name is no table, so 'corpus.told.name.first' cannot be set"),
        ({"corpus.told.mixture.tale": 1.0}, r"has grammar and mixture; give one"),
        ({"": 3}, r"unknown key ''"),
        ({"seed": -1}, r"seed = -1: input should be greater than or equal to 0"),
        ({"seed": 2**32}, r"seed = 4294967296: input should be less than 4294967296"),
        ({"tokenizer.vocabulary": "many"}, r"recipe: tokenizer.vocabulary = 'many': input should be a valid integer"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ExperimentFileError, match=message) as fault:
        recipe().with_values(changes)
    assert "\n" not in str(fault.value)


def test_a_changed_recipe_leaves_the_one_that_it_was_made_of() -> None:
    values: dict[str, Any] = {"corpus": [{"name": "told", "grammar": 5}]}
    first = recipe().with_values(values)
    first.with_values({"corpus.told.grammar": 9})
    assert (first.corpus[0].grammar, values["corpus"][0]["grammar"]) == (5, 5)


def test_broken_files_are_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("[model\n")
    with pytest.raises(ExperimentFileError, match=r"broken.toml: broken TOML"):
        load_recipe(file)
    file.write_bytes(b'name = "\xff"\n')
    with pytest.raises(ExperimentFileError, match=r"line 1 is not UTF-8"):
        load_recipe(file)
    file.write_text("seed = 1\n")
    with pytest.raises(ExperimentFileError, match=r"the key 'corpus' is missing"):
        load_recipe(file)
    with pytest.raises(ExperimentFileError, match=r"none.toml: No such file"):
        load_recipe(tmp_path / "none.toml")


def test_settings_of_the_command_line_are_toml_or_else_text() -> None:
    assert parse_setting("model.width=96") == ("model.width", 96)
    assert parse_setting("training.learning_rate = 1e-3") == ("training.learning_rate", 1e-3)
    assert parse_setting("model.kind=gpt-neo") == ("model.kind", "gpt-neo")
    assert parse_setting('evaluation.prompts=["a", "b"]') == ("evaluation.prompts", ["a", "b"])
    with pytest.raises(UsageError, match="KEY=VALUE"):
        parse_setting("model.width")


def test_every_setting_of_the_loop_is_a_key_of_the_recipe() -> None:
    known = set(type(recipe().training).model_fields)
    # A recipe evaluates where [evaluation] says, and adapters are for models that have learned something.
    elsewhere = {"epochs", "seed", "evaluate_every", "lora_rank", "lora_alpha", "lora_targets"}
    assert set(TrainSettings.__dataclass_fields__) - known == elsewhere
    told = recipe(seed=5).with_values({"training.optimizer": "muon", "training.schedule": "wsd"})
    made = train_settings(told, 1000)
    assert (made.seed, made.optimizer, made.schedule, made.learning_rate) == (5, "muon", "wsd", 3e-3)


def test_adams_memory_is_a_fifth_of_the_training_where_nothing_is_said() -> None:
    made = [train_settings(recipe(), steps).beta2 for steps in (10, 100, 1000, 5000, 10**6)]
    assert made == [0.9, 0.95, 0.995, 0.999, 0.999]
    assert train_settings(recipe().with_values({"training.beta2": 0.98}), 1000).beta2 == 0.98
    assert train_settings(recipe().with_values({"training.optimizer": "muon"}), 100).beta2 == 0.999
