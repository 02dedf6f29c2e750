"""A file of generated texts resumes, and its bytes depend on prompts and settings alone."""

from __future__ import annotations

import json
import math
import shutil
import urllib.request

import pytest
import torch

from chat_models import chat_model, chat_tokenizer
from shoal.errors import DataError
from shoal.models import LoadedModel
from shoal.serving import (
    GenerationSettings,
    generate,
    generate_to_file,
    load_for_generation,
    make_generation_model,
    read_prompts,
    read_text_prompts,
)
from shoal.serving.server import BackgroundServer

PROMPTS = ["a", "bcd", "a", [{"role": "user", "content": "hi"}]]
SHORT = GenerationSettings(max_tokens=4)


def test_a_killed_generation_resumes_to_the_same_bytes(live, tmp_path):
    path = tmp_path / "texts.jsonl"
    assert generate_to_file(live, PROMPTS, path, SHORT, samples=2).texts == 8
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert [json.loads(line)["prompt"] for line in lines] == [prompt for prompt in PROMPTS for _ in "12"]
    path.write_bytes(b"".join(lines[2:5]) + lines[6][:30])
    again = generate_to_file(live, PROMPTS, path, SHORT, samples=2)
    assert path.read_bytes() == whole
    assert 0 < len(again.generated.texts) < 8
    assert generate_to_file(live, PROMPTS, path, SHORT, samples=2).generated is None
    assert path.read_bytes() == whole


def test_other_settings_are_other_texts(live, tmp_path):
    path = tmp_path / "texts.jsonl"
    generate_to_file(live, ["a"], path, SHORT)
    generate_to_file(live, ["a"], path, GenerationSettings(max_tokens=5))
    (line,) = path.read_text().splitlines()
    assert json.loads(line)["settings"]["max_tokens"] == 5


@pytest.fixture(scope="module")
def forbidding():
    """A model to which one token, the letter b, is impossible."""
    tokenizer, model = chat_tokenizer(), chat_model("Phi")
    with torch.no_grad():
        model.lm_head.bias[tokenizer("b")["input_ids"][0]] = -math.inf
    loaded = LoadedModel(spec="m", model=model, tokenizer=tokenizer, digest="0" * 64, parameters=1, origin="m")
    return make_generation_model(loaded, rows=2)


def test_the_probability_of_an_impossible_token_is_null_in_files_and_answers(forbidding, tmp_path):
    """JSON has no infinity, at which other programs stop."""

    def refuse(name):
        raise AssertionError(name)

    settings = GenerationSettings(max_tokens=1, echo=True, logprobs=0)
    generate_to_file(forbidding, ["ab"], tmp_path / "texts.jsonl", settings)
    record = json.loads((tmp_path / "texts.jsonl").read_text(), parse_constant=refuse)
    assert [token["logprob"] for token in record["prompt_logprobs"]] == [None, None]
    asked = {"prompt": "ab", "max_tokens": 1, "echo": True, "logprobs": 0, "seed": 1}
    with BackgroundServer(forbidding) as server:
        for stream in (False, True):
            body = json.dumps(asked | {"stream": stream}).encode()
            request = urllib.request.Request(f"{server.url}/v1/completions", body, {"Content-Type": "application/json"})
            text = urllib.request.urlopen(request, timeout=30).read().decode()
            events = text.split("data: ")[1:-1] if stream else [text]
            choices = [json.loads(event, parse_constant=refuse)["choices"][0] for event in events]
            logprobs = [value for choice in choices for value in choice["logprobs"]["token_logprobs"]]
            assert logprobs[:2] == [None, None]
            assert logprobs[2] < 0


def other_template(folder):
    path = folder / "chat_template.jinja"
    path.write_text(path.read_text().replace("assistant", "model"))


def other_end(folder):
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": [256, 65]}))


def other_decoder(folder):
    path = folder / "tokenizer.json"
    known = json.loads(path.read_text())
    known["added_tokens"][-1]["special"] = False
    path.write_text(json.dumps(known))


@pytest.mark.parametrize("edit", [other_template, other_end, other_decoder])
def test_texts_are_not_those_of_the_same_weights_with_another_tokenizer(chat_folder, tmp_path, edit):
    """The digest of the weights says nothing of the files beside them."""
    folder, path = tmp_path / "model", tmp_path / "texts.jsonl"
    shutil.copytree(chat_folder, folder)
    generate_to_file(load_for_generation(str(folder)), PROMPTS[-1:], path, SHORT)
    edit(folder)
    edited = load_for_generation(str(folder))
    found = generate_to_file(edited, PROMPTS[-1:], path, SHORT)
    assert found.generated is not None
    (record,) = map(json.loads, path.read_text().splitlines())
    assert record["text"] == generate(edited, PROMPTS[-1:], SHORT).texts[0].text


def test_a_file_of_something_else_is_left_alone(live, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a"}\n')
    with pytest.raises(DataError, match=r"line 1 is no record of a generated text"):
        generate_to_file(live, ["a"], path, SHORT)
    assert path.read_text() == '{"prompt": "a"}\n'


def test_prompts_are_read_from_rows_and_lines(tmp_path):
    import pyarrow
    import pyarrow.parquet

    (tmp_path / "a.txt").write_text("one\n\ntwo\n")
    (tmp_path / "a.jsonl").write_text('{"q": "one"}\n{"q": [{"role": "user", "content": "two"}]}\n')
    pyarrow.parquet.write_table(pyarrow.table({"prompt": ["one", "two"]}), tmp_path / "a.parquet")
    assert read_prompts(tmp_path / "a.txt") == ["one", "two"]
    assert read_prompts(tmp_path / "a.jsonl", column="q")[1] == [{"role": "user", "content": "two"}]
    assert read_prompts(tmp_path / "a.parquet") == ["one", "two"]
    assert read_text_prompts(tmp_path / "a.txt") == ("one", "two")
    (tmp_path / "b.jsonl").write_text('{"prompt": "one"}\n{"prompt": [{"role": "user", "content": "two"}]}\n')
    with pytest.raises(DataError, match=r"prompt 2 of .*b\.jsonl is a conversation"):
        read_text_prompts(tmp_path / "b.jsonl")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", '{"text": "a"}\n', "line 1: the column 'prompt' holds no text"),
        ("a.jsonl", "[1]\n", "the row is no object"),
        ("a.txt", "\n", "has no prompts"),
        ("a.csv", "a\n", "prompts are read from"),
        ("a.parquet", "abc", "no whole Parquet file"),
    ],
)
def test_files_without_prompts_are_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_prompts(tmp_path / name)
    with pytest.raises(DataError, match="there is no file"):
        read_prompts(tmp_path / "none.txt")
