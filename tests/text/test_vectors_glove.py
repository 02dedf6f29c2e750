"""GloVe, its counts, and word vectors trained by gensim."""

from __future__ import annotations

import builtins
import sys

import numpy as np
import pytest

from shoal.errors import DataError, MissingExtraError, UsageError
from shoal.text.vectors import (
    GensimSettings,
    GloveSettings,
    WordVectors,
    build_corpus,
    count_cooccurrences,
    fit_glove,
    split_words,
    train_gensim,
    train_glove,
)

GROUPS = (("red", "blue", "green", "white"), ("cat", "dog", "cow", "pig"), ("runs", "walks", "jumps", "swims"))


def grouped_sentences(count: int = 1500) -> list[list[str]]:
    """Sentences of words of one group each, with one word that all share."""
    random = np.random.default_rng(0)
    return [["the", *random.permutation(GROUPS[random.integers(3)]).tolist()] for _ in range(count)]


@pytest.fixture(scope="module")
def corpus():
    return build_corpus(grouped_sentences())


def test_words_are_cut() -> None:
    assert split_words("Don\u2019t go, it's 9 O'Clock_x") == ["don't", "go", "it's", "o'clock", "x"]


def test_no_word_of_a_long_sentence_is_lost() -> None:
    pieces = list(build_corpus([["a", "b"] * 12_000]).sentences())
    assert [len(piece) for piece in pieces] == [10_000, 10_000, 4_000]
    assert pieces[1][:2] == ["a", "b"]


def test_rare_words_are_left_out_and_frequent_ones_come_first() -> None:
    corpus = build_corpus([["b", "a", "rare", "a"], ["rarer"], ["a", "b"]], min_count=2)
    assert corpus.words == ("a", "b")
    assert corpus.counts.tolist() == [3, 2]
    assert list(corpus.sentences()) == [["b", "a", "a"], ["a", "b"]]


def test_a_corpus_without_words_is_refused() -> None:
    with pytest.raises(DataError, match="give more text"):
        build_corpus([["a", "b"]])


def test_pairs_are_counted_by_one_over_their_distance_within_sentences() -> None:
    sentences = [["a", "b", "c", "a"], ["c", "b"]]
    corpus = build_corpus(sentences, min_count=1)
    place = {word: number for number, word in enumerate(corpus.words)}
    expected = np.zeros((3, 3))
    for sentence in sentences:
        for i, first in enumerate(sentence):
            for j, second in enumerate(sentence):
                if 0 < abs(i - j) <= 2:
                    expected[place[first], place[second]] += 1 / abs(i - j)
    np.testing.assert_allclose(count_cooccurrences(corpus, window=2).toarray(), expected, rtol=1e-6)


def test_a_stretch_of_the_text_does_not_change_the_counts(corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = count_cooccurrences(corpus, window=4)
    monkeypatch.setattr("shoal.text.vectors.glove._BLOCK", 97)
    np.testing.assert_allclose(count_cooccurrences(corpus, window=4).toarray(), whole.toarray(), rtol=1e-4)


def test_one_step_of_glove_is_that_of_adagrad_on_equation_8() -> None:
    from shoal.text.vectors.glove_kernel import run_pass

    random = np.random.default_rng(0)
    words, contexts = (random.normal(size=(1, 4)).astype(np.float32) for _ in range(2))
    w, c, count, rate = words[0].astype(float), contexts[0].astype(float), 3.0, 0.05
    weight = (count / 10) ** 0.75
    error = w[:3] @ c[:3] + w[3] + c[3] - np.log(count)
    pulls_w, pulls_c = weight * error * np.append(c[:3], 1), weight * error * np.append(w[:3], 1)
    one = np.zeros(1, dtype=np.int32)
    squares = [np.ones((1, 4), dtype=np.float32) for _ in range(2)]
    logs, weights = (np.array([value], dtype=np.float32) for value in (np.log(count), weight))
    total = run_pass(one, one, logs, weights, words, contexts, *squares, np.float32(rate))
    assert total == pytest.approx(weight * error**2, rel=1e-4)
    np.testing.assert_allclose(words[0], w - rate * pulls_w, rtol=1e-4)
    np.testing.assert_allclose(contexts[0], c - rate * pulls_c, rtol=1e-4)
    np.testing.assert_allclose(squares[0][0], 1 + pulls_w**2, rtol=1e-4)


def test_glove_approaches_the_logarithms_of_the_counts(corpus) -> None:
    _, errors = fit_glove(count_cooccurrences(corpus), GloveSettings(dimension=8, passes=60))
    assert errors[-1] < 0.02 * errors[0]


@pytest.mark.parametrize("train", ["glove", "word2vec", "fasttext"])
def test_words_that_occur_together_become_near(corpus, train: str) -> None:
    if train == "glove":
        vectors = train_glove(corpus, GloveSettings(dimension=8, passes=40))
    else:
        vectors = train_gensim(corpus, train, GensimSettings(dimension=8, passes=20, skip_gram=True))
    # A direction that all words share (that of "the") says nothing of groups.
    centred = WordVectors(words=vectors.words, matrix=vectors.matrix - vectors.matrix[1:].mean(axis=0))
    unit = centred.unit()
    rows = [[vectors.places[word] for word in group] for group in GROUPS]
    within = np.mean([unit[row] @ unit[row].T for row in rows])
    across = np.mean([unit[one] @ unit[other].T for one in rows for other in rows if one != other])
    assert within > across + 0.2


def test_equal_seeds_give_equal_vectors(corpus) -> None:
    first, second = (train_glove(corpus, GloveSettings(dimension=4, passes=3)) for _ in range(2))
    other = train_glove(corpus, GloveSettings(dimension=4, passes=3, seed=1))
    assert np.array_equal(first.matrix, second.matrix)
    assert not np.array_equal(first.matrix, other.matrix)


@pytest.mark.parametrize("settings", [GloveSettings, GensimSettings])
def test_settings_that_cannot_be_are_refused(settings) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        settings(dimension=0)


@pytest.mark.parametrize("missing", ["gensim", "numba"])
def test_a_missing_extra_names_its_pip_command(corpus, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    imported = builtins.__import__

    def without(name, *arguments, **keywords):
        if name.split(".")[0] == missing:
            raise ImportError(name)
        return imported(name, *arguments, **keywords)

    monkeypatch.delitem(sys.modules, "shoal.text.vectors.glove_kernel", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'shoal\[vectors\]'"):
        train_gensim(corpus, "word2vec") if missing == "gensim" else train_glove(corpus)
