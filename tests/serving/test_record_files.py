"""A file of generated texts: keys that name what determines a text, and lines that survive a kill."""

from __future__ import annotations

import json
import re

import pytest

from shoal.errors import DataError, StoreError
from shoal.models.generation import TokenSampling
from shoal.serving import GenerationSettings, TextRecords
from shoal.serving.text_records import FileGenerations, record_key

MODEL = {"digest": "d1", "dtype": "float32", "model": "folder-a", "device": "cpu"}
BASE = GenerationSettings(max_tokens=4, sampling=TokenSampling(seed=1))


def key(prompt="a", sample=0, settings=BASE, tokenizer="t1", **model):
    return record_key(prompt, sample, settings, {**MODEL, **model}, tokenizer)


def test_a_key_is_a_function_of_what_determines_a_text():
    assert key() == key()
    assert re.fullmatch("[0-9a-f]{32}", key())
    # Neither the name of a model nor where it is computed changes the text.
    assert key(model="folder-b", device="cuda") == key()
    assert key(prompt=[{"content": "hi", "role": "user"}]) == key(prompt=[{"role": "user", "content": "hi"}])


OTHER = {
    "another prompt": {"prompt": "b"},
    "white space": {"prompt": "a "},
    "a conversation": {"prompt": [{"role": "user", "content": "a"}]},
    "letters that look alike": {"prompt": "\u0430"},
    "another sample": {"sample": 1},
    "other weights": {"digest": "d2"},
    "another tokenizer": {"tokenizer": "t2"},
    "another number format": {"dtype": "bfloat16"},
    "another length": {"settings": GenerationSettings(max_tokens=5, sampling=TokenSampling(seed=1))},
    "another seed": {"settings": GenerationSettings(max_tokens=4, sampling=TokenSampling(seed=2))},
    "another temperature": {"settings": GenerationSettings(max_tokens=4, sampling=TokenSampling(temperature=2))},
    "a stop string": {"settings": GenerationSettings(max_tokens=4, sampling=TokenSampling(seed=1), stop=("x",))},
    "log-probabilities": {"settings": GenerationSettings(max_tokens=4, sampling=TokenSampling(seed=1), logprobs=0)},
    "an echo": {"settings": GenerationSettings(max_tokens=4, sampling=TokenSampling(seed=1), echo=True)},
}  # fmt: skip


@pytest.mark.parametrize("change", OTHER)
def test_a_key_differs_where_anything_differs(change):
    assert key(**OTHER[change]) != key()


def test_keys_of_different_changes_differ_from_each_other():
    assert len({key(**change) for change in OTHER.values()}) == len(OTHER)


def lines_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_records_are_appended_and_read_again(tmp_path):
    path = tmp_path / "texts.jsonl"
    records = TextRecords(path)
    assert records.known == {}
    assert not path.exists()
    records.append({"key": "k1", "text": "é 日\n"})
    records.append({"key": "k2", "text": ""})
    assert (
        TextRecords(str(path)).known
        == records.known
        == {
            "k1": {"key": "k1", "text": "é 日\n"},
            "k2": {"key": "k2", "text": ""},
        }
    )
    # Readable, not escaped.
    assert "é 日\\n" in path.read_text("utf-8")


def test_of_two_records_of_one_key_the_later_one_stands(tmp_path):
    path = tmp_path / "texts.jsonl"
    path.write_text('{"key": "k", "text": "old"}\n{"key": "k", "text": "new"}\n')
    assert TextRecords(path).known == {"k": {"key": "k", "text": "new"}}
    assert lines_of(path) == [{"key": "k", "text": "new"}]


@pytest.mark.parametrize("cut", [1, 5, 12, 20, 25])
def test_a_line_that_a_kill_tore_is_dropped_and_the_next_one_is_whole(tmp_path, cut):
    path = tmp_path / "texts.jsonl"
    whole, torn = '{"key": "k1", "text": "a"}\n', '{"key": "k2", "text": "b"}'
    path.write_text(whole + torn[:cut])
    records = TextRecords(path)
    assert list(records.known) == ["k1"]
    records.append({"key": "k2", "text": "b"})
    assert path.read_text() == whole + torn + "\n"


def test_a_file_is_written_in_the_order_of_the_keys(tmp_path):
    path = tmp_path / "texts.jsonl"
    records = TextRecords(path)
    for name in "cab":
        records.append({"key": name})
    records.write(["a", "b", "a"])
    assert lines_of(path) == [{"key": "a"}, {"key": "b"}, {"key": "a"}]
    assert set(records.known) == {"a", "b", "c"}
    records.write([])
    assert path.read_bytes() == b""
    assert [found.name for found in tmp_path.iterdir()] == ["texts.jsonl"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"text": "a"}\n', "line 1 is no record of a generated text; give another file to write"),
        ('{"key": "a"}\n{"key": 3}\n', "line 2 is no record of a generated text"),
        ('{"key": "a"}\n[1]\n', "line 2 is no record of a generated text"),
        ('{"key": \n{"key": "a"}\n', "line 1: broken JSON"),
        ("a,b\n", "line 1: broken JSON"),
        ("my notes", "line 1: broken JSON"),
        ("first\n{", "line 1: broken JSON"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left(tmp_path, text, message):
    path = tmp_path / "texts.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        TextRecords(path)
    assert path.read_text() == text


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    records = TextRecords(tmp_path / "gone" / "texts.jsonl")
    for write in (lambda: records.append({"key": "a"}), lambda: records.write([])):
        with pytest.raises(StoreError, match=r"texts\.jsonl cannot be written: No such file or directory"):
            write()
    assert records.known == {}


def test_what_was_there_already_is_stated():
    found = FileGenerations(path="texts.jsonl", texts=1200, generated=None)
    assert str(found) == "1,200 texts are in texts.jsonl; all were there already"
    assert found.to_dict() == {"path": "texts.jsonl", "texts": 1200, "generated": 0}
