"""Text of files: encodings by their mark, plain line ends, whole characters, compressed files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from shoal.errors import DataError
from shoal.textfiles import check_characters, decode_text, numbered_lines, read_lines_of, read_text, split_chunks

TEXT = "Größe\nein Satz\u2028 mit Zeilentrenner\x85 und \x0b\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_by_its_mark_and_the_mark_is_no_letter(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT.encode(encoding))
    assert read_text(tmp_path / "a.txt") == TEXT


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_become_plain(end: str) -> None:
    assert decode_text(end.join(["a", "", "b"]).encode(), "a text") == "a\n\nb"


def test_lines_end_at_line_ends_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    whole = ["Größe", "ein Satz\u2028 mit Zeilentrenner\x85 und \x0b"]
    assert [line for _, line in numbered_lines(TEXT)] == whole
    assert [line for _, line in read_lines_of(tmp_path / "a.txt") if line] == whole


@pytest.mark.parametrize(("raw", "place"), [("Größe".encode("latin-1"), "byte 2"), ("é".encode()[:1], "near byte 1")])
def test_other_encodings_and_a_cut_character_are_refused_with_their_place(raw: bytes, place: str) -> None:
    with pytest.raises(DataError, match=rf"here is not UTF-8 text \({place}\); convert it first"):
        decode_text(raw, "here")


def test_a_file_that_only_begins_as_utf_16_is_refused() -> None:
    with pytest.raises(DataError, match="is not UTF-8 text, nor the UTF-16 that its first bytes promise"):
        decode_text(b"\xff\xfea", "here")


def test_compressed_text_is_read_and_a_cut_download_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    assert read_text(tmp_path / "a.txt.gz") == TEXT
    for name, raw in (("cut.gz", gzip.compress(TEXT.encode())[:-9]), ("none.gz", b"plain text")):
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(DataError, match=r"is not a whole \.gz file"):
            read_text(tmp_path / name)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*none\.txt: No such file"):
        read_text(tmp_path / "none.txt")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_parts_are_the_same_however_the_text_comes(size: int) -> None:
    text = "<e>one<e><e<e>two<<e>>three<e"
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    assert list(split_chunks(chunks, "<e>")) == text.split("<e>")


def test_half_of_a_surrogate_pair_is_refused_with_its_place() -> None:
    check_characters("a whole pair: \U0001f600", "row 1")
    with pytest.raises(DataError, match=r"row 1: character 3 is half of a surrogate pair \('\\ud83d'\)"):
        check_characters("ab\ud83d c", "row 1")
