"""A zip archive that is damaged, encrypted or packed otherwise is one line, whoever reads it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from shoal.corpora import read_brown, read_zipped_stories
from shoal.errors import DataError
from shoal.evaluation.stories import read_minimal_pairs
from shoal.text.vectors import read_sentences

TEXT = "the cat sat .\nthe cat sit .\n" * 200
READERS = {
    "stories": read_zipped_stories,
    "the Brown corpus": read_brown,
    "sentences": read_sentences,
    "minimal pairs": read_minimal_pairs,
}


def archive(path: Path) -> bytearray:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.txt", TEXT)
    return bytearray(path.read_bytes())


def damaged(raw: bytearray) -> bytes:
    """Bytes of the packed text are others: its stream cannot be unpacked."""
    start = raw.index(b"a.txt") + len("a.txt")
    raw[start : start + 8] = b"\xff" * 8
    return bytes(raw)


def changed(raw: bytearray) -> bytes:
    """The text is another than its checksum says, in both places where it stands."""
    for mark, place in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        at = raw.index(mark) + place
        raw[at] ^= 1
    return bytes(raw)


def flagged(bit: int, raw: bytearray) -> bytes:
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + place] |= bit
    return bytes(raw)


def encrypted(raw: bytearray) -> bytes:
    return flagged(1, raw)


def packed_otherwise(raw: bytearray) -> bytes:
    """By a method that nobody knows."""
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        raw[raw.index(mark) + place] = 77
    return bytes(raw)


@pytest.mark.parametrize("fault", [damaged, changed, encrypted, packed_otherwise])
@pytest.mark.parametrize("reader", READERS)
def test_an_archive_that_cannot_be_unpacked_is_named_in_one_line(tmp_path: Path, reader: str, fault) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(fault(archive(path)))
    with pytest.raises(DataError) as raised:
        READERS[reader](path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_archive_is_read_before_it_is_damaged(tmp_path: Path) -> None:
    archive(tmp_path / "a.zip")
    assert read_zipped_stories(tmp_path / "a.zip") == [TEXT.strip()]
    assert len(read_minimal_pairs(tmp_path / "a.zip")) == 200
