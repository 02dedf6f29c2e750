from __future__ import annotations

import gzip
import json
import math
import sys
from typing import TYPE_CHECKING

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import DataError, MissingExtraError, StoreError, UsageError
from shoal.tasks import Example, make_task, read_rows, task_from_rows, to_dataset, write_rows

if TYPE_CHECKING:
    from pathlib import Path

END = "<|endoftext|>"
EXAMPLES = [
    Example(prompt="Größe?\n", completion=" 3\u2028 m", tags={"index": 1, "group": "a", "hard": True, "share": 0.5}),
    Example(prompt="", completion=" 11", ends=False, tags={"index": 2}),
    Example(prompt="c", completion=" 😀", tags={}),
]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize("end_token", [None, END])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str, end_token: str | None) -> None:
    path = tmp_path / f"rows{suffix}"
    write_rows(EXAMPLES, path, end_token=end_token)
    assert read_rows(path, end_token=end_token) == EXAMPLES
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_exported_completions_carry_the_end_token(tmp_path: Path) -> None:
    write_rows(make_task("counting", largest=3).examples, tmp_path / "rows.jsonl", end_token=END)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert rows[2] == {
        "prompt": "Please count up in unary, starting at 1 and stopping at 111:",
        "completion": " 1 11 111<|endoftext|>",
        "index": 3,
        "group": "3",
    }


def test_an_end_token_that_the_file_does_not_use_changes_nothing(tmp_path: Path) -> None:
    write_rows(make_task("counting", largest=3).examples, tmp_path / "rows.jsonl")
    assert read_rows(tmp_path / "rows.jsonl", end_token=END) == list(make_task("counting", largest=3).examples)


def test_where_the_file_uses_the_end_token_a_row_without_it_does_not_end(tmp_path: Path) -> None:
    path = written(tmp_path, '{"prompt": "a", "completion": "b</s>"}\n\n{"prompt": "c", "completion": "d"}\n')
    assert [(row.completion, row.ends) for row in read_rows(path, end_token="</s>")] == [("b", True), ("d", False)]
    assert [(row.completion, row.ends) for row in read_rows(path)] == [("b</s>", True), ("d", True)]


def test_tags_may_stand_in_an_object_and_nulls_are_left_out(tmp_path: Path) -> None:
    path = written(
        tmp_path, '\ufeff{"prompt": "a", "completion": "b", "tags": {"index": 4, "x": null}, "group": "g"}\r\n'
    )
    assert read_rows(path) == [Example(prompt="a", completion="b", tags={"index": 4, "group": "g"})]


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "rows.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


GOOD = b'{"prompt": "a", "completion": "b"}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            GOOD + b'{"prompt": "caf\xe9", "completion": "b"}',
            ", line 2: byte 0xe9 at place 16 of the line is not UTF-8; save the file as UTF-8",
        ),
        (
            GOOD + GOOD + b'{"prompt": "a" "completion": "b"}',
            (
                ", line 3: broken JSON at place 16 (Expecting ',' delimiter); each line must be one object, as "
                '{"prompt": "...", "completion": "..."}'
            ),
        ),
        (
            b"[" * 100_000,
            (
                ", line 1: JSON nested too deeply; each line must be one object, as "
                '{"prompt": "...", "completion": "..."}'
            ),
        ),
        (b'"a"', ', line 1: "a" is not an object; write {"prompt": ..., "completion": ...}'),
        (
            b'{"promt": "a", "completion": "b"}',
            ", line 1: there is no column 'prompt'; found 'promt', 'completion'; rename 'promt'?",
        ),
        (
            b'{"prompt": "a", "answer": "b"}',
            ", line 1: there is no column 'completion'; found 'prompt', 'answer'; rename one of them",
        ),
        (b"{}", ", line 1: there is no column 'prompt'; the row is empty"),
        (b'{"prompt": "a", "completion": 3}', ", line 1: completion is 3, of type int; it must be text"),
        (b'{"prompt": null, "completion": "b"}', ", line 1: prompt is None, of type NoneType; it must be text"),
        (
            b'{"prompt": "a", "completion": "\\ud83d"}',
            ", line 1: completion has half a surrogate pair ('\\ud83d'); write whole characters",
        ),
        (b'{"prompt": "a", "completion": ""}', ", line 1: the completion is empty; give it text or remove the row"),
        (b'{"prompt": "a", "completion": "b", "ends": 1}', ", line 1: ends is 1; give true or false"),
        (
            b'{"prompt": "a", "completion": "b", "ids": [1]}',
            ", line 1: ids is [1]; a tag is text, a number, true or false",
        ),
        (
            b'{"prompt": "a", "completion": "b", "title": "x\\udc00"}',
            ", line 1: title has half a surrogate pair ('\\udc00'); write whole characters",
        ),
        (
            b'{"prompt": "a", "completion": "b", "tags": "x"}',
            ", line 1: tags is 'x'; give an object of names and values",
        ),
        (b"\n \n", " is empty; it needs at least one row with a prompt and a completion"),
        (b"", " is empty; it needs at least one row with a prompt and a completion"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataError) as raised:
        read_rows(path)
    assert str(raised.value) == f"{path}{message}"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_rows_are_read_in_any_unicode_encoding_and_compressed(tmp_path: Path, encoding: str, name: str) -> None:
    raw = '{"prompt": "Größe", "completion": "b"}\r\n{"prompt": "c", "completion": "d"}'.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    assert [example.prompt for example in read_rows(tmp_path / name)] == ["Größe", "c"]


