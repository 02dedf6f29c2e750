"""The posterior over explanations, on answers whose cause is known."""

from __future__ import annotations

import json
import math
import random

import pytest

from shoal.attribution import Explanation, ItemAnswer, candidates_of, explain_answers
from shoal.errors import UsageError
from shoal.tasks import Example, make_task, task_from_rows

TASK = make_task("counting")
TABLE = candidates_of(TASK)


def simulated(shares, *, noise=0.0, seed=0, table=TABLE, task=TASK):
    """Greedy answers of a model that answers by each explanation with its share, and by noise."""
    draw = random.Random(seed)
    answers = []
    for place, row in enumerate(table.answers):
        name = draw.choices(list(shares), list(shares.values()))[0]
        answer = row[table.names.index(name)]
        if draw.random() < noise:
            answer = draw.choice(task.seen).completion
        answers.append(answered(table, place, answer or ""))
    return answers


def answered(table, place, answer, *, log_probs=None, ends=True):
    return ItemAnswer(
        prompt=table.prompts[place],
        expected=table.expected[place],
        answer=answer,
        ends=ends,
        log_probs=log_probs or {},
    )


def explained(answers, table=TABLE, task=TASK, **options):
    return explain_answers(table, answers, task.seen, task=task.name, **options)


def test_a_model_that_follows_the_rule_is_said_to_follow_it():
    found = explained(simulated({"rule": 1}))
    assert (found.verdict, found.names) == ("rule", ("rule",))
    assert found.right == len(TABLE.prompts)
    assert found.share_of("rule").share > 0.9


@pytest.mark.parametrize("name", ["stop-at-next-ten", "stop-at-previous-ten", "stop-at-token-phase", "never-stop"])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_a_shortcut_is_named(name, noise):
    found = explained(simulated({name: 1}, noise=noise))
    assert (found.verdict, found.names) == ("shortcut", (name,))
    share = found.share_of(name)
    assert share.low <= 1 - noise <= share.high + 0.05


def test_shortcuts_with_the_same_answers_are_named_together_and_the_rule_is_excluded():
    found = explained(simulated({"copy-nearest-edit": 1}, noise=0.1))
    assert found.verdict == "shortcut"
    assert set(found.names) == {"copy-nearest-length", "copy-nearest-edit", "stop-at-nearest-seen"}
    assert "these items cannot tell it from" in found.sentence
    assert found.share_of("rule").leads < 0.01


def test_a_mixture_is_seen_with_its_shares():
    found = explained(simulated({"rule": 0.5, "stop-at-next-ten": 0.5}))
    assert found.verdict == "mixture"
    assert set(found.names) == {"rule", "stop-at-next-ten"}
    assert found.share_of("rule").share == pytest.approx(0.5, abs=0.2)


def test_log_probabilities_show_the_mixture_that_greedy_answers_hide():
    # The greedy answer is always the shortcut's; the rule's answer has a third of the probability.
    answers = [
        answered(TABLE, place, candidate, log_probs={candidate: math.log(2 / 3), right: math.log(1 / 3)})
        for place, (candidate, right) in enumerate(
            zip(TABLE.column("stop-at-token-phase"), TABLE.column("rule"), strict=True)
        )
    ]
    found = explained(answers)
    assert found.verdict == "mixture"
    assert found.share_of("rule").share == pytest.approx(1 / 3, abs=0.05)
    assert found.share_of("stop-at-token-phase").agreement.agrees == len(answers)


def test_a_short_text_that_is_more_probable_does_not_overrule_the_answer():
    answers = [
        answered(TABLE, place, right, log_probs={right: -20.0, other: -2.0})
        for place, (right, other) in enumerate(
            zip(TABLE.column("rule"), TABLE.column("stop-at-token-phase"), strict=True)
        )
    ]
    assert explained(answers).names == ("rule",)


def test_answers_that_nothing_named_gives_are_noise():
    found = explained([answered(TABLE, place, " nonsense") for place in range(len(TABLE.prompts))])
    assert (found.verdict, found.names) == ("noise", ("noise",))
    assert found.right == 0


