"""Rejections by e-values and the choice of items, on pools that are written by hand."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hand_tables import table_of, texts_of
from simulated_models import SLIP, by_lot, by_mixture, by_program

from shoal.attribution import Discrimination, ItemPool, discriminate, pool_of
from shoal.statistics import log_e_share_above

COUNT = 80


def free_pool(count: int = COUNT) -> ItemPool:
    """Three explanations that differ on every item."""
    return pool_of(table_of({name: texts_of(name, count) for name in ("rule", "first", "second")}))


def yes_no_pool(count: int = 160) -> ItemPool:
    """Three explanations with two answers, which agree by chance on half of the items."""
    columns = {
        name: [(" no", " yes")[number >> bit & 1] for number in range(count)]
        for bit, name in enumerate(("rule", "first", "second"))
    }
    return pool_of(table_of(columns))


FREE, YES_NO = free_pool(), yes_no_pool()


@pytest.mark.parametrize("pool", [FREE, YES_NO], ids=["free", "yes-no"])
def test_a_true_explanation_is_rejected_in_at_most_alpha_of_the_runs(pool: ItemPool) -> None:
    # Half of the answers are slips: the least that a main explanation may give, and the worst case of the bound.
    runs, alpha = 25, 0.2
    found = [
        discriminate(by_program(pool, "rule", slip=0.5, seed=seed), pool, alpha=alpha, budget=24, seed=seed)
        for seed in range(runs)
    ]
    rejected = sum("rule" not in result.names for result in found)
    # The bound allows 5; an explanation alone is tested at half of alpha, so that 2 or 3 are expected at most.
    assert rejected <= runs * alpha


def test_an_even_mixture_rejects_both_of_its_parts_in_at_most_alpha_of_the_runs() -> None:
    runs, alpha = 15, 0.2
    found = [
        discriminate(by_mixture(FREE, {"rule": 0.5, "first": 0.5}, seed=seed), FREE, alpha=alpha, budget=24, seed=seed)
        for seed in range(runs)
    ]
    assert sum(set(result.names) != {"rule", "first"} for result in found) <= runs * alpha
    assert not any("second" in result.names for result in found)


def test_that_none_is_the_main_one_is_rejected_in_at_most_alpha_of_the_runs() -> None:
    # The rule alone gives a quarter of the answers: the most that the hypothesis allows.
    runs, alpha = 15, 0.2
    ask = [by_program(FREE, "rule", slip=0.75, seed=seed) for seed in range(runs)]
    wrong = sum(discriminate(one, FREE, alpha=alpha, budget=24).none_rejected_at is not None for one in ask)
    assert wrong <= runs * alpha


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01])
def test_none_is_rejected_by_the_first_answer_that_shows_more_than_a_quarter(alpha: float) -> None:
    found = discriminate(by_program(FREE, "rule"), FREE, alpha=alpha)
    bets = next(n for n in range(1, COUNT) if log_e_share_above(n, n, 0.25) >= -math.log(alpha))
    # The first answer shows who leads; the bets begin with the second.
    assert found.none_rejected_at == 1 + bets


def test_a_hypothesis_that_was_rejected_stays_so_and_its_evidence_stands_still() -> None:
    found = discriminate(by_program(FREE, "rule", slip=0.2, seed=5), FREE)
    for standing in found.standings:
        if standing.rejected_at is not None:
            after = [item.log_e[standing.name] for item in found.items[standing.rejected_at - 1 :]]
            assert len(set(after)) == 1


@pytest.mark.parametrize("budget", [1, 2, 5])
def test_a_budget_that_is_used_up_is_never_exceeded_and_decides_nothing_too_early(budget: int) -> None:
    found = discriminate(by_program(FREE, "rule"), FREE, budget=budget)
    assert len(found.items) == budget
    assert found.verdict == "cannot tell"
    assert found.separating == COUNT - budget
    assert "raise the budget" in found.sentence


def test_a_pool_of_one_item_is_asked_once_and_cannot_tell() -> None:
    pool = pool_of(table_of({"rule": [" a"], "first": [" b"]}))
    prompts: list[str] = []

    def ask(batch: Sequence[str]) -> list[str]:
        prompts.extend(batch)
        return [" a"] * len(batch)

    found = discriminate(ask, pool)
    assert prompts == ["item 0"]
    assert (found.verdict, set(found.names), found.separating) == ("cannot tell", {"rule", "first"}, 0)
    assert "draw a larger pool" in found.sentence


def test_items_on_which_all_explanations_agree_are_never_asked() -> None:
    count = 40
    rule = texts_of("rule", count)
    first = [text if number % 4 else f" first {number}" for number, text in enumerate(rule)]
    pool = pool_of(table_of({"rule": rule, "first": first}))
    found = discriminate(by_program(pool, "first"), pool)
    assert found.names == ("first",)
    assert all(item.candidates["rule"] != item.candidates["first"] for item in found.items)


def test_an_explanation_that_is_silent_on_an_item_is_not_judged_by_it() -> None:
    count = 40
    silent = [text if number < 20 else None for number, text in enumerate(texts_of("silent", count))]
    pool = pool_of(table_of({"rule": texts_of("rule", count), "silent": silent}))
    found = discriminate(by_program(pool, "rule"), pool, order="random", budget=count)
    standing = next(standing for standing in found.standings if standing.name == "silent")
    judged = [item for item in found.items if item.candidates["silent"] is not None]
    assert standing.trials <= len(judged)


def test_the_order_of_the_explanations_does_not_decide() -> None:
    for name in ("rule", "first", "second"):
        for order in (("rule", "first", "second"), ("second", "rule", "first")):
            pool = pool_of(FREE.table.of(order))
            assert discriminate(by_program(pool, name, slip=0.1, seed=2), pool).names == (name,)


def test_the_same_seed_asks_the_same_items_and_another_seed_others() -> None:
    def asked(seed: int) -> list[str]:
        return [item.prompt for item in discriminate(by_program(FREE, "rule"), FREE, seed=seed).items]

    assert asked(1) == asked(1) != asked(2)


def test_answers_that_are_rare_so_far_come_first_where_answers_repeat() -> None:
    # Nine of ten items that separate the two have the same answer of the rule.
    rule = [" yes" if number % 10 else " no" for number in range(100)]
    first = [" no" if text == " yes" else " yes" for text in rule]
    pool = pool_of(table_of({"rule": rule, "first": first}))
    found = discriminate(by_lot([" yes"]), pool, budget=10)
    counts = [item.candidates["rule"] for item in found.items]
    assert counts.count(" no") == counts.count(" yes") == 5
    assert found.verdict == "cannot tell"


def test_a_batch_of_one_and_a_large_batch_reach_the_same_verdict_with_the_same_evidence_bound() -> None:
    results: list[Discrimination] = [
        discriminate(by_program(YES_NO, "first", slip=0.1, seed=1), YES_NO, batch=batch, budget=120)
        for batch in (1, 4, 50)
    ]
    assert [found.names for found in results] == [("first",)] * 3
    assert results[0].batches == len(results[0].items)
    assert results[2].batches < results[0].batches


def test_slips_alone_are_explained_by_none() -> None:
    found = discriminate(by_lot([SLIP]), YES_NO, budget=100)
    assert (found.verdict, found.names) == ("none", ())
    assert all(standing.agrees == 0 and standing.rejected_at for standing in found.standings)


def test_intervals_of_the_shares_hold_the_truth_whenever_the_items_stop() -> None:
    # The worst of many runs, each stopped by what it shows: an interval of 80% may miss in a fifth of them.
    misses = 0
    for seed in range(20):
        ask = by_program(FREE, "rule", slip=0.3, seed=seed)
        found = discriminate(ask, FREE, alpha=0.2, budget=25, seed=random.Random(seed).randrange(100))
        standing = next(standing for standing in found.standings if standing.name == "rule")
        misses += 0.7 not in standing.interval
    assert misses <= 4