def test_a_completion_of_the_end_token_alone_is_empty(tmp_path: Path) -> None:
    path = written(tmp_path, f'{{"prompt": "a", "completion": "{END}"}}')
    with pytest.raises(DataError, match="line 1: the completion is empty"):
        read_rows(path, end_token=END)


def test_paths_that_hold_no_rows(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").touch()
    for path, message in [
        (tmp_path / "none.jsonl", f"there is no file {tmp_path / 'none.jsonl'}; check the path"),
        (tmp_path, f"{tmp_path} is a folder; give a .jsonl or .parquet file in it"),
        (
            tmp_path / "rows.txt",
            f"{tmp_path / 'rows.txt'} ends in '.txt'; rows are read from .jsonl and .parquet files",
        ),
    ]:
        with pytest.raises(DataError) as raised:
            read_rows(path)
        assert str(raised.value) == message
    with pytest.raises(UsageError, match="the end token given is an empty text"):
        read_rows(tmp_path / "none.jsonl", end_token="")


def test_bad_parquet_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1 and then nothing of the kind")
    with pytest.raises(DataError, match=r"rows\.parquet is not a Parquet file that can be read"):
        read_rows(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"rows\.parquet is empty"):
        read_rows(path)
    pyarrow.parquet.write_table(pyarrow.table({"prompt": ["a", "b"], "completion": ["x", None]}), path)
    with pytest.raises(DataError, match=r"rows\.parquet, row 2: completion is None, of type NoneType; it must be text"):
        read_rows(path)
    broken = pyarrow.array([b"x", b"caf\xe9"], type=pyarrow.binary()).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"prompt": ["a", "b"], "completion": broken}), path)
    with pytest.raises(DataError, match=r"rows\.parquet, row 2: byte 0xe9 in a text is not UTF-8"):
        read_rows(path)


