"""Planted heads are named, and heads of random weights are not."""

from types import SimpleNamespace

import pytest
import torch
from planted import attention_model
from transformers import LlamaConfig, LlamaForCausalLM

from architectures import tiny_model
from shoal.errors import ModelError, UsageError
from shoal.insight import AnalysisOptions, HeadType, HeadTypes, find_head_types
from shoal.insight.head_scores import HEAD_TYPES, related_keys
from shoal.models import load_model
from shoal.reports.inspection_tables import roles_table

TEXTS = ["One day a cat sat on a mat.", "The little dog ran to the park and saw a big red ball."]


def test_each_role_looks_at_the_keys_that_its_definition_names():
    row = [7, 3, 9, 3, 3, 9]
    looked = dict(zip(HEAD_TYPES, related_keys(torch.tensor([row]), [6])[0], strict=True))
    for role, keys in {
        "previous token": {2: [1], 3: [2], 4: [3], 5: [4]},
        "induction": {3: [2], 4: [2], 5: [3]},
        "duplicate token": {3: [1], 4: [1, 3], 5: [2]},
        "first token": {query: [0] for query in range(2, 6)},
        "same token": {query: [query] for query in range(2, 6)},
    }.items():
        found = {query: looked[role][query].nonzero().flatten().tolist() for query in range(6)}
        assert {query: places for query, places in found.items() if places} == keys, role


def test_padding_shows_nothing():
    assert not related_keys(torch.tensor([[1, 2, 1, 2, 2]]), [3])[0, :, 3:].any()


def test_planted_heads_are_named_and_their_neighbours_are_not():
    roles = find_head_types(attention_model())
    assert {(head.block, head.head): head.roles for head in roles.typed} == {
        (0, 0): ("previous token",),
        (1, 0): ("induction",),
    }
    assert roles.heads[0].scores["previous token"] > 0.9
    assert roles.heads[2].scores["induction"] > 0.9


@pytest.mark.parametrize(
    ("architecture", "spread"), [("GPT2", 0.02), ("GPTNeo", 0.35), ("GPTNeoX", 0.35), ("Llama", 0.02), ("Gemma2", 0.35)]
)
def test_a_model_with_random_weights_has_no_named_head(architecture, spread):
    roles = find_head_types(tiny_model(architecture, spread=spread), options=AnalysisOptions(alpha=0.05))
    assert roles.typed == ()
    assert roles.null_heads >= 100


def test_a_larger_random_model_has_at_most_one_named_head_in_twenty():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        shape = {"hidden_size": 128, "intermediate_size": 64, "num_hidden_layers": 8, "num_attention_heads": 16}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=200, max_position_embeddings=128, **shape)).eval()
        for weight in model.parameters():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, 0.0, 0.25)
    roles = find_head_types(model)
    assert len(roles.heads) == 128
    assert len(roles.typed) <= 0.05 * len(roles.heads)


def test_heads_of_a_trained_model_are_named_and_of_fresh_weights_not():
    trained, fresh = load_model("bundled:searches"), load_model("random:bundled:searches")
    roles = find_head_types(trained.model, trained.tokenizer, TEXTS)
    assert {head.roles[0] for head in roles.typed if head.block == 1} == {"previous token"}
    assert len(roles.typed) < len(roles.heads)
    assert find_head_types(fresh.model, fresh.tokenizer, TEXTS).typed == ()


@pytest.mark.slow
def test_an_induction_head_that_was_learnt_is_named():
    model = trained_on_repeats()
    named = {(head.block, head.head): head.roles[0] for head in find_head_types(model).typed}
    assert "induction" in {role for (block, _), role in named.items() if block == 1}
    assert "induction" not in {role for (block, _), role in named.items() if block == 0}


def trained_on_repeats(steps: int = 1500):
    """Two blocks with hardly an MLP, trained on random tokens said twice."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        shape = {"hidden_size": 64, "intermediate_size": 4, "num_hidden_layers": 2, "num_attention_heads": 4}
        config = LlamaConfig(vocab_size=48, max_position_embeddings=64, **shape)
        model = LlamaForCausalLM(config)
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
        for _ in range(steps):
            half = int(torch.randint(8, 25, ()))
            ids = torch.randint(0, 48, (32, half)).repeat(1, 2)
            logits = model(ids).logits[:, half - 1 : -1]
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, half:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert loss < 1.0, "the model has not learnt to repeat"
    return model.eval()


def test_the_table_tells_the_score_that_gave_the_role():
    head = HeadType(
        block=1,
        head=2,
        roles=("previous token",),
        scores={"previous token": 0.05, "induction": 0.02},
        text_scores={"previous token": 0.31},
        p_values={"previous token": 0.005, "induction": 1.0},
    )
    common = {"alpha": 0.01, "smallest": 0.1, "null_heads": 100, "thresholds": {}, "text_thresholds": {}}
    drawn = roles_table(SimpleNamespace(roles=HeadTypes(heads=(head,), **common)))
    for said in ("0.05 / 0.31", ">0.02<", "behind the slash on the corpus"):
        assert said in drawn


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(ModelError, match="no attention"):
        find_head_types(tiny_model("Mamba"))
    with pytest.raises(UsageError, match="tokenizer"):
        find_head_types(tiny_model("Llama"), None, ["a text"])
    with pytest.raises(UsageError, match="alpha is the level"):
        find_head_types(tiny_model("Llama"), options=AnalysisOptions(alpha=0.0))
