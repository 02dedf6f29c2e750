"""A reader is the loaded model, without what scoring does not need."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from architectures import tiny_model
from shoal.errors import CorruptModelError, ModelError, UnknownNameError, UnsafeModelError
from shoal.evaluation import evaluate
from shoal.models import load_for_scoring, load_model
from shoal.models.fast import FastModel
from shoal.tasks import Example
from tiny_models import byte_tokenizer, tiny_llama

ROWS = [
    Example(prompt="one two", completion=" three"),
    Example(prompt="a", completion="bcd efg", ends=False),
    Example(prompt="1 11", completion=" 111 1111"),
]


@pytest.fixture(params=["GPTNeo", "GPT2", "Llama", "tied"])
def any_folder(request, tmp_path):
    folder = tmp_path / "model"
    (tiny_llama(tied=True) if request.param == "tied" else tiny_model(request.param)).save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


def change_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_reader_scores_as_the_loaded_model(any_folder):
    reader, loaded = load_for_scoring(str(any_folder)), load_model(str(any_folder))

    assert isinstance(reader.model, FastModel)
    assert (reader.digest, reader.parameters, reader.origin) == (loaded.digest, loaded.parameters, loaded.origin)
    for early_exit in (False, True):
        ours = evaluate(reader.model, reader.tokenizer, ROWS, early_exit=early_exit)
        theirs = evaluate(loaded.model, loaded.tokenizer, ROWS, early_exit=early_exit)
        assert ours == theirs


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
def test_a_reader_has_the_dtype_and_the_digest_that_were_asked_for(any_folder, dtype):
    reader = load_for_scoring(str(any_folder), dtype=dtype)

    assert reader.model.dtype is getattr(torch, dtype)
    assert reader.digest == load_model(str(any_folder), dtype=dtype).digest


def test_the_bundled_model_is_plain():
    reader, loaded = load_for_scoring("bundled:searches"), load_model("bundled:searches")

    assert isinstance(reader.model, FastModel)
    assert (reader.digest, reader.parameters, reader.origin) == (loaded.digest, loaded.parameters, loaded.origin)


def test_scoring_a_plain_model_imports_neither_transformers_nor_scipy(model_folder, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"prompt": "one two", "completion": " three<end>"}) + "\n")
    code = (
        "import sys\nfrom shoal.cli.main import main\n"
        f"sys.argv = ['shoal', 'score', '--model', {str(model_folder)!r}, '--data', {str(rows)!r}, '--json']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(sorted({'transformers', 'scipy', 'pyarrow', 'pydantic'} & set(sys.modules)), file=sys.stderr)\n"
    )

    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stderr.strip().endswith("[]")
    assert "exact match" in json.loads(finished.stdout)


def outcome(load, folder):
    """Which model was loaded, or what was said against it."""
    try:
        loaded = load(str(folder))
    except ModelError as error:
        return str(error)
    return loaded.digest, type(loaded.model)


@pytest.mark.parametrize(
    "changes",
    [
        {"attention_bias": True},
        {"sliding_window": 4},
        {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}},
        {"num_attention_heads": "2"},
        {"model_type": "mistral", "architectures": ["MistralForCausalLM"]},
    ],
)
def test_a_configuration_that_says_more_is_left_to_transformers(model_folder, changes):
    change_json(model_folder / "config.json", **changes)

    assert outcome(load_for_scoring, model_folder) == outcome(load_model, model_folder)


def broken_value(weights):
    weights["model.norm.weight"][0] = torch.nan


def missing(weights):
    del weights["model.norm.weight"]


def unknown(weights):
    weights["model.extra.weight"] = torch.zeros(2)


def misfit(weights):
    weights["model.norm.weight"] = torch.ones(3)


@pytest.mark.parametrize("fault", [broken_value, missing, unknown, misfit])
def test_faulty_weights_are_refused_with_the_same_words(model_folder, fault):
    path = model_folder / "model.safetensors"
    weights = load_file(path)
    fault(weights)
    save_file(weights, path, metadata={"format": "pt"})

    with pytest.raises(CorruptModelError) as expected:
        load_model(str(model_folder))
    with pytest.raises(CorruptModelError) as found:
        load_for_scoring(str(model_folder))
    assert str(found.value) == str(expected.value)


def test_a_pickle_is_refused(model_folder):
    (model_folder / "model.safetensors").write_bytes(b"\x80\x04\x95" + b"\x01" * 600)

    with pytest.raises(UnsafeModelError):
        load_for_scoring(str(model_folder))


def test_a_model_with_code_of_its_own_is_refused(model_folder):
    change_json(model_folder / "config.json", model_type="mine", auto_map={"AutoModelForCausalLM": "mine.Mine"})

    with pytest.raises(UnsafeModelError):
        load_for_scoring(str(model_folder))


def test_a_tokenizer_beyond_the_embeddings_is_refused(tmp_path):
    tiny_llama(vocab_size=258).save_pretrained(tmp_path / "small")
    byte_tokenizer().save_pretrained(tmp_path / "small")

    with pytest.raises(ModelError, match="has ids up to 259"):
        load_for_scoring(str(tmp_path / "small"))


def test_an_unknown_dtype_is_named():
    with pytest.raises(UnknownNameError, match="float32"):
        load_for_scoring("bundled:searches", dtype="float31")


def test_other_models_are_read_by_transformers():
    reader = load_for_scoring("oracle")

    assert not isinstance(reader.model, FastModel)
    assert reader.spec == "oracle"
