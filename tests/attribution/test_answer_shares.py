"""The share of one answer that each explanation accounts for."""

from __future__ import annotations

import pytest

from shoal.attribution import NOISE, CandidateTable, ItemAnswer, explain_one_answer
from shoal.errors import DataError
from shoal.tasks import Example

ITEMS = 240


def table() -> CandidateTable:
    """The rule says yes to every second item, the shortcut to every third."""
    yes = [("yes" if place % 2 == 0 else "no", "yes" if place % 3 == 0 else "no") for place in range(ITEMS)]
    return CandidateTable(
        names=("rule", "third"),
        kinds=("rule", "shortcut"),
        prompts=tuple(f"item {place}" for place in range(ITEMS)),
        expected=tuple(rule for rule, _ in yes),
        answers=tuple(yes),
        clusters=tuple(f"cluster {place // 2}" for place in range(ITEMS)),
    )


def answers(says) -> list[ItemAnswer]:
    found = table()
    return [
        ItemAnswer(prompt=prompt, expected=right, answer=says(place), ends=True, log_probs={})
        for place, (prompt, right) in enumerate(zip(found.prompts, found.expected, strict=True))
    ]


def shares(given: list[ItemAnswer]) -> dict[str, float]:
    seen = [Example(prompt=one.prompt, completion=one.answer) for one in given]
    found = explain_one_answer(table(), given, seen, "yes")
    # Of an explanation that has hardly a part the mean may lie beyond the quantiles.
    assert all(share.low - 0.01 <= share.share <= share.high + 0.01 for share in found)
    return {share.name: share.share for share in found}


def test_a_rare_answer_is_explained_though_noise_explains_most_answers() -> None:
    # Three in ten of those that the rule calls yes, and no other: most answers are "no", whatever the item is.
    found = shares(answers(lambda place: "yes" if place % 2 == 0 and place % 20 in (0, 6, 14) else "no"))
    assert found["rule"] > 0.4
    assert found["third"] < 0.1


def test_shares_of_one_answer_sum_to_one_and_follow_the_program() -> None:
    found = shares(answers(lambda place: "yes" if place % 3 == 0 else "no"))
    assert found["third"] > 0.95
    assert sum(found.values()) == pytest.approx(1, abs=0.02)
    assert set(found) == {"rule", "third", NOISE}


def test_an_answer_that_nobody_gave_cannot_be_explained() -> None:
    given = answers(lambda _: "no")
    with pytest.raises(DataError, match="none of the 240 answers is 'yes'"):
        explain_one_answer(table(), given, [Example(prompt="a", completion="no")], "yes")
