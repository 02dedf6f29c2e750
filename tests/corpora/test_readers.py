from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from shoal.corpora import read_easiest_books, read_stories, read_zipped_stories
from shoal.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """| file | title | bytes | sentence | known |
|---|---|---|---|---|
| easy.txt | Easy | 10 | 5.0 | 0.990 |
| middle.txt | Middle | 10 | 9.0 | 0.950 |
| hard.txt | Hard | 10 | 20.0 | 0.800 |
"""


@pytest.fixture
def books(tmp_path: Path) -> Path:
    (tmp_path / "README.md").write_text(TABLE)
    with zipfile.ZipFile(tmp_path / "books.zip", "w") as archive:
        archive.writestr("README.md", "not a book")
        archive.writestr("books/hard.txt", "Whereupon.")
        archive.writestr("books/easy.txt", "A cat.\n\n\nA dog.\n\nIt ran.")
        archive.writestr("books/middle.txt", "A house.")
    return tmp_path


def test_stories_are_parted_and_an_unfinished_last_one_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "stories.txt"
    file.write_text("One day.\n<|endoftext|>\n A cat sat. <|endoftext|>\nThen the d")
    assert read_stories(file) == ["One day.", "A cat sat."]


def test_a_finished_last_story_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "stories.txt"
    file.write_text("A.<|endoftext|>B.")
    assert read_stories(file) == ["A.", "B."]


def test_the_easiest_books_come_first_and_are_cut_into_chapters(books: Path) -> None:
    assert read_easiest_books(books, 1) == ["A cat.", "A dog.\n\nIt ran."]
    assert read_easiest_books(books, 2) == ["A cat.", "A dog.\n\nIt ran.", "A house."]


def test_more_books_than_there_are_is_an_error(books: Path) -> None:
    with pytest.raises(DataError, match="lists 3 books; 4 were asked for"):
        read_easiest_books(books, 4)


def test_zipped_stories_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("2.txt", "C.<|endoftext|>")
        archive.writestr("1.txt", "A.<|endoftext|>B.<|endoftext|>")
    assert read_zipped_stories(tmp_path / "a.zip") == ["A.", "B.", "C."]


def test_text_that_is_not_utf8_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9.")
    with pytest.raises(DataError, match=r"byte 0xe9 at place 4 of the line is not UTF-8"):
        read_stories(tmp_path / "a.txt")


def test_a_missing_file_and_a_broken_archive_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        read_stories(tmp_path / "none.txt")
    (tmp_path / "b.zip").write_text("no archive")
    with pytest.raises(DataError, match="expected a zip archive"):
        read_zipped_stories(tmp_path / "b.zip")


def test_the_real_sets_are_read(data_folder: Path) -> None:
    assert len(read_stories(data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt")) > 1700
    assert len(read_zipped_stories(data_folder / "storybooks-ccby" / "storybooks.zip")) == 694
    assert len(read_easiest_books(data_folder / "gutenberg-children", 46)) > 1000
