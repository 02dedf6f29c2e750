"""The posterior over mixtures: it knows no names and no order, sharpens with items, and finds shares that are known."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hand_tables import SEEN, answers_to, table_of, texts_of

from shoal.attribution import CandidateTable, Explanation, explain_answers
from shoal.attribution.candidates import NoiseModel

COUNT = 40
COLUMNS = {name: texts_of(name, COUNT) for name in ("rule", "first", "second", "third")}


def explained(columns: Mapping[str, Sequence[str | None]], texts: Sequence[str], **options: float) -> Explanation:
    table = table_of(columns)
    return explain_answers(table, answers_to(table, texts), SEEN, **options)


def mixed(shares: Mapping[str, float], *, count: int = COUNT, seed: int = 0) -> list[str]:
    """Answers in exactly these shares, in random order; a name that is no explanation is noise."""
    names = [name for name, share in shares.items() for _ in range(round(share * count))]
    random.Random(seed).shuffle(names)
    return [f" {name} {number}" for number, name in enumerate(names)]


def figures(found: Explanation) -> dict[str, tuple[float, float]]:
    return {share.name: (share.share, share.leads) for share in found.shares}


def test_other_names_of_the_shortcuts_leave_the_posterior_as_it_is() -> None:
    texts = mixed({"rule": 0.5, "first": 0.3, "noise": 0.2})
    renamed = {"rule": "rule", "first": "z", "second": "a", "third": "m"}
    plain = figures(explained(COLUMNS, texts))
    other = figures(explained({renamed[name]: column for name, column in COLUMNS.items()}, texts))
    assert other == {renamed.get(name, name): pair for name, pair in plain.items()}


@pytest.mark.parametrize("order", [("third", "second", "first", "rule"), ("first", "rule", "third", "second")])
def test_another_order_of_the_explanations_leaves_the_posterior_as_it_is(order: tuple[str, ...]) -> None:
    table = table_of(COLUMNS)
    answers = answers_to(table, mixed({"rule": 0.4, "first": 0.4, "noise": 0.2}))
    plain = figures(explain_answers(table, answers, SEEN))
    other = figures(explain_answers(table.of(order), answers, SEEN))
    # But for the draws, which are others.
    for name, pair in plain.items():
        assert other[name] == pytest.approx(pair, abs=0.04)


def test_another_order_of_the_items_leaves_the_posterior_as_it_is() -> None:
    table = table_of(COLUMNS)
    answers = answers_to(table, mixed({"rule": 0.5, "first": 0.5}))
    order = random.Random(1).sample(range(COUNT), COUNT)
    plain = explain_answers(table, answers, SEEN)
    other = explain_answers(table.rows(order), [answers[place] for place in order], SEEN)
    assert other.verdict == plain.verdict
    for name, pair in figures(plain).items():
        assert figures(other)[name] == pytest.approx(pair, abs=1e-6)


def test_shares_and_probabilities_of_leading_sum_to_one() -> None:
    for shares in ({"rule": 1.0}, {"noise": 1.0}, {"rule": 0.25, "first": 0.25, "second": 0.25, "third": 0.25}):
        found = explained(COLUMNS, mixed(shares))
        assert sum(share.share for share in found.shares) == pytest.approx(1)
        assert sum(share.leads for share in found.shares) == pytest.approx(1)
        assert all(0 <= share.low <= share.high <= 1 for share in found.shares)
        assert all(share.low <= share.share <= share.high for share in found.shares if share.share > 0.01)


@pytest.mark.parametrize(
    "shares",
    [
        {"rule": 0.9, "noise": 0.1},
        {"first": 0.7, "noise": 0.3},
        {"rule": 0.5, "first": 0.5},
        {"rule": 0.25, "second": 0.75},
        {"first": 0.5, "second": 0.3, "noise": 0.2},
    ],
)
def test_known_shares_lie_in_their_intervals(shares: dict[str, float]) -> None:
    found = explained(COLUMNS, mixed(shares))
    for name in (*COLUMNS, "noise"):
        share, truth = found.share_of(name), shares.get(name, 0.0)
        assert share.low - 0.01 <= truth <= share.high + 0.01
        assert share.share == pytest.approx(truth, abs=0.08)


def test_twice_the_items_make_a_narrower_interval_and_the_same_share() -> None:
    texts = mixed({"rule": 0.5, "first": 0.5}, count=20)
    short = {name: column[:20] for name, column in COLUMNS.items()}
    once, twice = explained(short, texts), explained({n: [*c, *c] for n, c in short.items()}, [*texts, *texts])
    for name in ("rule", "first"):
        one, two = once.share_of(name), twice.share_of(name)
        assert two.high - two.low < 0.85 * (one.high - one.low)
        assert two.share == pytest.approx(one.share, abs=0.08)


def test_the_same_items_twice_are_no_further_evidence() -> None:
    texts = mixed({"rule": 0.5, "first": 0.5}, count=20)
    short = {name: column[:20] for name, column in COLUMNS.items()}
    prompts = [f"item {number}" for number in range(20)]
    table = table_of({name: [*column, *column] for name, column in short.items()}, prompts=prompts * 2)
    assert len(set(table.clusters)) == 20
    once = explained(short, texts)
    twice = explain_answers(table, answers_to(table, [*texts, *texts]), SEEN)
    for name, pair in figures(once).items():
        assert figures(twice)[name] == pytest.approx(pair, abs=0.02)
    assert twice.share_of("rule").low == pytest.approx(once.share_of("rule").low, abs=0.03)


def test_explanations_that_fit_equally_well_are_equally_probable_however_many_they_are() -> None:
    # Each shortcut misses one item, another one each; more of them than subsets grow.
    count = 9
    given = texts_of("given", count)
    missing = {
        f"all but {miss}": [text if place != miss else " miss" for place, text in enumerate(given)]
        for miss in range(count)
    }
    found = explained({"rule": texts_of("rule", count), **missing}, given)
    assert found.verdict == "shortcut"
    assert set(found.names) == set(missing)
    leads = [found.share_of(name).leads for name in missing]
    assert leads == pytest.approx([1 / count] * count, abs=0.025)


def test_more_shortcuts_that_explain_nothing_make_the_rule_no_less_probable() -> None:
    texts = mixed({"rule": 0.8, "noise": 0.2})
    more = {f"idle {number}": texts_of(f"idle {number}", COUNT) for number in range(20)}
    few, many = (explained(columns, texts) for columns in (COLUMNS, COLUMNS | more))
    assert few.verdict == many.verdict == "rule"
    assert many.share_of("rule").share == pytest.approx(few.share_of("rule").share, abs=0.02)


def test_probabilities_of_one_item_follow_the_shares_where_two_explanations_give_its_answer() -> None:
    # Half of the items separate the two, three to one; the others are given by both.
    count = 40
    rule = texts_of("rule", count)
    other = [text if number % 2 else f" other {number}" for number, text in enumerate(rule)]
    texts = [f" other {number}" if number % 8 == 0 else text for number, text in enumerate(rule)]
    found = explained({"rule": rule, "other": other}, texts)
    shared = [item for item in found.items if set(item.given_by) == {"rule", "other"}]
    assert len(shared) == 20
    assert all(item.probabilities["rule"] == pytest.approx(0.75, abs=0.1) for item in shared)
    for item in found.items:
        assert sum(item.probabilities.values()) == pytest.approx(1, abs=0.01)


def test_no_answer_is_credited_to_an_explanation_that_does_not_give_it() -> None:
    found = explained(COLUMNS, mixed({"rule": 0.5, "first": 0.25, "noise": 0.25}))
    for item in found.items:
        assert set(item.probabilities) <= {*item.given_by, "noise"}


def test_the_result_is_free_of_numbers_that_are_none() -> None:
    table = CandidateTable(
        names=("rule", "other"),
        kinds=("rule", "shortcut"),
        prompts=("a", "b"),
        expected=(" 1", " 2"),
        answers=((" 1", " 2"), (" 2", " 1")),
        clusters=("a", "b"),
    )
    nats = [{" 1": -3000.0, " 2": -float("inf")}, {" 2": -1e-12, " 1": -40.0}]
    found = explain_answers(table, answers_to(table, [" 1", " 2"], log_probs=nats), SEEN)
    assert np.isfinite([[share.share, share.low, share.high, share.leads] for share in found.shares]).all()


def test_shares_are_those_of_the_integral_over_all_mixtures() -> None:
    # Five answers of the rule, and one of a shortcut or of noise; the integrals over the shares on a fine grid.
    rule, other = texts_of("rule", 6), texts_of("other", 6)
    noise = NoiseModel([example.completion for example in SEEN]).probability(rule[0])
    grid = (np.arange(400) + 0.5) / 400
    first, second = (axis.ravel() for axis in np.meshgrid(grid, grid))
    inside = first + second < 1
    # From the subset to its prior times its likelihood, and to the part of the shortcut in it, draw by draw.
    terms = [
        (0.4, np.zeros(1), np.zeros(1)),
        (0.4 * 0.5, grid, np.zeros(400)),
        (0.4 * 0.5, np.zeros(400), grid),
        (0.4**2 * 0.5**2, first[inside], second[inside]),
    ]
    total = of_other = 0.0
    for prior, by_rule, by_other in terms:
        left = (1 - by_rule - by_other) * noise
        likelihood = (by_rule + left) ** 5 * (by_other + left)
        total += prior * likelihood.mean()
        of_other += prior * (likelihood * by_other).mean()
    found = explained({"rule": rule, "other": other}, [*rule[:5], other[5]])
    assert found.share_of("other").share == pytest.approx(of_other / total, abs=0.015)
