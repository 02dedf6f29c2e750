"""Text of files: encodings by their mark, plain line ends, whole characters, compressed files."""

from __future__ import annotations

import codecs
import gzip
import math
import re
from pathlib import Path

import pytest

from shoal.errors import DataError
from shoal.textfiles import (
    check_characters,
    decode_text,
    finite,
    inner_suffix,
    numbered_lines,
    read_json,
    read_json_lines,
    read_lines_of,
    read_text,
    split_chunks,
)

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


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ("Größe".encode("latin-1"), "line 1: byte 0xf6 at place 3 of the line"),
        ("é".encode()[:1], "line 1: byte 0xc3 at place 1 of the line"),
        ("ä\nGröß".encode() + b"\xff", "line 2: byte 0xff at place 7 of the line"),
        (b"x" * (1 << 20) + "é".encode()[:1] + b"\n", "line 1: byte 0xc3 at place 1048577 of the line"),
        (b"x" * ((1 << 20) - 1) + b"\n\n\xe9", "line 3: byte 0xe9 at place 1 of the line"),
        (b"x\n" + b"y" * (1 << 20) + b"\xe9", "line 2: byte 0xe9 at place 1048577 of the line"),
    ],
    ids=["latin-1", "cut character", "second line", "cut at a chunk", "behind a chunk", "line across chunks"],
)
def test_other_encodings_and_a_cut_character_are_refused_with_their_place(mark: bytes, raw: bytes, place: str) -> None:
    if mark and "at place 1048577" in place and "line 1" in place:
        place = place.replace("1048577", "1048580")  # the mark's three bytes stand in the first line
    elif mark and "line 1" in place:
        place = re.sub(r"place (\d+)", lambda found: f"place {int(found[1]) + 3}", place)
    with pytest.raises(DataError) as raised:
        decode_text(mark + raw, "here")
    assert str(raised.value) == f"here, {place} is not UTF-8; save the file as UTF-8"


def test_a_file_that_only_begins_as_utf_16_is_refused() -> None:
    with pytest.raises(
        DataError, match="here is not UTF-8, nor from byte 3 on the UTF-16 that its first bytes announce; save"
    ):
        decode_text(b"\xff\xfea", "here")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_json_lines_are_read_in_any_encoding_and_compressed(tmp_path: Path, encoding: str, name: str) -> None:
    raw = '{"a": "Größe\u2028"}\r\n \r\n[1]\r\n"x"'.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    path = tmp_path / name
    assert list(read_json_lines(path)) == [
        (f"{path}, line 1", {"a": "Größe\u2028"}),
        (f"{path}, line 3", [1]),
        (f"{path}, line 4", "x"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1}\n{"a" 1}\n', ", line 2: broken JSON at place 6 (Expecting ':' delimiter); give an object"),
        ("[" * 100_000 + "\n", ", line 1: JSON nested too deeply; give an object"),
        ('1\n{"a"', ", line 2: broken JSON at place 5 (Expecting ':' delimiter); give an object"),
        (
            '{"a": -' + "9" * 5000 + "}\n",
            ", line 1: JSON with a whole number of more than 4,300 digits; give an object",
        ),
    ],
)
def test_broken_json_lines_are_named_with_their_place(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(content)
    with pytest.raises(DataError) as raised:
        list(read_json_lines(path, expected="give an object"))
    assert str(raised.value) == f"{path}{message}"


def test_a_last_line_that_is_still_being_written_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('1\n{"a"')
    assert [value for _, value in read_json_lines(path, unfinished=True)] == [1]
    path.write_text('1\n{"a"\n')
    with pytest.raises(DataError, match="line 2: broken JSON"):
        list(read_json_lines(path, unfinished=True))
    path.write_text("1\n2")
    assert [value for _, value in read_json_lines(path, unfinished=True)] == [1, 2]


@pytest.mark.parametrize("cut", range(1, 19))
def test_a_line_may_be_torn_at_any_byte(tmp_path: Path, cut: int) -> None:
    """Also within a character, where what is left is no text."""
    path = tmp_path / "a.jsonl"
    last = '{"b": "é日😀"}'.encode()
    assert len(last) == 18
    path.write_bytes('{"a": "é"}\n'.encode() + last[:cut])
    found = [value for _, value in read_json_lines(path, unfinished=True)]
    assert found == [{"a": "é"}, *([{"b": "é日😀"}] if cut == len(last) else [])]


@pytest.mark.parametrize("content", [b"notes", b'{"a": 1}\nnotes', b'{"a": "\xff', b'{"a\xe6": 1}\n{"b"'])
def test_a_file_of_something_else_has_no_torn_line(tmp_path: Path, content: bytes) -> None:
    """What resumes a file writes its end anew, and must not do so where it is somebody's text."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError):
        list(read_json_lines(path, unfinished=True))


def test_a_json_file_is_read_or_named_with_line_and_place(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{\n "a": [1, 2]\n}')
    assert read_json(path) == {"a": [1, 2]}
    path.write_text('{\n "a" 1\n}')
    with pytest.raises(DataError, match=r"a\.json: broken JSON at line 2, place 6 \(Expecting ':' delimiter\)$"):
        read_json(path)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (math.nan, None),
        (-math.inf, None),
        ([1.5, math.inf], [1.5, None]),
        ((0, math.nan), [0, None]),
        ({"a": {"b": [math.nan]}, "c": "nan"}, {"a": {"b": [None]}, "c": "nan"}),
        (True, True),
    ],
)
def test_numbers_that_json_does_not_have_are_none(value: object, plain: object) -> None:
    assert finite(value) == plain


def test_the_inner_suffix_looks_into_compressed_names() -> None:
    names = ("a.jsonl", "a.jsonl.gz", "a.tar.gz", "a.gz", "a", "a.b.txt")
    assert [inner_suffix(Path(name)) for name in names] == [".jsonl", ".jsonl", ".tar", "", "", ".txt"]


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
