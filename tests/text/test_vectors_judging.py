"""Word vectors judged by similarity and analogies, and read from files."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from shoal.errors import DataError, UsageError
from shoal.text.vectors import (
    AnalogyScore,
    SimilarityScore,
    WordPairs,
    WordVectors,
    judge_analogies,
    judge_similarity,
    read_analogies,
    read_vector_file,
    read_word_pairs,
    write_vector_file,
)
from shoal.text.vectors.evaluation import rank_correlation


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
    # Every sample of pairs in perfect order has it, too, and shows no width.
    assert (score.low, score.high) == (None, None)
    assert "1.000 (no interval)" in str(score)
    (noisy,) = judge_similarity(vectors, [WordPairs(name="own", pairs=(*pairs, ("g", "h", 5.0), ("a", "h", -5.0)))])
    assert noisy.low < noisy.spearman < noisy.high


@pytest.mark.parametrize("line", ["cat dog", "cat dog much", "cat dog 1 2", "cat dog nan", "cat dog -inf"])
def test_a_line_that_is_no_pair_with_a_score_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "p.txt").write_text(f"cat dog 7.5\n\n{line}\n")
    with pytest.raises(DataError, match=r"p\.txt, line 3: expected two words and a"):
        read_word_pairs(tmp_path / "p.txt")


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
    assert read_vector_file(file, max_words=3).words == vectors.words[:3]
    with pytest.raises(UsageError, match="max_words is 0; give at least 1"):
        read_vector_file(file, max_words=0)
    file.write_text(file.read_text().split("\n", 1)[1])
    assert read_vector_file(file).words == vectors.words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a 1 2\nb 1\n", "line 2: expected a word and 2 numbers"),
        ("a 1 x\n", "line 1"),
        ("", "no vectors"),
        ("a 1\na 2\n", "second time"),
        ("a 0.1 0.2\nb 0.1 0.2 0.3\nc 0.1 0.2\n", "line 2: expected a word and 2 numbers"),
        ("a 0.1 0.2\nb 0.1 nan\n", "line 2: the vector of 'b' holds what is no finite number"),
        ("a 0.1 0.2\nb 0.1 1e39\n", "line 2: the vector of 'b' holds what is no finite number"),
        ("9999 2\na 1 2\nb 3 4\n", "holds 2 words and its header says 9999; was a download cut"),
        ("2 2\na 1 2\nb 3\n", "line 3: expected a word and 2 numbers"),
        (" 0.1 0.2\n", "line 1: expected a word"),
    ],
)
def test_broken_vector_files_are_refused_with_the_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(text)
    with pytest.raises(DataError, match=said):
        read_vector_file(tmp_path / "v.txt")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", " \n").encode(),  # as fastText ends its lines
        lambda text: text.replace(" ", "\t").encode(),
        lambda text: gzip.compress(text.encode()),
    ],
)
@pytest.mark.parametrize("header", [True, False])
def test_vectors_are_the_same_in_whatever_form_they_come(
    change: Callable[[str], bytes], header: bool, vectors: WordVectors, tmp_path: Path
) -> None:
    write_vector_file(vectors, tmp_path / "plain.txt")
    text = (tmp_path / "plain.txt").read_text(encoding="utf-8")
    raw = change(text if header else text.split("\n", 1)[1])
    file = tmp_path / ("v.txt.gz" if raw.startswith(b"\x1f\x8b") else "v.txt")
    file.write_bytes(raw)
    again = read_vector_file(file)
    assert again.words == vectors.words
    np.testing.assert_allclose(again.matrix, vectors.matrix, rtol=1e-4)


@pytest.mark.parametrize("header", ["4 3\n", ""])
def test_words_may_hold_blanks_and_look_like_numbers(header: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(f"{header}. . . 1 2 3\nroute 66 4 5 6\n2 7 8 9\n\u3000 1 1 1\n", encoding="utf-8")
    found = read_vector_file(tmp_path / "v.txt")
    assert found.words == (". . .", "route 66", "2", "\u3000")
    assert found.matrix[1].tolist() == [4, 5, 6]


@pytest.mark.parametrize("word", ["\x85", "\u2028", "\u00a0"])
def test_a_word_of_white_space_is_neither_a_header_nor_the_end_of_a_line(word: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(f"{word} 1 2\nb 3 4\n", encoding="utf-8")
    assert read_vector_file(tmp_path / "v.txt").words == (word, "b")


def test_a_word_that_comes_twice_in_the_binary_form_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("gensim.models")
    rows = [b"a " + np.float32([place, 5]).tobytes() + b"\n" for place in range(2)]
    (tmp_path / "v.bin").write_bytes(b"2 2\n" + b"".join(rows))
    with pytest.raises(DataError, match="a word comes a second time"):
        read_vector_file(tmp_path / "v.bin")


def test_the_binary_form_of_word2vec_is_read_and_a_cut_one_refused(vectors: WordVectors, tmp_path: Path) -> None:
    models = pytest.importorskip("gensim.models")
    saved = models.KeyedVectors(vectors.dimension)
    saved.add_vectors(list(vectors.words), vectors.matrix)
    for name in ("v.bin", "v.vec", "v.bin.gz"):
        saved.save_word2vec_format(str(tmp_path / name), binary=True)
        again = read_vector_file(tmp_path / name)
        assert again.words == vectors.words
        np.testing.assert_array_equal(again.matrix, vectors.matrix)
    assert read_vector_file(tmp_path / "v.bin", max_words=2).words == vectors.words[:2]
    (tmp_path / "cut.bin").write_bytes((tmp_path / "v.bin").read_bytes()[:-7])
    with pytest.raises(DataError, match="not a whole file of word2vec's binary form"):
        read_vector_file(tmp_path / "cut.bin")


@pytest.mark.parametrize("name", ["huge.bin", "huge.bin.gz"])
def test_a_binary_header_that_promises_more_than_the_file_can_hold_is_refused(name: str, tmp_path: Path) -> None:
    pytest.importorskip("gensim.models")
    content = b"1000000000 300\nthe " + bytes(100)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with pytest.raises(DataError, match="1000000000 words of 300 numbers do not fit into it"):
        read_vector_file(tmp_path / name)


def test_other_encodings_and_models_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("caf\xe9 1 2\nth\xe9 3 4\n".encode("latin-1"))
    with pytest.raises(DataError, match="is not UTF-8"):
        read_vector_file(tmp_path / "latin.txt")
    (tmp_path / "latin2.txt").write_bytes("2 2\ncaf\xe9 1 2\nth\xe9 3 4\n".encode("latin-1"))
    with pytest.raises(DataError, match="is not UTF-8"):
        read_vector_file(tmp_path / "latin2.txt")
    (tmp_path / "cc.bin").write_bytes(bytes.fromhex("ba164f2f0c000000"))
    with pytest.raises(DataError, match="is a model of fastText"):
        read_vector_file(tmp_path / "cc.bin")


@pytest.mark.parametrize(("text", "said"), [("a b\n", "line 1"), ("a b c\n", "line 1"), ("\n", "no pair")])
def test_broken_pairs_are_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(DataError, match=said):
        read_word_pairs(tmp_path / "p.txt")


def test_vectors_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="finite"):
        WordVectors(words=("a",), matrix=np.array([[np.nan]], dtype=np.float32))


def test_the_shared_sets_can_be_read(data_folder: Path) -> None:
    folder = data_folder / "word-similarity"
    sets = {file.stem: read_word_pairs(file) for file in folder.glob("EN-*.txt")}
    assert {name: len(sets[name].pairs) for name in ("EN-MEN-TR-3k", "EN-SIMLEX-999", "EN-WS-353-ALL")} == {
        "EN-MEN-TR-3k": 3000,
        "EN-SIMLEX-999": 999,
        "EN-WS-353-ALL": 353,
    }
    assert sum(map(len, read_analogies(folder / "questions-words.txt").sections.values())) == 19544


def test_scores_print_as_one_line_each() -> None:
    known = SimilarityScore(name="men", pairs=20, known=15, spearman=0.5, low=0.25, high=0.75)
    assert str(known).split() == ["men", "0.500", "[0.250,", "0.750]", "15", "of", "20", "pairs", "known", "(75%)"]
    few = SimilarityScore(name="men", pairs=20, known=5, spearman=None, low=None, high=None)
    assert "too few pairs are known" in str(few)
    assert few.to_dict()["coverage"] == 0.25
    answered = AnalogyScore(name="capitals", questions=10, known=8, right=2)
    assert str(answered).split() == ["capitals", "25.0%", "right", "8", "of", "10", "questions", "known"]
    assert "none is known" in str(AnalogyScore(name="all", questions=3, known=0, right=0))


def test_an_analogy_whose_words_are_unknown_does_not_count(vectors: WordVectors, tmp_path: Path) -> None:
    file = tmp_path / "questions.txt"
    file.write_text(": letters\na b c d\na b c zebra\n")
    scores = judge_analogies(vectors, read_analogies(file))
    assert [(score.name, score.questions, score.known) for score in scores] == [("letters", 2, 1), ("all", 2, 1)]
    (tmp_path / "none.txt").write_text(": letters\n")
    with pytest.raises(DataError):
        read_analogies(tmp_path / "none.txt")
