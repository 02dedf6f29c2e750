"""Prompts are read from files of every form, and what is none is refused with its place."""

from __future__ import annotations

import gzip
import json
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shoal.errors import DataError
from shoal.serving import read_prompts, read_text_prompts

CONVERSATION = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]


def write(path, raw):
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


@pytest.mark.parametrize(
    ("name", "raw", "wanted"),
    [
        ("a.txt", b"one\ntwo\n", ["one", "two"]),
        ("a.txt", b"one", ["one"]),
        ("a.txt", b"\n \none\r\ntwo\rthree\n", ["one", "two", "three"]),
        ("a.txt", b"\xef\xbb\xbfone\n", ["one"]),
        ("a.txt", "zwölf é 日本\n".encode("utf-16"), ["zwölf é 日本"]),
        ("a.txt", "a\u2028b\n".encode(), ["a\u2028b"]),
        ("a.txt", b"  spaces stay  \n", ["  spaces stay  "]),
        ("a.txt.gz", b"one\ntwo\n", ["one", "two"]),
        ("a.jsonl", b'{"prompt": "one"}\n\n{"prompt": ""}\n', ["one", ""]),
        ("a.jsonl", '{"prompt": "日\\n本", "id": 3}'.encode(), ["日\n本"]),
        ("a.jsonl.gz", b'{"prompt": "one"}\n', ["one"]),
        ("a.jsonl", b'{"prompt": []}\n', [[]]),
    ],
)
def test_a_file_is_read_by_its_ending(tmp_path, name, raw, wanted):
    assert read_prompts(write(tmp_path / name, raw)) == wanted
    assert read_prompts(str(tmp_path / name)) == wanted


def test_conversations_stay_lists_of_messages(tmp_path):
    path = write(tmp_path / "a.jsonl", json.dumps({"chat": CONVERSATION}).encode())
    assert read_prompts(path, column="chat") == [CONVERSATION]


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        (
            "a.jsonl", b'{"prompt": "a"}\n{"text": "b", "id": 1}\n',
            "line 2: the column 'prompt' holds no text and no list of messages; columns: 'text', 'id'",
        ),
        ("a.jsonl", b'{"prompt": 3}\n', "line 1: the column 'prompt' holds no text"),
        ("a.jsonl", b'{"prompt": null}\n', "line 1: the column 'prompt' holds no text"),
        ("a.jsonl", b'{"prompt": ["a"]}\n', "line 1: the column 'prompt' holds no text"),
        ("a.jsonl", b'"a"\n', "line 1: the row is no object; expected one with the column 'prompt'"),
        ("a.jsonl", b'{"prompt": "a"}\n{"prompt": \n', "line 2: broken JSON at place 12"),
        ("a.jsonl", b"", "has no prompts; give one row or line at least"),
        ("a.txt", b" \n\t\n", "has no prompts; give one row or line at least"),
        ("a.txt", b"a\n\xff\n", "line 2: byte 0xff at place 1 of the line is not UTF-8"),
        ("a.txt.gz", b"", "has no prompts"),
        ("a.csv", b"a\n", "ends in '.csv'; prompts are read from .jsonl, .parquet and .txt files"),
        ("a", b"a\n", "ends in ''; prompts are read from"),
        ("a.gz", b"a\n", "ends in ''; prompts are read from"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_prompts_is_refused_with_the_place(tmp_path, name, raw, message):
    with pytest.raises(DataError) as fault:
        read_prompts(write(tmp_path / name, raw))
    assert message in str(fault.value)
    assert str(tmp_path / name) in str(fault.value)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*; check the path"):
        read_prompts(tmp_path)


def test_rows_of_parquet_are_texts_or_messages(tmp_path):
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"q": ["eins", "é日"], "chat": [CONVERSATION, CONVERSATION[:1]]}), path)
    assert read_prompts(path, column="q") == ["eins", "é日"]
    assert read_prompts(path, column="chat") == [CONVERSATION, CONVERSATION[:1]]
    with pytest.raises(DataError, match=r"a\.parquet, row 1: the column 'prompt' holds no text .* 'q', 'chat'"):
        read_prompts(path)
    pyarrow.parquet.write_table(pyarrow.table({"prompt": pyarrow.array(["a", None])}), path)
    with pytest.raises(DataError, match=r"row 2: the column 'prompt' holds no text"):
        read_prompts(path)


@pytest.mark.parametrize("extra", [b"bytes", datetime(2026, 11, 30), float("nan"), [float("inf")]])
def test_messages_that_no_record_could_hold_are_refused_before_anything_is_generated(tmp_path, extra):
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "a.parquet"
    rows = [[{"role": "user", "content": "hi", "extra": value}] for value in (None, extra)]
    pyarrow.parquet.write_table(pyarrow.table({"prompt": rows}), path)
    with pytest.raises(
        DataError, match=r"a\.parquet, row 2: the column 'prompt' holds no text and no list of messages"
    ):
        read_prompts(path)


def test_texts_alone_are_given_where_only_texts_will_do(tmp_path):
    path = write(tmp_path / "a.jsonl", b'{"prompt": "a"}\n{"prompt": "b"}\n')
    assert read_text_prompts(path) == ("a", "b")
    mixed = write(tmp_path / "b.jsonl", b'{"prompt": "a"}\n{"prompt": []}\n')
    with pytest.raises(DataError, match=r"prompt 2 of .*b\.jsonl is a conversation; give plain texts here"):
        read_text_prompts(mixed)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=8))
def test_texts_of_any_characters_come_back_from_rows(tmp_path, texts):
    path = tmp_path / "any.jsonl"
    path.write_text("".join(json.dumps({"prompt": text}, ensure_ascii=False) + "\n" for text in texts), "utf-8")
    assert read_prompts(path) == texts
