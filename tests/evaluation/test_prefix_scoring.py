"""Requests that share beginnings are packed into trees, and get the log-likelihoods of being read one by one."""

from __future__ import annotations

import random

import pytest
import torch

from architectures import tiny_model
from shoal.evaluation import log_likelihoods
from shoal.evaluation.batching import ScoringRow
from shoal.evaluation.prefix_scoring import PrefixScorer
from shoal.evaluation.prefix_trees import TokenRequest, build_tree, common_prefix, shared_length
from shoal.models import factor_model
from shoal.models.fast import TreeRun

ARCHITECTURES = ["Llama", "GPT2", "GPTNeo"]


def requests_of(seed: int) -> list[TokenRequest]:
    """Questions behind one header, with choices that begin alike, end early, or are the same."""
    drawn = random.Random(seed)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(drawn.randrange(3, 60) for _ in range(count))

    header = ids(9)
    found = []
    for _ in range(3):
        question = header + ids(drawn.randrange(1, 6))
        long = question + ids(6)
        found += [
            TokenRequest(long, len(question)),
            TokenRequest(long[:-2], len(question)),
            TokenRequest(long[:-2] + ids(3), len(question)),
            *(TokenRequest((*question, letter), len(question)) for letter in (3, 4, 5, 5)),
            TokenRequest(header + ids(2), len(header)),
        ]
    return found


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request):
    return tiny_model(request.param)


def test_shared_tokens_change_no_log_likelihood(model):
    requests = requests_of(0)
    alone = log_likelihoods(
        model,
        [ScoringRow(place, each.ids, each.boundary, 0, len(each.target)) for place, each in enumerate(requests)],
        token_budget=1,
    )
    scorer = PrefixScorer(factor_model(model))
    assert scorer.reuses
    for prefix in (0, 3, common_prefix(requests)):
        found = [score.log_likelihood for score in scorer.score(requests, prefix)]
        assert found == pytest.approx(alone, abs=1e-4, rel=1e-5)


def test_equal_requests_have_equal_log_likelihoods_to_the_last_bit(model):
    scores = PrefixScorer(factor_model(model)).score(requests_of(1), 3)
    assert [scores[place] for place in (5, 13, 21)] == [scores[place] for place in (6, 14, 22)]


def test_a_model_without_a_fast_forward_pass_is_scored_row_by_row_with_the_same_verdicts(model):
    requests = requests_of(2)
    fast = PrefixScorer(factor_model(model)).score(requests)
    scorer = PrefixScorer(factor_model(tiny_model_with_hook(model)))
    assert not scorer.reuses
    found = scorer.score(requests)
    assert [each.greedy for each in fast] == [each.greedy for each in found]
    assert [each.log_likelihood for each in fast] == pytest.approx(
        [each.log_likelihood for each in found], abs=1e-4, rel=1e-5
    )


def tiny_model_with_hook(model: torch.nn.Module) -> torch.nn.Module:
    """The same weights in a model object that is not plain, so that no fast forward pass stands in for it."""
    import copy

    hooked = copy.deepcopy(model)
    next(iter(hooked.base_model.children())).register_forward_hook(lambda *_: None)
    return hooked


def test_the_likeliest_id_is_greedy_among_several_at_one_place(model):
    question = (7, 8, 9)
    requests = [TokenRequest((*question, letter), 3) for letter in range(3, 60)]
    scores = PrefixScorer(factor_model(model)).score(requests)
    best = max(range(len(scores)), key=lambda place: scores[place].log_likelihood)
    with torch.inference_mode():
        argmax = int(model(torch.tensor([question])).logits[0, -1].argmax())
    greedy = [place for place, each in enumerate(scores) if each.greedy]
    assert greedy == ([best] if argmax == best + 3 else [])


def test_a_tree_stores_each_shared_token_once():
    tree = build_tree([TokenRequest((1, 2, 3, 4), 2), TokenRequest((1, 2, 3, 5, 6), 2), TokenRequest((1, 9, 3), 1)])
    assert tree.ids == [1, 2, 3, 5, 9]
    assert tree.depths == [0, 1, 2, 3, 1]
    assert tree.runs == [TreeRun(0, 3, []), TreeRun(3, 1, [0, 1, 2]), TreeRun(4, 1, [0])]
    assert tree.paths == [[1, 2], [1, 2, 3], [0, 4]]


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [((1, 2, 3), (1, 2, 4), 2), ((1, 2), (1, 2, 4), 2), ((), (1,), 0), ((5,), (6,), 0), ((1, 2, 3), (1, 2, 3), 3)],
)
def test_shared_length_counts_equal_ids_at_the_beginning(one, other, length):
    assert shared_length(one, other) == shared_length(other, one) == length
