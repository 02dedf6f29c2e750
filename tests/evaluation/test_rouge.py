from __future__ import annotations

import math
import random

import pytest

from shoal.evaluation import rouge_l, rouge_lsum, rouge_n

WORDS = ["the", "The", "a", "cat,", "dog-house", "42", "sat.", "on", "Über", "été", "it's"]


def a_text(random_: random.Random) -> str:
    """A few words with odd marks, over one line or several."""
    return "".join(
        random_.choice(WORDS) + random_.choice([" ", " ", " ", "\n", "\n\n"]) for _ in range(random_.randrange(14))
    )


def test_rouge_is_that_of_the_package_rouge_score() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])
    chance = random.Random(5)
    compared = 0
    for _ in range(250):
        found, due = a_text(chance), a_text(chance)
        theirs = scorer.score(due, found)
        ours = {
            "rouge1": rouge_n(found, due, 1),
            "rouge2": rouge_n(found, due, 2),
            "rougeL": rouge_l(found, due),
            "rougeLsum": rouge_lsum(found, due),
        }
        for name, own in ours.items():
            if not math.isnan(own.f1):
                compared += 1
                other = theirs[name]
                assert own == pytest.approx((other.precision, other.recall, other.fmeasure), abs=1e-9), (
                    name,
                    found,
                    due,
                )
            else:
                assert theirs[name].fmeasure == 0
    assert compared > 600


def test_a_summary_of_swapped_lines_is_whole_by_lsum_and_not_by_l() -> None:
    due, found = "the cat sat\nthe dog ran", "the dog ran\nthe cat sat"
    assert rouge_lsum(found, due).f1 == 1
    assert rouge_l(found, due).f1 == pytest.approx(0.5)


def test_a_reference_without_words_has_no_rouge_and_one_of_one_word_no_bigrams() -> None:
    assert math.isnan(rouge_n("four", "四", 1).f1)
    assert math.isnan(rouge_n("four", "four", 2).f1)
    assert math.isnan(rouge_l("four", " ").f1)
    assert rouge_n("", "four", 1) == (0, 0, 0)
