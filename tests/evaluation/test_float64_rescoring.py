from __future__ import annotations

import math

import pytest
import torch

from architectures import letter_tokenizer, letters, tiny_model
from shoal.evaluation import evaluate, evaluate_by_generation
from shoal.tasks import Example

TOKENIZER = letter_tokenizer()
PROMPT = [11, 12, 13]


@pytest.fixture
def twins():
    """A model in which tokens 40 and 250 have the same logits everywhere, higher than all others."""
    model = tiny_model("GPTNeo")
    with torch.no_grad(), torch.inference_mode():
        hidden = model.transformer(torch.tensor([PROMPT])).last_hidden_state[0, -1].clone()
    head = torch.nn.Linear(16, 300, bias=False)
    with torch.no_grad():
        head.weight.copy_(model.lm_head.weight)
        head.weight[40] = head.weight[250] = hidden
    model.lm_head = head
    return model


def one(model, token, **options):
    example = Example(prompt=letters(PROMPT), completion=letters([token]), ends=False)
    return evaluate(model, TOKENIZER, [example], **options).items[0]


@pytest.mark.parametrize("early_exit", [False, True])
def test_at_a_tie_the_lowest_id_is_the_answer(twins, early_exit):
    lower, higher = one(twins, 40, early_exit=early_exit), one(twins, 250, early_exit=early_exit)

    assert (lower.exact_match, lower.status, lower.margin) == (True, "tie", 0.0)
    assert (higher.exact_match, higher.status, higher.margin) == (False, "tie", 0.0)
    assert higher.greedy_text == letters([40])


def test_generate_breaks_ties_alike(twins):
    rows = [Example(prompt=letters(PROMPT), completion=letters([token]), ends=False) for token in (40, 250)]

    assert [item.exact_match for item in evaluate_by_generation(twins, TOKENIZER, rows).items] == [True, False]


@pytest.mark.parametrize("winner", [40, 250])
def test_a_difference_below_rounding_is_decided_in_float64(twins, winner):
    with torch.no_grad():
        twins.lm_head.weight[winner, 0] = torch.nextafter(
            twins.lm_head.weight[winner, 0], torch.tensor(math.inf) * twins.lm_head.weight[winner, 0].sign()
        )

    verdicts = {token: one(twins, token) for token in (40, 250)}

    assert {token: item.exact_match for token, item in verdicts.items()} == {
        token: token == winner for token in verdicts
    }
    assert {item.status for item in verdicts.values()} == {"near-tie"}
    assert verdicts[winner].margin > 0
    assert verdicts[winner].margin == -verdicts[290 - winner].margin


def test_a_tie_behind_the_first_wrong_token_decides_nothing(twins):
    example = Example(prompt=letters([*PROMPT[:2]]), completion=letters([13, 250]), ends=False)

    (item,) = evaluate(twins, TOKENIZER, [example]).items

    assert (item.first_divergence, item.status) == (0, "clear")
    assert item.token_margins[1] == pytest.approx(0.0, abs=1e-5)


def test_a_model_that_prefers_nothing_says_token_0_and_its_perplexity_is_its_vocabulary():
    model = tiny_model("GPTNeo")
    model.lm_head.weight = torch.nn.Parameter(torch.zeros(300, 16))
    rows = [Example(prompt=letters(PROMPT), completion=text, ends=True) for text in ("", letters([7, 8]))]

    scores = evaluate(model, TOKENIZER, rows)

    assert [item.exact_match for item in scores.items] == [True, False]
    assert [item.status for item in scores.items] == ["tie", "tie"]
    assert scores.perplexity == pytest.approx(300.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_are_not_numbers_are_no_answer(value):
    model = tiny_model("GPTNeo")
    said = one(model, 1).greedy_text
    head = torch.nn.Linear(16, 300, bias=True)
    with torch.no_grad():
        head.weight.copy_(model.lm_head.weight)
        head.bias.zero_()
        head.bias[299] = value
    model.lm_head = head
    rows = [Example(prompt=letters(PROMPT), completion=said, ends=False)]

    ours, theirs = evaluate(model, TOKENIZER, rows).items[0], evaluate_by_generation(model, TOKENIZER, rows).items[0]

    assert (ours.exact_match, ours.status, ours.first_divergence) == (False, "nan", 0)
    assert (ours.greedy_text, ours.greedy_ends, ours.string_match) == ("", False, False)
    assert not math.isfinite(ours.margin)
    assert (theirs.exact_match, theirs.status, theirs.greedy_text) == (False, "nan", "")


def test_forbidden_tokens_are_no_fault():
    model = tiny_model("GPTNeo")
    head = torch.nn.Linear(16, 300, bias=True)
    with torch.no_grad():
        head.weight.copy_(model.lm_head.weight)
        head.bias.zero_()
        head.bias[200:] = -math.inf
    model.lm_head = head

    assert one(model, 1).status == "clear"
    assert math.isfinite(one(model, 1).log_likelihood)


@pytest.mark.parametrize("architecture", ["Llama", "Gemma2"])
def test_the_float64_copy_computes_in_float64_throughout(architecture):
    from shoal.evaluation.head import Float64Scorer
    from shoal.models.factorization import factor_model

    model = tiny_model(architecture)
    noisy = tiny_model(architecture)
    with torch.no_grad():
        for weight in noisy.parameters():
            weight.mul_(1.0 + 2.0**-24)
    where, target = torch.tensor([3, 4]), torch.tensor([5, 6])
    with torch.inference_mode():
        scores, _ = Float64Scorer(factor_model(model)).score([1, 2, 3, 4, 5], where, target)
        reference = model.double()(input_ids=torch.tensor([[1, 2, 3, 4, 5]])).logits[0, where]

    own = reference.gather(1, target[:, None])[:, 0]
    assert scores.target_N.dtype == torch.float64
    torch.testing.assert_close(scores.target_N, own, rtol=1e-4, atol=1e-5)
