"""Texts that share their beginnings get the states of being read one by one, whatever is shared and seen."""

from __future__ import annotations

import random

import pytest
import torch
from transformers import GPTNeoConfig, GPTNeoForCausalLM, LlamaConfig, LlamaForCausalLM

from shoal.evaluation.prefix_trees import TokenRequest, TokenTree, build_tree
from shoal.models.fast import FastModel, PrefixCache, TreeStates, wrap
from shoal.models.fast.run_groups import TreeRun, group_runs, split_runs

VOCABULARY = 60


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def windowed():
    return GPTNeoForCausalLM(
        GPTNeoConfig(
            hidden_size=16,
            num_heads=4,
            num_layers=2,
            attention_types=[[["global", "local"], 1]],
            window_size=7,
            vocab_size=VOCABULARY,
            max_position_embeddings=300,
        )
    )


def grouped():
    return LlamaForCausalLM(
        LlamaConfig(
            hidden_size=24,
            intermediate_size=20,
            num_hidden_layers=2,
            num_attention_heads=6,
            num_key_value_heads=2,
            vocab_size=VOCABULARY,
            max_position_embeddings=300,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        )
    )


KINDS = {"local layers": windowed, "grouped heads": grouped}


def model_of(kind: str, *, spread: float = 0.3, dtype: torch.dtype = torch.float32) -> FastModel:
    with torch.random.fork_rng(devices=[]), torch.inference_mode(mode=False):
        torch.manual_seed(0)
        model = KINDS[kind]().eval()
        with torch.no_grad():
            for weight in model.parameters():
                weight.normal_(0.0, spread) if weight.ndim > 1 else weight.add_(torch.randn_like(weight), alpha=0.1)
    fast = wrap(model.to(dtype))
    assert fast is not None
    return fast


def texts(prefix: int) -> list[TokenRequest]:
    """Behind a prefix, long and short texts that branch at several depths."""
    drawn = random.Random(prefix)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(drawn.randrange(VOCABULARY) for _ in range(count))

    start = ids(prefix)
    trunk = start + ids(120)
    found = [trunk, trunk[: prefix + 60] + ids(70), trunk[: prefix + 61] + ids(3), start + ids(9), start + ids(1)]
    found += [trunk[: prefix + 20] + ids(count) for count in range(1, 30, 4)]
    return [TokenRequest((*each, 0), prefix + 1) for each in found]


def read_tree(model: FastModel, tree: TokenTree, prefix: tuple[int, ...]) -> torch.Tensor:
    cache = None
    if prefix:
        cache = PrefixCache()
        model.hidden(torch.tensor([prefix]), cache)
        cache.close()
    return model.hidden(torch.tensor([tree.ids]), TreeStates(tree.depths, tree.runs, model.device, cache))[0]


@pytest.mark.parametrize("prefix", [0, 3, 40])
@pytest.mark.parametrize("spread", [0.3, 2.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_a_tree_gives_the_states_of_each_text_by_itself(kind, dtype, spread, prefix):
    model = model_of(kind, spread=spread, dtype=dtype)
    truth = model.to(dtype=torch.float64)
    requests = texts(prefix)
    tree = build_tree(requests, prefix)

    found_ND = read_tree(model, tree, requests[0].ids[:prefix]).double()

    rounding = 1e-9 if dtype == torch.float64 else 1e-4 if spread < 1 else 0.02
    for request, path in zip(requests, tree.paths, strict=True):
        expected = truth.hidden(torch.tensor([request.ids[:-1]]))[0, prefix:]
        torch.testing.assert_close(found_ND[path], expected, rtol=0, atol=rounding * float(expected.abs().max()))


def test_scores_too_large_for_plain_exponentials_take_the_kernel(monkeypatch):
    taken = []
    kernel = torch.nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(
        "shoal.models.fast.tree_states.scaled_dot_product_attention",
        lambda *states, **settings: taken.append(1) or kernel(*states, **settings),
    )
    requests = texts(3)
    tree = build_tree(requests, 3)
    read_tree(model_of("grouped heads"), tree, requests[0].ids[:3])
    assert not taken
    read_tree(model_of("grouped heads", spread=30.0), tree, requests[0].ids[:3])
    assert taken


def test_half_precision_is_as_near_to_the_truth_as_a_text_by_itself():
    model = model_of("grouped heads", dtype=torch.bfloat16)
    requests = texts(3)
    tree = build_tree(requests, 3)
    truth = read_tree(model.to(dtype=torch.float64), tree, requests[0].ids[:3])

    found = read_tree(model, tree, requests[0].ids[:3])

    assert found.dtype is torch.bfloat16
    path = tree.paths[0]
    alone = model.hidden(torch.tensor([requests[0].ids[:-1]]))[0, 3:]
    apart = [float((each.double() - truth[path]).square().mean()) for each in (found[path], alone)]
    assert apart[0] < 2 * apart[1]


def test_every_token_is_in_one_group_behind_its_ancestors():
    runs = split_runs([TreeRun(0, 100, []), TreeRun(100, 3, range(20)), TreeRun(103, 50, [*range(20), 100])])
    groups, places = group_runs(runs, filler=153)
    queries = [place for group in groups for place in group.query_RQ.flatten().tolist()]
    assert [queries[place] for place in places] == list(range(153))
    ancestors = {run.first: list(run.before) for run in runs}
    for group in groups:
        for query_Q, line_J in zip(group.query_RQ.tolist(), group.line_RJ.tolist(), strict=True):
            before = line_J[: -len(query_Q)]
            assert [place for place in before if place != 153] == ancestors[query_Q[0]]
            assert before[: before.count(153)] == [153] * before.count(153)