@pytest.mark.parametrize(
    ("example", "name", "message"),
    [
        (Example(prompt="a", completion=f"b{END}"), "rows.jsonl", "example 1: the completion holds the end token"),
        (Example(prompt="a", completion="b", tags={"ends": 1}), "rows.jsonl", "example 1: a tag is named 'ends'"),
        (Example(prompt="a", completion="b", tags={"x": math.inf}), "rows.jsonl", "cannot be written"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path, example: Example, name: str, message: str) -> None:
    path = tmp_path / name
    path.write_text("old")
    with pytest.raises(DataError, match=message):
        write_rows([example], path, end_token=END)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_number_that_parquet_cannot_hold_is_refused_and_lines_hold_it(tmp_path: Path) -> None:
    rows = [Example(prompt="a", completion="b", tags={"size": 2**70})]
    with pytest.raises(DataError, match=r"the examples cannot be written to .*rows\.parquet"):
        write_rows(rows, tmp_path / "rows.parquet")
    assert list(tmp_path.iterdir()) == []
    write_rows(rows, tmp_path / "rows.jsonl")
    assert read_rows(tmp_path / "rows.jsonl")[0].tags == {"size": 2**70}


def test_a_tag_that_is_no_number_is_absent(tmp_path: Path) -> None:
    """As pandas writes what is missing in a column of numbers."""
    path = written(tmp_path, b'{"prompt": "a", "completion": "b", "size": NaN, "tags": {"more": NaN, "kind": "x"}}')
    assert read_rows(path)[0].tags == {"kind": "x"}


def test_a_parquet_column_of_mixed_types_is_refused(tmp_path: Path) -> None:
    mixed = [Example(prompt="a", completion="b", tags={"x": tag}) for tag in (1, "one")]
    with pytest.raises(DataError, match="cannot be written"):
        write_rows(mixed, tmp_path / "rows.parquet")
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no folder .*none to write rows.jsonl into; make it first"):
        write_rows(EXAMPLES, tmp_path / "none" / "rows.jsonl")
    with pytest.raises(UsageError, match=r"ends in '.csv'; rows are written to .jsonl and .parquet files"):
        write_rows(EXAMPLES, tmp_path / "rows.csv")
    with pytest.raises(UsageError, match="the end token given is an empty text"):
        write_rows(EXAMPLES, tmp_path / "rows.jsonl", end_token="")
    (tmp_path / "rows.jsonl").mkdir()
    with pytest.raises(StoreError, match="cannot be written: Is a directory"):
        write_rows(EXAMPLES, tmp_path / "rows.jsonl")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_data_set_has_train_and_test_with_prompt_and_completion() -> None:
    task = make_task("counting", largest=20)
    data = to_dataset(task, END)
    assert {name: len(part) for name, part in data.items()} == {"train": 14, "test": 6}
    assert data["train"].column_names == ["prompt", "completion"]
    assert data["test"][1] == {"prompt": task.held_out[1].prompt, "completion": f" 1 11 111{END}"}
    assert to_dataset(task, None)["test"][1]["completion"] == " 1 11 111"


def test_without_the_data_set_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'shoal\[hub\]'"):
        to_dataset(make_task("counting", largest=10), END)


def test_rows_of_ones_own_become_a_task() -> None:
    rows = [Example(prompt=p, completion=p.upper()) for p in "abcdefghij"]
    task = task_from_rows(rows, split="random(share=0.2)", name="capitals")
    assert (task.name, len(task.seen), len(task.held_out)) == ("capitals", 8, 2)
    assert [task.rule(row.prompt) for row in rows] == [row.completion for row in rows]
    with pytest.raises(DataError, match="the prompt 'z' is not among the rows, and the task has no rule of its own"):
        task.rule("z")
    assert task_from_rows(rows, split="random", rule=str.upper).rule("z") == "Z"
    with pytest.raises(DataError, match="there are no rows to make a task of"):
        task_from_rows([], split="random")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(lambda text: END not in text)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(texts, texts.filter(bool), st.booleans()), min_size=1, max_size=5))
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize("end_token", [None, END])
def test_any_text_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, bool]], suffix: str, end_token: str | None
) -> None:
    path = tmp_path_factory.mktemp("rows") / f"rows{suffix}"
    examples = [Example(prompt=prompt, completion=completion, ends=ends) for prompt, completion, ends in rows]
    write_rows(examples, path, end_token=end_token)
    assert read_rows(path, end_token=end_token) == examples


def test_a_path_may_be_text(tmp_path: Path) -> None:
    path = str(tmp_path / "rows.jsonl")
    write_rows(EXAMPLES, path)
    assert read_rows(path) == EXAMPLES


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_tag_that_some_rows_lack_stays_absent(tmp_path: Path, suffix: str) -> None:
    examples = [Example(prompt="a", completion="b", tags={"x": 1}), Example(prompt="c", completion="d")]
    write_rows(examples, tmp_path / f"rows{suffix}")
    assert [row.tags for row in read_rows(tmp_path / f"rows{suffix}")] == [{"x": 1}, {}]
