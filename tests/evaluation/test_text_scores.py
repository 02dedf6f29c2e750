from __future__ import annotations

import math
import random

import numpy as np
import pytest

from shoal.errors import DataError, UnknownNameError
from shoal.evaluation import bleu, chrf, score_texts, sentence_bleus, token_f1

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "then",
    "it",
    "ran",
    "far",
    "away",
    "from",
    "every",
    "dog",
    "4",
    "5",
]


def texts(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Predictions and references that share many words."""
    chance = random.Random(seed)
    due = [" ".join(chance.choices(WORDS, k=chance.randrange(1, 12))) for _ in range(count)]
    found = [" ".join(word if chance.random() < 0.7 else chance.choice(WORDS) for word in one.split()) for one in due]
    return found, due


def values(found: list[str], due: list[str]) -> dict[str, float | None]:
    return {score.name: score.value for score in score_texts(found, due).scores}


@pytest.mark.parametrize("seed", range(6))
def test_bleu_and_chrf_over_all_are_those_of_sacrebleu(seed: int) -> None:
    from sacrebleu.metrics import CHRF

    found, due = texts(1 + 7 * seed, seed)
    found[0] = ["", "x", found[0], "日本", found[0], " "][seed]
    scored = score_texts(found, due)
    assert scored.scores[0].value == pytest.approx(bleu(found, due), abs=1e-9)
    assert scored.scores[1].value == pytest.approx(chrf(found, due), abs=1e-9)
    assert scored.items["BLEU"] == pytest.approx(sentence_bleus(found, due), abs=1e-9)
    theirs = [CHRF().sentence_score(one, [other]).score for one, other in zip(found, due, strict=True)]
    assert scored.items["chrF"] == pytest.approx(theirs, abs=1e-9)


def test_token_f1_forgives_articles_case_and_marks() -> None:
    assert token_f1("The Cat!", "a cat") == 1
    assert token_f1("the black cat", "a cat sat") == pytest.approx(0.5)
    assert token_f1("cat cat", "cat") == pytest.approx(2 / 3)
    assert token_f1("", "cat") == 0
    assert math.isnan(token_f1("the", "the"))


def test_the_very_texts_have_100_and_others_0() -> None:
    _, due = texts(8, 0)
    due = [f"{one} one two" for one in due]
    assert values(due, due) == {name: pytest.approx(100) for name in values(due, due)}
    assert set(values(["q w"] * 8, due).values()) == {0.0, values(["q w"] * 8, due)["chrF"]}


def test_intervals_are_those_of_texts_drawn_again() -> None:
    found, due = texts(40, 3)
    scored = score_texts(found, due)
    chance = np.random.default_rng(1)
    for place, metric in ((0, bleu), (1, chrf)):
        drawn = [
            metric([found[at] for at in one], [due[at] for at in one])
            for one in (chance.integers(0, 40, size=40) for _ in range(150))
        ]
        low, high = np.quantile(drawn, [0.025, 0.975])
        score = scored.scores[place]
        assert (score.low, score.high) == (pytest.approx(low, abs=3.5), pytest.approx(high, abs=3.5))
        assert score.low < score.value < score.high


def test_an_interval_over_groups_is_wider_where_their_texts_are_alike() -> None:
    found, due = texts(10, 4)
    alone, grouped = (
        score_texts(found * 6, due * 6, groups=groups).scores[-1]
        for groups in (None, [place % 10 for place in range(60)])
    )
    assert grouped.units == 10
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_what_is_not_defined_is_none_and_does_not_count() -> None:
    scored = score_texts(["cat", "x", "四"], ["cat", " ", "四"])
    by_name = {score.name: score for score in scored.scores}
    assert by_name["ROUGE-1"].value == 100
    assert by_name["ROUGE-1"].texts == 1
    assert by_name["ROUGE-2"].value is None
    assert str(by_name["ROUGE-2"]) == "not defined"
    assert scored.items["ROUGE-1"] == (pytest.approx(100), None, None)
    assert scored.items["chrF"] == (pytest.approx(100), None, pytest.approx(100))
    assert by_name["token F1"].low is None
    assert "too few" in str(by_name["token F1"])


def test_bad_input_is_named() -> None:
    with pytest.raises(DataError, match="0 texts"):
        score_texts([], [])
    with pytest.raises(DataError, match="1 texts and 2 references"):
        score_texts(["a"], ["a", "b"])
    with pytest.raises(DataError, match="2 groups for 1"):
        score_texts(["a"], ["a"], groups=[1, 2])
    with pytest.raises(UnknownNameError, match="BLEU"):
        score_texts(["a"], ["a"], metrics=["BLEUE"])
