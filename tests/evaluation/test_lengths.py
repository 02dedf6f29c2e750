"""Models whose numbers hang on the length of all that is read: every token is judged behind its own prefix."""

from __future__ import annotations

import functools
import random

import pytest
import torch

from architectures import letter_tokenizer, letters
from every_architecture import small_model
from shoal.evaluation import evaluate
from shoal.evaluation.likelihoods import encode_texts, log_likelihoods
from shoal.evaluation.reference import evaluate_by_generation
from shoal.models.factorization import factor_model
from shoal.models.lengths import Lengths, find_lengths
from shoal.models.sampling import sample_continuations
from shoal.tasks import Example

VOCABULARY = 120
LONG = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "original_max_position_embeddings": 16,
    "short_factor": [1.0, 1.1, 1.2, 1.3],
    "long_factor": [2.0, 4.0, 8.0, 16.0],
}
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}


def longrope():
    return small_model("phi3", rope_parameters=LONG, original_max_position_embeddings=16, sliding_window=None)


def mixture():
    """Its scale of attention switches too."""
    scales = {"short_mscale": 1.1, "long_mscale": 1.5}
    return small_model("phimoe", rope_parameters=LONG | scales, original_max_position_embeddings=16)


def dynamic():
    return small_model("llama", rope_parameters=DYNAMIC, max_position_embeddings=16)


def switching():
    """A model with a switch of its own, of which its configuration says nothing."""
    model = small_model("llama")
    layer = model.model.layers[0].mlp
    layer.register_forward_hook(lambda module, given, output: output * (1.0 + 0.5 * (given[0].shape[1] > 21)))
    return model


def not_causal():
    """A model that sees what follows."""
    return small_model("bert")


KINDS = {"longrope": longrope, "mixture": mixture, "dynamic": dynamic, "switching": switching, "not causal": not_causal}


def fresh(model):
    """Dynamic NTK scaling keeps the frequencies of the longest text, until it reads a short one."""
    model(input_ids=torch.tensor([[1]]), attention_mask=torch.ones(1, 1, dtype=torch.long))


def logits_behind(model, prefix):
    fresh(model)
    ids_BL = torch.tensor([prefix])
    return model(input_ids=ids_BL, attention_mask=torch.ones_like(ids_BL), use_cache=False).logits[0, -1].double()


@torch.inference_mode()
def continued(model, prefix, limit):
    ids = list(prefix)
    while len(ids) < len(prefix) + limit and (len(ids) == len(prefix) or ids[-1] != 0):
        ids.append(int(logits_behind(model, ids).argmax()))
    return ids[len(prefix) :]


@torch.inference_mode()
def likelihood(model, prompt, target):
    """Σ log p, each token behind its own prefix."""
    ids, total = list(prompt), 0.0
    for token in target:
        total += float(logits_behind(model, ids).log_softmax(-1)[token])
        ids.append(token)
    return total


PROMPTS = [
    random.Random(length).choices(range(1, VOCABULARY), k=length) for length in (3, 8, 11, 13, 15, 16, 17, 24, 30)
]
"""Below and beyond each switch, and across it within what follows."""

MOST = 9
"""Tokens of the longest continuation; a shorter one is its beginning."""


def said_by(model):
    return [continued(model, prompt, MOST) for prompt in PROMPTS]


