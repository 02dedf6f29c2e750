"""Adaptive testing: few items, the right explanation, errors at most alpha, plain words where nothing decides."""

from __future__ import annotations

import json
import math

import pytest
from simulated_models import SLIP, by_lot, by_mixture, by_program

from shoal.attribution import (
    CandidateTable,
    Discrimination,
    ItemPool,
    candidates_of,
    discriminate,
    item_pool,
    model_answers,
    pool_of,
)
from shoal.errors import UsageError
from shoal.models import load_for_scoring
from shoal.tasks import make_task


@pytest.fixture(scope="module")
def pool() -> ItemPool:
    return item_pool(make_task("addition", examples=100), size=600)


@pytest.mark.parametrize("slip", [0.0, 0.1, 0.2])
def test_each_explanation_is_found_with_a_handful_of_items(pool: ItemPool, slip: float) -> None:
    counts = []
    for group in pool.classes:
        found = discriminate(by_program(pool, group[0], slip=slip), pool)
        assert found.names == group
        assert found.verdict == ("rule" if group[0] == "rule" else "shortcut")
        counts.append(len(found.items))
    assert sorted(counts)[len(counts) // 2] <= 10


def test_random_items_need_more(pool: ItemPool) -> None:
    ask = by_program(pool, "rule")
    chosen, random = discriminate(ask, pool), discriminate(ask, pool, order="random", budget=600)
    assert chosen.names == random.names == ("rule",)
    assert len(random.items) >= 1.5 * len(chosen.items)
    assert [item.prompt for item in random.items] == list(pool.table.prompts[: len(random.items)])


@pytest.mark.slow
def test_the_true_explanation_is_rejected_with_at_most_alpha() -> None:
    # Half of the answers are slips, the worst case in which the rule is the main explanation still.
    pool = pool_of(candidates_of(make_task("addition", examples=300)))
    wrong = sum(
        "rule" not in discriminate(by_program(pool, "rule", slip=0.5, seed=seed), pool, alpha=0.2, budget=60).names
        for seed in range(40)
    )
    assert wrong <= 11  # 4 would be half of alpha; more than 11 have a probability of one in a thousand


@pytest.mark.slow
def test_an_even_mixture_is_named_as_undecided_between_its_parts(pool: ItemPool) -> None:
    verdicts = [
        discriminate(by_mixture(pool, {"rule": 0.5, "ignore-carry": 0.5}, seed=seed), pool, budget=40)
        for seed in range(12)
    ]
    both = [found for found in verdicts if set(found.names) == {"rule", "ignore-carry"}]
    assert len(both) >= 9
    assert all(found.verdict == "cannot tell" and found.separating > 0 for found in both)
    assert "raise the budget" in str(both[0])


def test_the_larger_part_of_a_mixture_is_the_main_explanation(pool: ItemPool) -> None:
    found = discriminate(by_mixture(pool, {"rule": 0.85, "ignore-carry": 0.15}), pool)
    assert found.names == ("rule",)
    standing = {standing.name: standing for standing in found.standings}
    assert 0.85 in standing["rule"].interval


def test_a_model_that_follows_none_is_found_to_do_so(pool: ItemPool) -> None:
    found = discriminate(by_lot([SLIP]), pool)
    assert found.verdict == "none"
    assert found.names == ()
    assert found.none_rejected_at is None
    assert "None of the named explanations is the main one" in found.sentence


def test_answers_that_do_not_end_count_against_every_explanation(pool: ItemPool) -> None:
    found = discriminate(lambda prompts: [None] * len(prompts), pool)
    assert found.verdict == "none"
    assert "no end" in str(found)


@pytest.mark.slow
def test_a_model_with_yes_or_no_drawn_by_lot_is_not_given_an_explanation() -> None:
    pool = _yes_no_pool()
    named = [discriminate(by_lot([" yes", " no"], seed=seed), pool, budget=60).names for seed in range(20)]
    assert sum(len(names) == 1 for names in named) <= 4


def test_a_model_that_always_says_yes_is_not_given_an_explanation() -> None:
    assert len(discriminate(by_lot([" yes"]), _yes_no_pool(), budget=60).names) != 1


def _yes_no_pool() -> ItemPool:
    """Three programs that agree by chance on half of the items."""
    prompts = [f"{number}:" for number in range(400)]
    bits = [tuple(" yes" if number >> bit & 1 else " no" for bit in range(3)) for number in range(400)]
    return pool_of(
        CandidateTable(
            names=("rule", "second", "third"),
            kinds=("rule", "shortcut", "shortcut"),
            prompts=tuple(prompts),
            expected=tuple(row[0] for row in bits),
            answers=tuple(bits),
            clusters=tuple(prompts),
        )
    )


def test_explanations_that_no_item_separates_are_named_together() -> None:
    task = make_task("addition", examples=60)
    pool = item_pool(task, size=200, shortcuts={"twin": lambda prompt, seen: task.rule(prompt)})
    found = discriminate(by_program(pool, "rule"), pool)
    assert found.names == ("rule", "twin")
    assert found.verdict == "rule"
    assert "no item separates it from the shortcut twin" in found.sentence


def test_a_pool_that_is_used_up_says_that_a_larger_one_is_needed(pool: ItemPool) -> None:
    small = pool_of(pool.table.rows(range(4)))
    found = discriminate(by_program(small, "rule"), small)
    assert found.verdict == "cannot tell"
    assert found.separating == 0
    assert "draw a larger pool" in found.sentence


def test_a_batch_never_has_more_items_than_the_decision_needs(pool: ItemPool) -> None:
    sizes: list[int] = []
    ask = by_program(pool, "rule")

    def counted(prompts):
        sizes.append(len(prompts))
        return ask(prompts)

    found = discriminate(counted, pool, batch=100)
    assert sizes[0] == 6  # with fewer answers no explanation can be rejected at half of 0.05
    assert found.batches == len(sizes)
    assert sum(sizes) == len(found.items)


def test_a_smaller_alpha_needs_more_items(pool: ItemPool) -> None:
    ask = by_program(pool, "rule")
    assert len(discriminate(ask, pool, alpha=0.001).items) > len(discriminate(ask, pool, alpha=0.1).items)


def test_the_evidence_over_time_reaches_the_threshold_where_an_explanation_is_rejected(pool: ItemPool) -> None:
    found = discriminate(by_program(pool, "rule"), pool)
    for standing in found.standings:
        path = [item.log_e[standing.name] for item in found.items]
        over = [number for number, value in enumerate(path, start=1) if value >= math.log(40)]
        assert (over[0] if over else None) == standing.rejected_at


def test_no_item_is_asked_twice(pool: ItemPool) -> None:
    found = discriminate(by_mixture(pool, {"rule": 0.5, "ignore-carry": 0.5}, seed=3), pool, budget=60)
    assert len({item.prompt for item in found.items}) == len(found.items) == 60


def test_the_result_survives_json_and_has_a_row_for_each_item(pool: ItemPool) -> None:
    found = discriminate(by_program(pool, "ignore-carry", slip=0.1), pool)
    assert Discrimination.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    frame = found.to_frame()
    assert len(frame) == len(found.items)
    assert frame["log_e rule"].iloc[-1] >= math.log(40)
    assert "The main explanation is the shortcut ignore-carry" in str(found)


def test_a_real_model_is_asked_through_its_tokenizer() -> None:
    loaded = load_for_scoring("bundled:searches")
    pool = pool_of(candidates_of(make_task("counting", largest=12)))
    found = discriminate(model_answers(loaded.model, loaded.tokenizer, pool), pool, budget=3)
    assert 1 <= len(found.items) <= 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, "alpha is the level of a test"),
        ({"alpha": 0.95}, "alpha is the level of a test"),
        ({"budget": 0}, "budget is a number of items, at least 1; got 0"),
        ({"batch": 0}, "batch is a number of items, at least 1; got 0"),
        ({"share": 0.4}, "share is what a main explanation gives at least, from 0.5 to below 1; got 0.4"),
        ({"share": 1.0}, "share is what a main explanation gives at least"),
        ({"order": "best"}, "order is discriminating or random; got 'best'"),
    ],
)
def test_options_out_of_their_range_are_one_line(pool: ItemPool, options, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace(".", r"\.")):
        discriminate(by_program(pool, "rule"), pool, **options)


def test_a_model_that_loses_answers_is_refused(pool: ItemPool) -> None:
    with pytest.raises(UsageError, match="4 prompts were given and 3 answers came back"):
        discriminate(lambda prompts: [SLIP] * 3, pool)
