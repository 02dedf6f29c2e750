"""Several trainings of one arm, explained together."""

from __future__ import annotations

import pytest

from shoal.attribution import ItemAnswer, candidates_of, explain_answers, explain_trainings
from shoal.errors import UsageError
from shoal.tasks import make_task

TASK = make_task("counting", largest=40)
TABLE = candidates_of(TASK)


def follows(name):
    answers = [
        ItemAnswer(prompt=prompt, expected=expected, answer=answer, ends=True, log_probs={})
        for prompt, expected, answer in zip(TABLE.prompts, TABLE.expected, TABLE.column(name), strict=True)
    ]
    return explain_answers(TABLE, answers, TASK.seen)


def test_verdicts_are_counted_and_shares_averaged_over_the_seeds():
    found = explain_trainings({0: follows("rule"), 1: follows("rule"), 2: follows("never-stop")})
    assert [seed.verdict for seed in found.seeds] == ["rule", "rule", "shortcut"]
    assert found.sentence.startswith("the rule in 2 of 3 seeds and the shortcut never-stop in 1 of 3 seeds")
    shares = {share.name: share for share in found.shares}
    assert shares["rule"].mean == pytest.approx(sum(shares["rule"].by_seed) / 3)
    assert len(shares["rule"].by_seed) == 3
    assert shares["rule"].mean > shares["never-stop"].mean > 0.25


def test_intervals_over_seeds_lie_between_0_and_1():
    found = explain_trainings({seed: follows("rule") for seed in range(7)})
    share = next(share for share in found.shares if share.name == "rule")
    assert share.low >= 0
    assert share.high <= 1
    assert share.low - 1e-9 <= share.mean <= share.high + 1e-9
    assert share.low > 0.5


def test_too_few_seeds_bound_nothing():
    found = explain_trainings({0: follows("rule"), 1: follows("never-stop")})
    assert {(share.low, share.high) for share in found.shares} == {(None, None)}
    assert "too few seeds for an interval" in str(found)


def test_no_training_is_refused():
    with pytest.raises(UsageError, match="no training"):
        explain_trainings({})