def test_chance_agreement_with_two_answers_is_no_explanation():
    # A coin agrees with any explanation of a yes-or-no task on half of the items.
    draw = random.Random(3)
    rows = [
        Example(prompt=f"{draw.getrandbits(12):012b}?", completion=draw.choice([" yes", " no"])) for _ in range(300)
    ]
    task = task_from_rows(rows, split="random(share=0.4)")
    table = candidates_of(task)
    answers = [answered(table, place, draw.choice([" yes", " no"])) for place in range(len(table.prompts))]
    found = explained(answers, table, task)
    assert found.share_of("rule").agreement.agrees > 40
    assert found.share_of("rule").leads < 0.5
    assert found.verdict in ("noise", "cannot tell")


def test_a_split_on_which_a_shortcut_is_always_right_cannot_tell():
    items = [example for example in TASK.held_out if int(example.tags["index"]) % 10 == 1]
    # The task's own shortcut, and one that equals the rule on these items.
    table = candidates_of(TASK, items, shortcuts={"as-the-rule": lambda prompt, seen: TASK.rule(prompt)})
    found = explain_answers(table, simulated({"rule": 1}, table=table), TASK.seen)
    assert found.verdict == "cannot tell"
    assert set(found.names) == {"rule", "as-the-rule"}
    assert "give the same answers to all 10 items" in found.sentence
    assert found.share_of("rule").same_as == ("as-the-rule",)


def test_too_few_items_settle_nothing():
    table = candidates_of(TASK, TASK.held_out[:1])
    found = explain_answers(table, simulated({"rule": 1}, table=table), TASK.seen)
    assert found.share_of("rule").low < 0.5


def test_items_of_one_cluster_count_as_one():
    rows = [Example(prompt=f"{place}?", completion=" yes", tags={"group": "all"}) for place in range(40)]
    rows += [Example(prompt=f"{place}!", completion=f" {place}", tags={"group": f"{place}"}) for place in range(60)]
    task = task_from_rows(rows, split="random(share=0.3)")
    table = candidates_of(task, rows[:40])
    found = explain_answers(table, simulated({"rule": 1}, table=table, task=task), task.seen)
    # Forty answers of one cluster are the evidence of one.
    assert found.share_of("rule").low < 0.5


def test_what_it_answers_instead_is_shown_item_by_item():
    found = explained(simulated({"stop-at-next-ten": 1}))
    item = found.items[0]
    assert not item.right
    assert "stop-at-next-ten" in item.given_by
    assert item.best == "stop-at-next-ten"
    assert sum(item.probabilities.values()) == pytest.approx(1, abs=0.02)
    assert "given by" in str(found)


def test_an_answer_that_does_not_end_is_no_candidate():
    answers = [
        answered(TABLE, place, right, log_probs={right: -0.1}, ends=False)
        for place, right in enumerate(TABLE.column("rule"))
    ]
    found = explained(answers)
    assert found.right == 0
    assert found.share_of("rule").agreement.agrees == 0


def test_the_same_seed_gives_the_same_numbers():
    answers = simulated({"rule": 0.6, "stop-at-next-ten": 0.4}, noise=0.1)
    assert explained(answers, seed=4) == explained(answers, seed=4)


def test_shares_sum_to_one():
    found = explained(simulated({"rule": 0.6, "copy-nearest-edit": 0.4}, noise=0.1))
    assert sum(share.share for share in found.shares) == pytest.approx(1)
    assert sum(share.leads for share in found.shares) == pytest.approx(1)


def test_answers_to_other_items_and_no_answers_are_refused():
    answers = simulated({"rule": 1})
    with pytest.raises(UsageError, match="one answer for each item, in the same order"):
        explained(answers[:-1])
    with pytest.raises(UsageError, match="one answer for each item, in the same order"):
        explained(answers[::-1])
    with pytest.raises(UsageError, match="no answers"):
        explained([])


def test_a_confidence_that_is_none_is_refused():
    with pytest.raises(UsageError, match="confidence"):
        explained(simulated({"rule": 1}), confidence=1.5)


def test_the_record_survives_json():
    found = explained(simulated({"rule": 0.5, "stop-at-next-ten": 0.5}))
    assert Explanation.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_tables_have_a_row_for_each_explanation_and_for_each_item():
    found = explained(simulated({"rule": 1}))
    assert len(found.to_frame()) == len(TABLE.names) - 1 + 1  # look-up applies to no item; noise has a row
    assert list(found.items_frame()["right"]) == [True] * len(TABLE.prompts)
