"""A hub id is loaded from the cache, and where it is not there one line says what to do."""

from __future__ import annotations

import shutil

import pytest

from shoal.errors import ModelError, UnavailableError, UnsafeModelError
from shoal.models import load_model, load_tokenizer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub, and no network."""
    import huggingface_hub.constants

    folder = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return folder


def put_into_cache(cache, model_folder, revision: str = "main", name: str = "org/name"):
    """As `hf download org/name` leaves it."""
    repository = cache / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    shutil.copytree(model_folder, snapshot)
    (repository / "refs" / revision).parent.mkdir(parents=True)
    (repository / "refs" / revision).write_text(COMMIT)
    return snapshot


def test_a_cached_model_is_loaded_and_its_commit_is_told(cache, model_folder):
    put_into_cache(cache, model_folder)

    loaded = load_model("org/name")

    assert loaded.origin == f"org/name at commit {COMMIT}"
    assert loaded.digest == load_model(str(model_folder)).digest


@pytest.mark.parametrize("revision", ["refs/pr/1", "v1.0"])
def test_a_revision_is_looked_up(cache, model_folder, revision):
    put_into_cache(cache, model_folder, revision)

    assert load_model(f"org/name@{revision}").origin.endswith(COMMIT)
    assert load_model(f"org/name@{COMMIT}").origin.endswith(COMMIT)
    with pytest.raises(UnavailableError):
        load_model("org/name@v2.0")


def test_a_chat_template_in_a_file_of_its_own_is_fetched(model_folder, monkeypatch, tmp_path):
    import huggingface_hub

    template = "{% for message in messages %}{{ message.content }}{% endfor %}"
    repository = shutil.copytree(model_folder, tmp_path / "repository")
    (repository / "chat_template.jinja").write_text(template)

    def download(name, *, revision, allow_patterns):
        """The files that match, as the hub sends them."""
        paths = [path.name for path in repository.iterdir()]
        kept = huggingface_hub.utils.filter_repo_objects(paths, allow_patterns=allow_patterns)
        (tmp_path / "cache").mkdir()
        for path in kept:
            shutil.copy(repository / path, tmp_path / "cache")
        return str(tmp_path / "cache")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)

    assert load_tokenizer("org/name").chat_template == template


def test_a_name_without_an_owner_is_looked_up_too(cache, model_folder):
    put_into_cache(cache, model_folder, name="gpt2")

    assert load_model("gpt2").origin == f"gpt2 at commit {COMMIT}"
    assert load_model("random:gpt2").origin.endswith(COMMIT)
    assert load_tokenizer("gpt2").eos_token == load_model("gpt2").tokenizer.eos_token


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("distilgpt2", "hf download distilgpt2 where there is a network"),
        ("distilgpt2", "there is no folder distilgpt2 here"),
        ("storis", "did you mean bundled:stories?"),
        ("orcle", "did you mean oracle?"),
    ],
)
def test_a_name_that_nothing_has_says_what_to_do(cache, name, says):
    with pytest.raises(UnavailableError) as caught:
        load_model(name)

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_network_and_cache_one_line_says_what_to_do(cache):
    with pytest.raises(UnavailableError) as caught:
        load_model("org/name")

    assert "run: hf download org/name where there is a network, or give a folder" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_line_carries_the_revision(cache):
    with pytest.raises(UnavailableError, match="hf download org/name --revision v1"):
        load_model("org/name@v1")


def test_a_name_that_cannot_be_a_hub_id_is_refused(cache):
    with pytest.raises(ModelError, match="cannot be a hub id"):
        load_model("org/name--more")


def test_cached_pickles_are_unsafe(cache, model_folder):
    snapshot = put_into_cache(cache, model_folder)
    (snapshot / "model.safetensors").rename(snapshot / "pytorch_model.bin")

    with pytest.raises(UnsafeModelError, match=r"pytorch_model\.bin"):
        load_model("org/name")
