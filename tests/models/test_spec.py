"""Model specs are parsed without opening a model, and a wrong one names the nearest right one."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from shoal.errors import UnknownNameError, UsageError
from shoal.models import parse_spec


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("roneneldan/TinyStories-1M", "hub", "roneneldan/TinyStories-1M"),
        ("gpt2", "hub", "gpt2"),
        ("distilgpt2@main", "hub", "distilgpt2"),
        ("bert-base-uncased", "hub", "bert-base-uncased"),
        ("oracle", "dummy", "oracle"),
        ("./org/name", "folder", "./org/name"),
        ("./gpt2", "folder", "./gpt2"),
        ("/somewhere/model", "folder", "/somewhere/model"),
        ("~/model", "folder", "~/model"),
        ("gguf:weights", "gguf", "weights"),
        ("models/small.gguf", "gguf", "models/small.gguf"),
        ("stories260K.bin", "llama2c", "stories260K.bin"),
        ("bundled:stories", "bundled", "stories"),
        ("random:bundled:stories", "random", "bundled:stories"),
        ("oracle?p=0.3", "dummy", "oracle"),
    ],
)
def test_each_form_has_its_kind(text, kind, name):
    spec = parse_spec(text)

    assert (spec.kind, spec.name, str(spec)) == (kind, name, text)


def test_a_folder_that_exists_is_not_taken_for_a_hub_id(tmp_path, monkeypatch):
    (tmp_path / "org" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    assert parse_spec("org/name").kind == "folder"
    assert parse_spec("org/other").kind == "hub"


def test_a_bare_name_is_a_folder_where_there_is_one_and_else_of_the_hub(tmp_path, monkeypatch):
    (tmp_path / "distilgpt2").mkdir()
    (tmp_path / "gpt2").write_text("a file of that name")
    (tmp_path / "weights.safetensors").write_text("a file whose name is no model's")
    monkeypatch.chdir(tmp_path)

    assert [parse_spec(name).kind for name in ("distilgpt2", "gpt2", "gpt2-medium")] == ["folder", "hub", "hub"]
    assert parse_spec("weights.safetensors").kind == "folder"
    assert parse_spec("random:gpt2").inner == parse_spec("gpt2")


def test_a_hub_id_carries_its_revision():
    assert parse_spec("org/name@refs/pr/1").revision == "refs/pr/1"
    assert parse_spec("org/name").revision is None


def test_fresh_weights_know_where_their_architecture_comes_from():
    spec = parse_spec("random:a/b.bin?tokenizer=t.model")

    assert spec.inner is not None
    assert (spec.inner.kind, spec.inner.options) == ("llama2c", (("tokenizer", "t.model"),))


def test_a_spec_goes_through_pickle_and_is_hashable():
    spec = parse_spec("random:a/b.bin?tokenizer=t.model")

    assert pickle.loads(pickle.dumps(spec)) == spec
    assert {spec: 1}[spec] == 1


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("orcle?p=0.3", "oracle"),
        ("bundeld:stories", "bundled"),
        ("a.bin?tokeniser=x", "tokenizer"),
        ("oracle?sed=0.3", "seed"),
        ("my model", "org/name"),
        ("gpt2?p=0.3", "gpt2"),
    ],
)
def test_an_unknown_name_names_the_nearest(text, near):
    with pytest.raises(UnknownNameError) as caught:
        parse_spec(text)

    assert near in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no model"),
        ("bundled:", "names no model"),
        ("random:", "names no model"),
        ("random:oracle", "no architecture"),
        ("org/name@", "no revision"),
        ("gguf:x?y=1", "takes none"),
        ("a.bin?tokenizer=", "has no value"),
        ("~nobody-of-this-name/model", "cannot be looked up"),
        ("x" * 5000, "cannot be looked up"),
    ],
)
def test_an_incomplete_spec_says_what_is_missing(text, says):
    with pytest.raises(UsageError, match=says):
        parse_spec(text)


def test_parsing_needs_neither_torch_nor_transformers():
    code = (
        "import sys; from shoal.models import load_model, parse_spec; parse_spec('oracle?p=0.3'); "
        "print(sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
