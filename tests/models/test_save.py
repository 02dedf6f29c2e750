"""Saving leaves a whole folder or none."""

from __future__ import annotations

import json
import resource

import pytest

from shoal.errors import ModelError
from shoal.models import check_saving, load_model, model_digest, save_model
from tiny_models import byte_tokenizer, tiny_llama


def test_what_is_saved_is_what_is_loaded(tmp_path):
    model = tiny_llama()

    folder = save_model(model, byte_tokenizer(), tmp_path / "new" / "model")

    loaded = load_model(str(folder))
    assert loaded.digest == model_digest(model)
    assert loaded.tokenizer("a 1")["input_ids"] == byte_tokenizer()("a 1")["input_ids"]
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_whoever_may_read_one_file_may_read_all(tmp_path):
    folder = save_model(tiny_llama(), byte_tokenizer(), tmp_path / "model")
    (tmp_path / "plain").write_text("")

    assert {path.stat().st_mode for path in folder.iterdir()} == {(tmp_path / "plain").stat().st_mode}


def test_a_real_tokenizer_comes_back_as_it_was(data_folder, tmp_path):
    original = load_model(str(data_folder / "stories260K" / "stories260K.bin"))

    loaded = load_model(str(save_model(original.model, original.tokenizer, tmp_path / "copy")))

    text = "  Once upon a time,\nthere were 12 é "
    assert loaded.digest == original.digest
    assert loaded.tokenizer(text)["input_ids"] == original.tokenizer(text)["input_ids"]
    assert loaded.tokenizer.decode(loaded.tokenizer(text)["input_ids"]) == original.tokenizer.decode(
        original.tokenizer(text)["input_ids"]
    )


def test_a_saved_model_replaces_an_older_one(tmp_path):
    save_model(tiny_llama(seed=0), byte_tokenizer(), tmp_path / "model")
    save_model(tiny_llama(seed=1), byte_tokenizer(), tmp_path / "model")

    assert load_model(str(tmp_path / "model")).digest == model_digest(tiny_llama(seed=1))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("config", ["{}", '{"theme": "dark"}', "[1]", '"model_type"', '{"model_type": "lla', ""])
def test_a_folder_with_a_configuration_of_something_else_is_not_replaced(tmp_path, config):
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelError, match="holds something else than a model"):
        save_model(tiny_llama(), byte_tokenizer(), tmp_path)
    assert (tmp_path / "config.json").read_text() == config


def test_a_folder_with_other_things_is_not_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(ModelError, match="holds something else than a model"):
        save_model(tiny_llama(), byte_tokenizer(), tmp_path)
    with pytest.raises(ModelError, match="holds something else than a model"):
        save_model(tiny_llama(), byte_tokenizer(), tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.fixture
def small_files():
    """The kernel refuses to let a file grow beyond 4 kB, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_nothing_behind(tmp_path, small_files):
    with pytest.raises(ModelError, match="cannot be saved") as caught:
        save_model(tiny_llama(), byte_tokenizer(), tmp_path / "model")

    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_older_model_whole(tmp_path, request):
    save_model(tiny_llama(), byte_tokenizer(), tmp_path / "model")
    request.getfixturevalue("small_files")

    with pytest.raises(ModelError, match="cannot be saved"):
        save_model(tiny_llama(seed=1), byte_tokenizer(), tmp_path / "model")

    assert load_model(str(tmp_path / "model")).digest == model_digest(tiny_llama())
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.7},
        {"top_p": 0.9, "top_k": 20, "do_sample": False},
        {"temperature": 0.7, "eos_token_id": [256, 257], "suppress_tokens": [3]},
    ],
)
def test_settings_for_generating_text_are_saved_as_they_are(model_folder, tmp_path, settings):
    """`transformers` loads settings that contradict each other, and refuses to save them once they were changed."""
    (model_folder / "generation_config.json").write_text(json.dumps(settings))
    loaded = load_model(str(model_folder))
    loaded.model.generation_config.pad_token_id = 257

    check_saving(loaded.model, loaded.tokenizer, tmp_path / "out")
    folder = save_model(loaded.model, loaded.tokenizer, tmp_path / "out")

    written = json.loads((folder / "generation_config.json").read_text())
    assert settings.items() <= (written | {"do_sample": False}).items()
    assert load_model(str(folder)).digest == loaded.digest
    assert loaded.model.generation_config.pad_token_id == 257


def test_what_cannot_be_saved_is_known_before(tmp_path):
    class Unsaved(type(byte_tokenizer())):
        def save_pretrained(self, *_: object, **__: object) -> None:
            raise TypeError("a step written in Python\nhas no JSON")

    tokenizer = byte_tokenizer()
    tokenizer.__class__ = Unsaved

    with pytest.raises(ModelError, match="could not be saved: a step written in Python has no JSON"):
        check_saving(tiny_llama(), tokenizer, tmp_path / "out")
    with pytest.raises(ModelError, match="cannot be saved as"):
        save_model(tiny_llama(), tokenizer, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
