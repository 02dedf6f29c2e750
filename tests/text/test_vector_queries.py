"""Neighbours and analogies of word vectors, by definition and beside gensim."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from shoal.errors import UsageError
from shoal.text.vectors import (
    WordVectors,
    judge_analogies,
    nearest_words,
    parse_analogy,
    read_analogies,
    solve_analogy,
)

WORDS = ("man", "woman", "king", "queen", "boy", "girl", "apple", "pear")


@pytest.fixture(scope="module")
def planted() -> WordVectors:
    """Sex, royalty, age and fruit as directions, with some noise: king - man + woman is queen."""
    sex, royal, young, fruit = np.eye(12)[:4]
    rows = [-sex, sex, royal - sex, royal + sex, young - sex, young + sex, fruit + young / 3, fruit - royal / 3]
    noise = np.random.default_rng(0).normal(scale=0.05, size=(8, 12))
    return WordVectors(words=WORDS, matrix=(np.stack(rows) + noise).astype(np.float32))


@pytest.fixture(scope="module")
def drawn() -> WordVectors:
    random = np.random.default_rng(1)
    return WordVectors(
        words=tuple(f"w{place}" for place in range(60)), matrix=random.normal(size=(60, 9)).astype(np.float32)
    )


def test_king_less_man_and_woman_is_queen(planted: WordVectors) -> None:
    found = solve_analogy(planted, ["king", "woman"], ["man"])
    assert found.by_sum[0][0] == found.by_product[0][0] == "queen"
    assert not {word for word, _ in found.by_sum} & {"king", "man", "woman"}
    assert found.question == "king + woman - man"
    assert f"3CosAdd answers {found.without_exclusion[0][0]}" in str(found)


def test_neighbours_and_both_formulas_are_those_of_gensim(drawn: WordVectors) -> None:
    keyed = pytest.importorskip("gensim.models").KeyedVectors(9)
    keyed.add_vectors(list(drawn.words), drawn.matrix)
    found = nearest_words(drawn, "w7", count=6)
    assert [word for word, _ in found.nearest] == [word for word, _ in keyed.most_similar("w7", topn=6)]
    assert [cosine for _, cosine in found.nearest] == pytest.approx(
        [near for _, near in keyed.most_similar("w7", topn=6)]
    )
    answers = solve_analogy(drawn, ["w1", "w2"], ["w3"], count=8)
    words = {"positive": ["w1", "w2"], "negative": ["w3"], "topn": 8}
    assert [word for word, _ in answers.by_sum] == [word for word, _ in keyed.most_similar(**words)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        theirs = keyed.most_similar_cosmul(**words)
    assert [word for word, _ in answers.by_product] == [word for word, _ in theirs]
    # gensim's epsilon is a thousandth of the paper's.
    assert [value for _, value in answers.by_product] == pytest.approx([value for _, value in theirs], rel=0.02)


def test_without_exclusion_a_word_of_the_question_may_answer(drawn: WordVectors) -> None:
    answers = solve_analogy(drawn, ["w1", "w2"], ["w3"])
    unit = drawn.unit()
    closeness = unit @ (unit[1] + unit[2] - unit[3])
    assert answers.without_exclusion[0][0] == drawn.words[int(closeness.argmax())]
    assert answers.without_far[0][0] not in {"w1", "w2", "w3"}


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("king - man + woman", ["king", "woman"], ["man"]),
        ("+ king - man +woman", ["king", "woman"], ["man"]),
        ("man : king :: woman : ?", ["king", "woman"], ["man"]),
        ("man:king::woman", ["king", "woman"], ["man"]),
        ("- man + king", ["king"], ["man"]),
        ("well-known", ["well-known"], []),
    ],
)
def test_an_analogy_is_written_as_a_sum_or_a_proportion(text: str, near: list[str], far: list[str]) -> None:
    assert parse_analogy(text) == (near, far)


@pytest.mark.parametrize("text", ["", "king man woman", "man : king", "king - - man", "king -"])
def test_what_is_no_analogy_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no analogy"):
        parse_analogy(text)


def test_an_unknown_word_names_a_near_one_and_counts_are_checked(planted: WordVectors) -> None:
    with pytest.raises(UsageError, match="'quenn' has no vector; did you mean 'queen'"):
        nearest_words(planted, "quenn")
    with pytest.raises(UsageError, match="'xyzzy' has no vector; it was too rare"):
        solve_analogy(planted, ["xyzzy"])
    with pytest.raises(UsageError, match="1 to 7 answers, not 8"):
        nearest_words(planted, "king", count=8)
    assert nearest_words(planted, "King", count=1).word == "king"


def test_analogies_of_a_set_have_an_interval_over_pairs(planted: WordVectors, tmp_path: Path) -> None:
    pairs = [("man", "woman"), ("king", "queen"), ("boy", "girl")]
    lines = [f"{a} {b} {c} {d}" for a, b in pairs for c, d in pairs if a != c]
    file = tmp_path / "questions.txt"
    file.write_text("\n".join([": sex", *lines, "man woman zebra mare"]))
    score = judge_analogies(planted, read_analogies(file))[-1]
    asked = [(solve_analogy(planted, [b, c], [a]), d) for a, b, c, d in map(str.split, lines)]
    assert (score.questions, score.known, score.right) == (7, 6, 6)
    assert score.right_by_product == sum(found.by_product[0][0] == due for found, due in asked) > 0
    assert score.right_without_exclusion == sum(found.without_exclusion[0][0] == due for found, due in asked)
    assert 0 < score.low < score.high == 1
    assert "by 3CosMul" in str(score)


def test_an_interval_of_analogies_covers_the_share_and_grows_where_pairs_decide(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    offset = random.normal(size=20)
    bases = random.normal(size=(24, 20)) * 1.2
    # Half of the pairs have the offset, and the others have none: a question is right where both have it.
    ends = bases + np.where(np.arange(24)[:, None] < 12, offset, random.normal(size=(24, 20)))
    words = tuple(f"{side}{place}" for side in "ab" for place in range(24))
    vectors = WordVectors(words=words, matrix=np.concatenate([bases, ends]).astype(np.float32))
    file = tmp_path / "questions.txt"
    file.write_text("\n".join(f"a{i} b{i} a{j} b{j}" for i in range(24) for j in range(24) if i != j))
    score = judge_analogies(vectors, read_analogies(file))[-1]
    naive = 1.96 * (score.share * (1 - score.share) / score.known) ** 0.5
    assert score.low < score.share < score.high
    assert score.high - score.low > 2 * naive * 1.5
