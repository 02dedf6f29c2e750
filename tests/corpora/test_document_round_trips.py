"""Documents come back from every kind of file as they went in; what cannot is refused with the place."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shoal import corpora
from shoal.corpora import (
    HubSet,
    estimate_documents,
    parse_hub,
    pin,
    read_document_rows,
    read_documents,
    read_easiest_books,
    read_stories,
    read_zipped_stories,
    write_documents,
    write_lines,
    write_text,
)
from shoal.errors import DataError, UsageError

ODD = [
    "naïve café",
    "日本語の文。",
    "مرحبا بالعالم",
    "🐟🦊 tail",
    "a\tb  c",
    "<b>&amp;</b>",
    '"quoted, text"',
    "x" * 5000,
]
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff")
TEXTS = st.lists(st.text(LETTERS, min_size=1, max_size=30).filter(lambda text: text.strip()), min_size=1, max_size=6)
few = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("ending", ["txt", "jsonl", "parquet"])
def test_texts_of_any_script_come_back(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"größe 日本.{ending}"
    assert write_documents(({"text": text} for text in ODD), file) == len(ODD)
    assert list(read_documents(file)) == ODD
    assert list(read_documents(str(file))) == ODD


@few
@given(texts=TEXTS)
def test_any_texts_come_back_from_rows(tmp_path: Path, texts: list[str]) -> None:
    expected = [text.strip("\r\n") for text in texts]
    for ending in ("jsonl", "parquet"):
        file = tmp_path / f"a.{ending}"
        write_documents([{"text": text} for text in texts], file)
        assert list(read_documents(file)) == expected


PLAIN = st.text(st.sampled_from("ab é日\n\t.<|>"), min_size=1, max_size=25).filter(
    lambda text: text.strip() and "<|endoftext|>" not in text
)


@few
@given(texts=st.lists(PLAIN, min_size=1, max_size=6))
def test_any_texts_of_lines_come_back_from_a_text_file(tmp_path: Path, texts: list[str]) -> None:
    file = tmp_path / "a.txt"
    write_documents([{"text": text} for text in texts], file)
    assert list(read_documents(file)) == [text.strip("\n") for text in texts]
    assert read_stories(file) == [text.strip() for text in texts]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("compressed", [False, True])
def test_line_ends_marks_and_compression_change_no_text(
    tmp_path: Path, encoding: str, newline: str, compressed: bool
) -> None:
    raw = f"One é.{newline}Goes on.{newline}{newline}Two 日本.{newline}".encode(encoding)
    file = tmp_path / ("a.txt.gz" if compressed else "a.txt")
    file.write_bytes(gzip.compress(raw) if compressed else raw)
    assert list(read_documents(file)) == ["One é.\nGoes on.", "Two 日本."]


def test_rows_keep_their_other_columns(tmp_path: Path) -> None:
    rows = [{"text": "a", "id": 1, "tags": ["x", "y"]}, {"text": "b", "id": 2, "tags": []}]
    for ending in ("jsonl", "parquet"):
        file = tmp_path / f"a.{ending}"
        write_documents(rows, file)
        assert list(read_document_rows(file)) == rows
        with pytest.raises(DataError, match=r"the column 'id' is int, no text; give another --column"):
            list(read_documents(file, column="id"))
        with pytest.raises(DataError, match=r"has no column 'story'; it has text, id, tags"):
            list(read_documents(file, column="story"))


def test_a_column_by_another_name_is_read_and_whole_rows_with_it(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"story": "A.\\n", "text": 3}\n{"story": "  ", "text": 4}\n', encoding="utf-8")
    assert list(read_documents(file, column="story")) == ["A."]
    assert list(read_document_rows(file, column="story")) == [{"story": "A.", "text": 3}]


def test_dates_of_a_parquet_file_become_text_in_lines(tmp_path: Path) -> None:
    day = datetime.date(2024, 2, 29)
    pq.write_table(pa.table({"text": ["a"], "day": [day]}), tmp_path / "a.parquet")
    out = io.StringIO()
    assert write_lines(read_document_rows(tmp_path / "a.parquet"), out) == 1
    assert json.loads(out.getvalue()) == {"text": "a", "day": "2024-02-29"}


def test_lines_of_json_hold_letters_as_they_are() -> None:
    out = io.StringIO()
    assert write_lines([{"text": text} for text in ODD], out) == len(ODD)
    assert "\\u" not in out.getvalue()
    assert [json.loads(line)["text"] for line in out.getvalue().splitlines()] == ODD
    assert write_lines([], out) == 0


def test_texts_end_with_the_mark() -> None:
    out = io.StringIO()
    assert write_text([{"text": "A."}, {"text": "B.\nC."}], out) == 2
    assert out.getvalue() == "A.\n<|endoftext|>\nB.\nC.\n<|endoftext|>\n"


def test_a_later_group_of_rows_keeps_the_types_of_the_first(tmp_path: Path) -> None:
    rows = [{"text": "a", "score": 0.5} for _ in range(4000)] + [{"text": "b", "score": None}] * 3
    write_documents(rows, tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.schema.field("score").type == pa.float64()
    assert table.num_rows == 4003
    assert table["score"].null_count == 3


def test_columns_of_a_parquet_file_are_those_of_all_of_the_first_rows(tmp_path: Path) -> None:
    rows = [{"text": "a"}, {"text": "b", "score": 1.5}, {"label": "x", "text": "c"}]
    write_documents(rows, tmp_path / "a.parquet")
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [
        {"text": "a", "score": None, "label": None},
        {"text": "b", "score": 1.5, "label": None},
        {"text": "c", "score": None, "label": "x"},
    ]


@pytest.mark.parametrize(
    ("first", "more", "message"),
    [
        (
            {},
            {"score": 1.5},
            "the rows from 4,001 on cannot be written as Parquet: the first 4,000 have no column 'score'",
        ),
        ({"score": None}, {"score": "high"}, "the rows from 4,001 on cannot be written as Parquet"),
        (
            {"score": 1},
            {"score": "high"},
            "the rows from 4,001 on cannot be written as Parquet: Could not convert 'high'",
        ),
    ],
)
def test_rows_that_no_table_holds_are_refused_and_nothing_is_lost_silently(
    tmp_path: Path, first: dict[str, object], more: dict[str, object], message: str
) -> None:
    rows = [{"text": "a", **first}] * 4000 + [{"text": "b", **more}]
    with pytest.raises(DataError) as fault:
        write_documents(rows, tmp_path / "a.parquet")
    assert str(fault.value).startswith(message)
    assert str(fault.value).endswith("; write .jsonl")
    assert list(tmp_path.iterdir()) == []
    assert write_documents(rows, tmp_path / "a.jsonl") == 4001


@pytest.mark.parametrize("value", ["\ud83d", {"a": "\ud83d"}])
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_half_of_a_surrogate_pair_in_any_column_is_refused(tmp_path: Path, ending: str, value: object) -> None:
    with pytest.raises(DataError, match=r"surrogate"):
        write_documents([{"text": "a", "title": value}], tmp_path / f"a.{ending}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [{}, 2**70, [1, "a"]])
def test_values_that_parquet_has_no_type_for_are_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(DataError, match=r"the rows from 1 on cannot be written as Parquet: .*; write \.jsonl$"):
        write_documents([{"text": "a", "more": value}], tmp_path / "a.parquet")


def test_numbers_that_json_does_not_have_become_null(tmp_path: Path) -> None:
    write_documents([{"text": "a", "x": float("nan"), "y": [float("inf"), 1.5]}], tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_text() == '{"text": "a", "x": null, "y": [null, 1.5]}\n'


def test_a_schema_decides_the_columns_of_a_parquet_file(tmp_path: Path) -> None:
    schema = pa.schema([("text", pa.string()), ("count", pa.int16())])
    write_documents([{"text": "a", "count": 3, "more": "x"}], tmp_path / "a.parquet", schema=schema)
    assert pq.read_schema(tmp_path / "a.parquet") == schema


def test_a_folder_is_read_through_its_folders_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.md").write_text("Third.\n\nFourth.")
    (tmp_path / "a.jsonl").write_text('{"text": "First."}\n')
    (tmp_path / "b" / "1").write_text("Second.")
    (tmp_path / "b" / "picture.png").write_bytes(b"\x89PNG")
    assert list(read_documents(tmp_path)) == ["First.", "Second.", "Third.", "Fourth."]
    assert [row["text"] for row in read_document_rows(tmp_path)][-1] == "Fourth."


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("a.jsonl", b'{"text": "a"}\n{"text": "b"}\n', 2),
        ("a.txt", b"A.\n\nB.\n\nC.\n", 2),
        ("a.txt", b"A.<|endoftext|>B.<|endoftext|>", 2),
        ("a.txt", b"A.\r\n\r\nB.\r\n\r\n", 2),
        ("a.txt", b"one line", 0),
        # Without the time of compression, which would be part of the test's name, and another one in each process.
        ("a.txt.gz", gzip.compress(b"A.\n\nB.", mtime=0), 0),
        ("a.png", b"\n\n\n", 0),
    ],
)
def test_the_number_of_documents_is_estimated_without_reading_them(
    tmp_path: Path, name: str, content: bytes, count: int
) -> None:
    (tmp_path / name).write_bytes(content)
    assert estimate_documents(tmp_path / name) == count
    assert estimate_documents(tmp_path) == count


def test_estimates_of_tables_folders_and_what_is_not_there(tmp_path: Path) -> None:
    write_documents([{"text": "a"}] * 7, tmp_path / "a.parquet")
    write_documents([{"text": "a"}] * 5, tmp_path / "b.jsonl")
    assert estimate_documents(tmp_path) == 12
    assert estimate_documents(tmp_path / "none.txt") == 0
    assert estimate_documents("hub:org/name") == 0


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("hub:org/name", HubSet(name="org/name")),
        ("hub:org/name:test", HubSet(name="org/name", split="test")),
        ("hub:org/name@v1", HubSet(name="org/name", revision="v1")),
        ("hub:org/name@v1:dev", HubSet(name="org/name", revision="v1", split="dev")),
    ],
)
def test_names_of_the_hub_are_read_and_written(source: str, wanted: HubSet) -> None:
    assert parse_hub(source) == wanted
    assert parse_hub(str(wanted)) == wanted


@pytest.mark.parametrize("source", ["hub:", "hub:@v1", "hub:org/name@", "hub:org/name:", "hub:a:b:c", "hub:a@b@c"])
def test_what_names_no_data_set_is_refused(source: str) -> None:
    with pytest.raises(UsageError, match=r"names no data set of the hub; give hub:org/name"):
        parse_hub(source)
    with pytest.raises(UsageError, match="names no data set"):
        list(read_documents(source))


def test_a_whole_commit_and_a_folder_are_pinned_without_the_hub(tmp_path: Path) -> None:
    commit = HubSet(name="org/name", revision="0123456789abcdef" * 2 + "01234567")
    assert pin(commit) is commit
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    first = pin(HubSet(name=str(tmp_path)))
    assert first.revision == pin(HubSet(name=str(tmp_path))).revision
    (tmp_path / "a.jsonl").write_text('{"text": "b"}\n')
    assert pin(HubSet(name=str(tmp_path))).revision != first.revision


@pytest.mark.parametrize("bad", ["a.csv", "a.json", "a.txt.gz", "a"])
def test_kinds_of_files_that_are_not_written_are_named(tmp_path: Path, bad: str) -> None:
    with pytest.raises(UsageError, match=r"give a file that ends in \.txt, \.jsonl, \.parquet"):
        write_documents([{"text": "a"}], tmp_path / bad)
    assert list(tmp_path.iterdir()) == []


def zipped(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_book_that_the_archive_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("| there.txt | T | 5.0 | 0.990 |\n| gone.txt | G | 6.0 | 0.980 |\n")
    zipped(tmp_path / "books.zip", {"books/there.txt": "A cat."})
    assert read_easiest_books(tmp_path, 1) == ["A cat."]
    with pytest.raises(DataError, match=r"books\.zip has no gone\.txt, which .*README\.md lists"):
        read_easiest_books(tmp_path, 2)


@pytest.mark.parametrize(
    ("reader", "folder", "table", "mark"),
    [("read_brown", "brown/", "brown/cats.txt", "/"), ("read_masc", "masc_tagged/", "masc_tagged/categories.txt", "_")],
)
def test_tagged_corpora_lose_their_tags_and_missing_files_are_named(
    tmp_path: Path, reader: str, folder: str, table: str, mark: str
) -> None:
    read: Any = getattr(corpora, reader)
    text = f"The{mark}at cat{mark}nn\n\nIt{mark}pps sat{mark}vbd .{mark}.\n"
    whole = zipped(tmp_path / "a.zip", {table: "one news\n", f"{folder}one": text})
    assert read(whole) == {"one": ("news", ("The cat", "It sat ."))}
    lacking = zipped(tmp_path / "b.zip", {table: "one news\ntwo fiction\n", f"{folder}one": text})
    with pytest.raises(DataError, match=f"has no {folder}two, which {table} lists"):
        read(lacking)


def test_an_empty_archive_has_no_stories(tmp_path: Path) -> None:
    assert read_zipped_stories(zipped(tmp_path / "a.zip", {})) == []
    assert read_zipped_stories(zipped(tmp_path / "b.zip", {"a.txt": " \n", "b.md": "no"})) == []
