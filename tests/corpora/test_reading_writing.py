"""Documents are read as a stream from every kind of file, and bad files are clear errors."""

from __future__ import annotations

import json
import os
import tracemalloc

import pytest

from shoal.corpora import read_documents, write_documents
from shoal.errors import DataError, UnavailableError, UsageError

TEXTS = ["One day a café.", "Two days.\n\nThen three.", "A cat sat."]


@pytest.mark.parametrize("ending", ["txt", "jsonl", "parquet"])
def test_what_was_written_is_read_again(tmp_path, ending):
    file = tmp_path / f"a.{ending}"
    assert write_documents(({"text": text} for text in TEXTS), file) == 3
    assert list(read_documents(file)) == TEXTS
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_text_without_end_marks_is_parted_at_blank_lines(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"One\r\nday.\r\n\r\n\r\nTwo.\n")
    assert list(read_documents(tmp_path / "a.txt")) == ["One\nday.", "Two."]


def test_marks_and_characters_that_span_two_reads_are_kept_whole(tmp_path):
    long = "é" * 600_000
    (tmp_path / "a.txt").write_text(f"{long}<|endoftext|>{long}x<|endoftext|>")
    assert list(read_documents(tmp_path / "a.txt")) == [long, long + "x"]


def test_a_folder_is_read_in_the_order_of_its_files(tmp_path):
    (tmp_path / "b.txt").write_text("B.")
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "A."}) + "\n\n")
    (tmp_path / "c.bin").write_bytes(b"\xff")
    assert list(read_documents(tmp_path)) == ["A.", "B."]


def test_another_column_can_be_read(tmp_path):
    write_documents([{"text": "no", "story": "yes"}], tmp_path / "a.parquet")
    assert list(read_documents(tmp_path / "a.parquet", column="story")) == ["yes"]


def test_memory_does_not_grow_with_the_number_of_documents(tmp_path):
    file = tmp_path / "a.txt"
    write_documents(({"text": "word " * 200} for _ in range(20_000)), file)
    tracemalloc.start()
    count = sum(1 for _ in read_documents(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 12_000_000 < file.stat().st_size


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"", "holds no text"),
        ("a.txt", b" \n\n ", "holds no text"),
        ("a.txt", b"caf\xe9 au lait", r"byte 0xe9 at place 4 of the line is not UTF-8"),
        ("a.jsonl", b"\xff", "a.jsonl, line 1: byte 0xff at place 1 of the line is not UTF-8"),
        ("a.jsonl", b'{"text": "a"}\n{"text"', "a.jsonl, line 2: broken JSON at place 8"),
        ("a.jsonl", b'{"story": "a"}', "has no column 'text'; it has story"),
        ("a.jsonl", b'{"text": 3}', "is int, no text"),
        ("a.jsonl", b"[1]", "has no column 'text'; it has list"),
        ("a.parquet", b"PAR1", "is not a whole Parquet file"),
    ],
)
def test_bad_files_are_named_with_the_place(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        list(read_documents(tmp_path / name))


def test_missing_sources_and_other_kinds_are_errors(tmp_path):
    with pytest.raises(DataError, match="there is no"):
        list(read_documents(tmp_path / "none.txt"))
    with pytest.raises(DataError, match="holds no file that ends in"):
        list(read_documents(tmp_path))
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(UsageError, match=r"cannot read a\.pdf"):
        list(read_documents(tmp_path / "a.pdf"))
    with pytest.raises(UsageError, match=r"cannot write a\.pdf"):
        write_documents([{"text": "a"}], tmp_path / "a.pdf")


def test_a_hub_set_that_cannot_be_reached_says_what_to_do():
    pytest.importorskip("datasets")
    with pytest.raises(UnavailableError, match="download it and give the file"):
        list(read_documents("hub:nobody/no-such-set"))


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text("old")

    def rows():
        yield {"text": "new"}
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_documents(rows(), file)
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_full_disk_leaves_nothing(tmp_path):
    (tmp_path / f".a.txt.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_documents([{"text": "x" * 100_000}], tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []


def test_no_documents_are_not_written(tmp_path):
    with pytest.raises(UsageError, match="there are no documents"):
        write_documents([], tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []
