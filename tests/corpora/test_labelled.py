"""Texts of known class from real archives, and clear words for what is none."""

from __future__ import annotations

import gzip
import zipfile
from typing import TYPE_CHECKING

import pytest

from shoal.corpora.labelled import EKMAN, read_brown, read_ekman, read_masc, read_onestop
from shoal.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


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
    (tmp_path / "rows.tsv.gz").write_bytes(gzip.compress(b"a comment\t9\tid\n"))
    with pytest.raises(DataError, match="row 1 of"):
        read_ekman(tmp_path / "rows.tsv.gz")
