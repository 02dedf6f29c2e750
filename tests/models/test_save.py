"""Saving leaves a whole folder or none."""

from __future__ import annotations

import resource

import pytest
from tiny_models import byte_tokenizer, tiny_llama

from shoal.errors import ModelError
from shoal.models import load_model, save_model, weight_digest


def test_what_is_saved_is_what_is_loaded(tmp_path):
    model = tiny_llama()

    folder = save_model(model, byte_tokenizer(), tmp_path / "new" / "model")

    loaded = load_model(str(folder))
    assert loaded.digest == weight_digest(model)
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

    assert load_model(str(tmp_path / "model")).digest == weight_digest(tiny_llama(seed=1))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


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

    assert load_model(str(tmp_path / "model")).digest == weight_digest(tiny_llama())
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
