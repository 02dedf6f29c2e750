"""Word vectors judged by similarity and analogies, and read from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from shoal.errors import DataError
from shoal.text.vectors import (
    WordPairs,
    WordVectors,
    judge_analogies,
    judge_similarity,
    read_analogies,
    read_pairs,
    read_vector_file,
    write_vector_file,
)
from shoal.text.vectors.similarity import rank_correlation


@pytest.fixture
def vectors() -> WordVectors:
    random = np.random.default_rng(0)
    return WordVectors(words=tuple("abcdefgh"), matrix=random.normal(size=(8, 5)).astype(np.float32))


def test_the_rank_correlation_is_scipys_with_ties_too() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(5, size=(2, 40)).astype(float)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert rank_correlation(first, np.ones(40)) == 0


def test_cosines_are_correlated_with_peoples_scores_over_the_known_pairs(vectors: WordVectors) -> None:
    unit = vectors.unit()
    pairs = tuple(
        (a, b, float(unit[i] @ unit[j])) for i, a in enumerate("abcdef") for j, b in enumerate("abcdef") if i < j
    )
    (score,) = judge_similarity(vectors, [WordPairs(name="own", pairs=(*pairs, ("a", "zebra", 1.0)))])
    assert score.spearman == pytest.approx(1.0)
    assert (score.pairs, score.known) == (16, 15)
    assert score.low <= score.spearman <= score.high + 1e-9


def test_too_few_known_pairs_give_no_number(vectors: WordVectors) -> None:
    (score,) = judge_similarity(vectors, [WordPairs(name="few", pairs=(("a", "b", 1.0), ("c", "zebra", 2.0)))])
    assert (score.spearman, score.low, score.known) == (None, None, 1)
    assert score.coverage == 0.5


def test_analogies_are_answered_by_the_nearest_other_word(tmp_path: Path) -> None:
    words = ("king", "queen", "man", "woman", "apple")
    matrix = np.array([[1, 1, 0], [1, -1, 0], [0.1, 1, 0], [0.1, -1, 0], [0, 0, 1]], dtype=np.float32)
    file = tmp_path / "questions.txt"
    file.write_text(": family\nMan king woman queen\nking man queen woman\n: fruit\nman king woman apple\nx y z a\n")
    scores = judge_analogies(WordVectors(words=words, matrix=matrix), read_analogies(file))
    assert [(score.name, score.known, score.right) for score in scores] == [
        ("family", 2, 2),
        ("fruit", 1, 0),
        ("all", 3, 2),
    ]
    assert scores[-1].questions == 4


def test_vectors_come_back_from_their_file(vectors: WordVectors, tmp_path: Path) -> None:
    file = tmp_path / "vectors.txt"
    write_vector_file(vectors, file)
    again = read_vector_file(file)
    assert again.words == vectors.words
    np.testing.assert_allclose(again.matrix, vectors.matrix, rtol=1e-4)
    assert read_vector_file(file, most=3).words == vectors.words[:3]
    file.write_text(file.read_text().split("\n", 1)[1])
    assert read_vector_file(file).words == vectors.words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a 1 2\nb 1\n", "line 2: expected 2 numbers"),
        ("a 1 x\n", "line 1"),
        ("", "no vectors"),
        ("a 1\na 2\n", "second time"),
    ],
)
def test_broken_vector_files_are_refused_with_the_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(text)
    with pytest.raises(DataError, match=said):
        read_vector_file(tmp_path / "v.txt")


@pytest.mark.parametrize(("text", "said"), [("a b\n", "line 1"), ("a b c\n", "line 1"), ("\n", "no pair")])
def test_broken_pairs_are_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(DataError, match=said):
        read_pairs(tmp_path / "p.txt")


def test_vectors_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="finite"):
        WordVectors(words=("a",), matrix=np.array([[np.nan]], dtype=np.float32))


def test_the_shared_sets_can_be_read(data_folder: Path) -> None:
    folder = data_folder / "word-similarity"
    sets = {file.stem: read_pairs(file) for file in folder.glob("EN-*.txt")}
    assert {name: len(sets[name].pairs) for name in ("EN-MEN-TR-3k", "EN-SIMLEX-999", "EN-WS-353-ALL")} == {
        "EN-MEN-TR-3k": 3000,
        "EN-SIMLEX-999": 999,
        "EN-WS-353-ALL": 353,
    }
    assert sum(map(len, read_analogies(folder / "questions-words.txt").sections.values())) == 19544