def nine_rows(said, seed=5):
    """The prompts with what the model says to them; every third target is a wrong one."""
    chance = random.Random(seed)
    targets = [ids[:8] for ids in said]
    for target in targets[::3]:
        target[len(target) // 2 :] = [chance.randrange(1, VOCABULARY) for _ in target[len(target) // 2 :]]
    return list(zip(PROMPTS, targets, strict=True))


@functools.cache
def known(kind):
    """A model of the kind, what it says to each prompt step by step, and rows to score; made once for all tests."""
    model = KINDS[kind]()
    said = said_by(model)
    return model, said, nine_rows(said)


@functools.cache
def known_likelihoods(kind):
    model, _, rows = known(kind)
    return [likelihood(model, prompt, target) for prompt, target in rows]


def examples_of(rows):
    return [
        Example(prompt=letters(prompt), completion=letters(t for t in target if t), ends=target[-1] == 0)
        for prompt, target in rows
    ]


@pytest.mark.parametrize(("token_budget", "early_exit"), [(1, False), (200, True), (4096, False)])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_scored_as_each_step_by_step(kind, token_budget, early_exit):
    (model, continuations, rows), tokenizer = known(kind), letter_tokenizer(VOCABULARY)
    order = random.Random(token_budget).sample(range(9), 9)
    examples = [examples_of(rows)[place] for place in order]
    scores = evaluate(model, tokenizer, examples, token_budget=token_budget, early_exit=early_exit)
    for item, place in zip(scores.items, order, strict=True):
        _, target = rows[place]
        said = continuations[place][: len(target)]
        assert item.greedy_text == letters(token for token in said if token)
        assert item.exact_match == (said == target)
        if item.log_likelihood is not None:
            assert item.log_likelihood == pytest.approx(known_likelihoods(kind)[place], abs=1e-3)
    assert scores.settings["lengths"].startswith("other numbers")
    assert 0 < sum(item.exact_match for item in scores.items) < 9


@pytest.mark.parametrize("kind", ["longrope", "mixture", "dynamic"])
def test_generating_one_at_a_time_gives_the_same(kind):
    (model, _, rows), tokenizer = known(kind), letter_tokenizer(VOCABULARY)
    examples = examples_of(rows)
    ours, theirs = evaluate(model, tokenizer, examples), evaluate_by_generation(model, tokenizer, examples)
    for one, other in zip(ours.items, theirs.items, strict=True):
        assert (one.exact_match, one.greedy_text) == (other.exact_match, other.greedy_text)


def test_with_a_cache_too_transformers_reads_a_longrope_text_again_where_it_crosses():
    model, _, rows = known("longrope")
    prompt, target = rows[4]
    made = model.generate(torch.tensor([prompt]), max_new_tokens=len(target), do_sample=False, use_cache=True)
    assert made[0, len(prompt) :].tolist() == target


@pytest.mark.parametrize("kind", KINDS)
def test_likelihoods_of_texts_do_not_hang_on_the_longest(kind):
    (model, _, rows), tokenizer = known(kind), letter_tokenizer(VOCABULARY)
    # Every second: one below the switches, some across them and one far beyond.
    texts = [letters([*prompt, *target][:40]).replace(letters([0]), "") for prompt, target in rows[::2]]
    encoded = encode_texts(model, tokenizer, texts)
    found = log_likelihoods(model, encoded)
    for row, nats in zip(encoded, found, strict=True):
        assert nats == pytest.approx(likelihood(model, row.ids[:1], row.ids[1:]), abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_continued_across_the_switch(kind):
    model, continuations, _ = known(kind)
    with torch.inference_mode():
        said = sample_continuations(model, PROMPTS, [0] * 9, [MOST] * 9, temperature=0.0, end_id=0)
    assert said == continuations


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_frequencies_of_a_long_text_are_forgotten_in_any_precision(dtype):
    # Frequencies stay in float32, as where a model is loaded in another dtype.
    model, tokenizer = dynamic(), letter_tokenizer(VOCABULARY)
    for part in (model.model.embed_tokens, model.model.layers, model.model.norm, model.lm_head):
        part.to(dtype)
    continuations = said_by(model)
    rows = nine_rows(continuations)
    scores = evaluate(model, tokenizer, examples_of(rows))
    for item, said, (_, target) in zip(scores.items, continuations, rows, strict=True):
        assert item.exact_match == (said[: len(target)] == target) or item.status != "clear"
    with torch.inference_mode():
        assert factor_model(model, max_length=30).lengths.keeps_state


def test_a_model_that_has_read_a_long_text_is_none_the_worse():
    model, tokenizer = dynamic(), letter_tokenizer(VOCABULARY)
    rows = [row for row in nine_rows(said_by(model)) if len(row[0]) + len(row[1]) <= 17]
    before = evaluate(model, tokenizer, examples_of(rows))
    model(input_ids=torch.arange(1, 61)[None])
    assert evaluate(model, tokenizer, examples_of(rows)).items == before.items


@pytest.mark.parametrize(
    ("kind", "ends", "apart_from", "keeps_state"),
    [
        ("longrope", (16,), None, False),
        ("mixture", (16,), None, False),
        ("dynamic", (), 17, True),
        ("switching", (21,), None, False),
    ],
)
def test_the_switch_is_found(kind, ends, apart_from, keeps_state):
    with torch.inference_mode():
        factored = factor_model(KINDS[kind](), max_length=30)
        short = factor_model(KINDS[kind](), max_length=5)
    found = factored.lengths
    assert (found.ends, found.apart_from, found.keeps_state) == (ends, apart_from, keeps_state)
    assert short.lengths.reached >= 5


def test_a_plain_model_has_none():
    for kind in ("llama", "gpt2", "mistral", "gemma2", "gpt_neox", "mamba"):
        with torch.inference_mode():
            assert factor_model(small_model(kind), max_length=60).lengths.all_agree


@pytest.mark.parametrize(
    ("ends", "apart_from"),
    [((), None), ((16,), None), ((5, 40), None), ((63,), None), ((), 2), ((1,), None), ((9,), 30)],
)
def test_borders_are_found_by_halving(ends, apart_from):
    lengths = Lengths(ends=ends, apart_from=apart_from)
    asked = []

    def differs(shorter, longer):
        asked.append((shorter, longer))
        return not lengths.agree(shorter, longer)

    found = find_lengths({}, 64, differs)
    assert (found.ends, found.apart_from) == (ends, apart_from)
    assert len(asked) < 60
    assert find_lengths({}, 4, differs).reached == 4


def test_a_number_of_the_configuration_is_looked_at_first():
    asked = []

    def differs(shorter, longer):
        asked.append(shorter)
        return shorter <= 4096 < longer

    found = find_lengths({"original_max_position_embeddings": 4096, "hidden_size": 3000}, 8192, differs)
    assert found.ends == (4096,)
    assert sum(asked) <= 4 * 8192
