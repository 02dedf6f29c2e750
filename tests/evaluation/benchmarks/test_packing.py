"""Which items share a block follows from their tokens, and from nothing else."""

from __future__ import annotations

from shoal.evaluation.benchmarks.packing import find_header, pack_requests
from shoal.evaluation.prefix_trees import TokenRequest


def request(context: int, ids: int, seed: int) -> TokenRequest:
    before = tuple(range(context))
    return TokenRequest((*before, *(1000 + seed * 50 + place for place in range(ids))), context)


def test_what_items_share_counts_once_towards_the_budget():
    answers = {f"a{seed}": [request(100, 20, seed)] for seed in range(4)}
    whole = 119 + 3 * 19
    assert pack_requests(answers, 0, whole) == [("a0", "a1", "a2", "a3")]
    assert pack_requests(answers, 0, whole - 1) == [("a0", "a1", "a2"), ("a3",)]
    assert pack_requests(answers, 90, whole - 90) == [("a0", "a1", "a2", "a3")]
    apart = {f"b{seed}": [TokenRequest(tuple(range(seed * 200, seed * 200 + 90)), 80)] for seed in range(3)}
    assert pack_requests(apart, 0, 3 * 89 - 1) == [("b0", "b1"), ("b2",)]


def test_the_order_of_items_changes_no_block():
    items = {f"{seed}": [TokenRequest(tuple(range(seed * 100, seed * 100 + 20)), 15)] for seed in range(30)}
    shuffled = dict(sorted(items.items(), key=lambda pair: hash(pair[0]) % 7))
    assert pack_requests(items, 0, 200) == pack_requests(shuffled, 0, 200)
    assert len(pack_requests(items, 0, 200)) > 1


def test_a_header_is_what_all_items_begin_with_before_anything_is_scored():
    items = {f"{seed}": [request(40, 5, seed)] for seed in range(3)}
    assert find_header(items) == 39
    assert find_header({**items, "other": [TokenRequest((7, 8, 9), 1)]}) == 0
