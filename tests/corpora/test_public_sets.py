from __future__ import annotations

import gzip
import zipfile
from typing import TYPE_CHECKING

import pytest

from shoal.corpora import (
    EKMAN,
    read_brown,
    read_easiest_books,
    read_ekman,
    read_masc,
    read_onestop,
    read_stories,
    read_zipped_stories,
)
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
    with pytest.raises(DataError, match="lists 3 books; fewer than the requested 4"):
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


def test_brown_has_its_genres_and_no_tags(data_folder: Path) -> None:
    files = read_brown(data_folder / "nltk" / "brown.zip")
    assert len(files) == 500
    assert len({genre for genre, _ in files.values()}) == 15
    genre, sentences = files["ca01"]
    assert genre == "news"
    assert sentences[0].startswith("The Fulton County Grand Jury said Friday an investigation of Atlanta's")
    assert "/at" not in " ".join(sentences)


def test_masc_has_its_genres_and_no_tags(data_folder: Path) -> None:
    files = read_masc(data_folder / "nltk" / "masc_tagged.zip")
    assert len({genre for genre, _ in files.values()}) == 20
    assert "_NN" not in " ".join(next(iter(files.values()))[1])


def test_articles_come_at_three_levels_without_the_level_line(data_folder: Path) -> None:
    articles = read_onestop(data_folder / "onestop-english" / "texts_by_level.zip")
    whole = [texts for texts in articles.values() if len(texts) == 3]
    assert len(whole) > 150
    assert not any(text.lower().startswith(("intermediate", "\ufeff")) for texts in whole for text in texts.values())


def test_comments_of_one_emotion_are_kept(data_folder: Path) -> None:
    comments = read_ekman(data_folder / "goemotions" / "ekman_dev.tsv.gz")
    assert {emotion for emotion, _ in comments} == set(EKMAN)
    assert 4900 < len(comments) < 5426


def test_what_is_no_archive_or_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "brown.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        read_brown(tmp_path / "brown.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme", "x")
    with pytest.raises(DataError, match="expected the archive of nltk_data"):
        read_masc(tmp_path / "other.zip")
    for number in ("9", "²"):
        (tmp_path / "rows.tsv.gz").write_bytes(gzip.compress(f"a comment\t{number}\tid\n".encode()))
        with pytest.raises(DataError, match="row 1 of"):
            read_ekman(tmp_path / "rows.tsv.gz")
