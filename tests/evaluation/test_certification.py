from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from mutants.base import Batched, Generating, RightPadded
from mutants.correct import CORRECT, generate_one_by_one, left_padded_batches

from mutants import scoring
from shoal.errors import ModelError
from shoal.evaluation import certify, evaluate, evaluate_by_generation
from shoal.evaluation.certification import check_head_path
from shoal.evaluation.certification.item_kinds import EXACT_MATCH


def failures(certificate):
    return {check.name: (check.expected, check.got) for check in certificate.checks if not check.passed}


def test_shoals_own_evaluator_is_certified():
    certificate = certify()
    assert failures(certificate) == {}
    assert certificate.evaluator == "shoal.evaluation.evaluator.evaluate"
    assert len(certificate.checks) == len(EXACT_MATCH.checks(fast=False))


@pytest.mark.parametrize(
    "options",
    [{"early_exit": True}, {"token_budget": 50}, {"greedy_text": False}],
    ids=lambda options: next(iter(options)),
)
def test_shoals_own_evaluator_is_certified_with_any_options(options):
    assert failures(certify(partial(evaluate, **options), fast=True)) == {}


# The one that generates takes as long as all others; the whole suite below has it too.
@pytest.mark.parametrize(
    "evaluator",
    [pytest.param(one, marks=[pytest.mark.slow] * (one is generate_one_by_one)) for one in CORRECT],
    ids=lambda evaluator: evaluator.__name__,
)
def test_right_evaluators_raise_no_alarm(evaluator):
    assert failures(certify(evaluator, fast=True)) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "evaluator",
    [*CORRECT, evaluate_by_generation, Batched(), RightPadded(), Generating()],
    ids=lambda one: type(one).__name__,
)
@pytest.mark.parametrize("seed", [0, 1])
def test_right_evaluators_raise_no_alarm_in_the_whole_suite(evaluator, seed):
    assert failures(certify(evaluator, seed=seed)) == {}


def test_what_mutants_are_made_of_is_right():
    assert failures(certify(Batched(), fast=True)) == {}
    assert failures(certify(RightPadded(), fast=True)) == {}


@pytest.mark.parametrize("half", ["early", "late"])
@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_nearly_all_mutants_are_killed(half, every):
    mutants = scoring.mutants(half)
    assert len(mutants) >= 30
    mutants = mutants[::every]
    survivors = [kind.__name__ for kind in mutants if scoring.killed_by(kind) is None]
    assert len(survivors) <= 0.05 * len(mutants), survivors


@pytest.mark.slow
@pytest.mark.parametrize("half", ["early", "late"])
def test_each_mutant_changes_a_score_against_generate(half):
    verdicts = [scoring.verdict(kind, half) for kind in scoring.mutants(half)]
    assert [one.name for one in verdicts if one.changes is None] == []


def test_a_certificate_is_the_same_each_time_apart_from_the_seconds():
    def timeless(certificate):
        return [replace(check, seconds=0.0) for check in certificate.checks]

    one, other = (certify(left_padded_batches, fast=True, seed=3) for _ in range(2))
    assert timeless(one) == timeless(other)


def test_a_certificate_is_plain_json_and_readable_text():
    certificate = certify(left_padded_batches, fast=True)
    record = json.loads(json.dumps(certificate.to_dict()))
    assert record["passed"] is True
    assert record["checks"][0]["name"] == "oracle"
    assert set(record["checks"][0]) == {"name", "proves", "expected", "got", "passed", "seconds"}
    assert "mutants.correct.left_padded_batches is certified: " in str(certificate)


def test_an_evaluator_that_raises_fails_each_check_with_its_message():
    def broken(model, tokenizer, examples):
        raise RuntimeError("out of order")

    certificate = certify(broken, fast=True)
    assert not any(check.passed for check in certificate.checks)
    assert {got["error"] for _, got in failures(certificate).values()} == {"RuntimeError: out of order"}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([], "the evaluator returned 0 records for 25 examples"),
        (0.5, "the evaluator returned float; return a sequence of records"),
        ({"accuracy": 1.0}, "the evaluator returned dict; return a sequence of records"),
        ([{"right": True}] * 25, "a record of type dict has no exact_match"),
        ([{"exact_match": "yes"}] * 25, "exact_match is 'yes'; it must be true or false"),
    ],
)
def test_a_result_that_cannot_be_read_fails_with_a_message(result, message):
    certificate = certify(lambda *_: result, stop_at_first_failure=True)
    assert failures(certificate) == {"oracle": ({"records": "one for each example"}, {"error": message})}


def test_records_may_be_numpy_booleans():
    import numpy as np

    def in_numpy(model, tokenizer, examples):
        return [
            {"exact_match": np.bool_(one["exact_match"])} for one in left_padded_batches(model, tokenizer, examples)
        ]

    assert certify(in_numpy, fast=True).passed


def test_a_failed_check_says_what_was_expected_and_what_came():
    def generous(model, tokenizer, examples):
        return [{"exact_match": True}] * len(examples)

    certificate = certify(generous, stop_at_first_failure=True)
    expected, got = failures(certificate)["oracle"]
    assert (expected["exact_match"], expected["wrong_items"]) == (False, 0)
    assert (got["item"], got["exact_match"]) == (expected["item"], True)
    assert got["wrong_items"] > 0
    assert f"      got      item {got['item']}, exact_match True, wrong_items {got['wrong_items']}" in str(certificate)
    assert "FAIL  oracle: " in str(certificate)


def test_stopping_leaves_out_what_comes_behind_the_first_failure():
    assert len(certify(lambda *_: [], stop_at_first_failure=True).checks) == 1


def test_progress_counts_the_checks():
    told = []
    certificate = certify(left_padded_batches, fast=True, progress=lambda *news: told.append(news))
    total = len(certificate.checks)
    assert told == [("certify", done, total) for done in range(1, total + 1)]


def test_all_checks_have_names_of_their_own():
    names = [check.name for check in EXACT_MATCH.checks(fast=False)]
    assert len(names) == len(set(names))


def test_wrong_likelihoods_and_texts_are_found_where_verdicts_are_right():
    def off(field, change):
        def evaluator(model, tokenizer, examples):
            items = evaluate(model, tokenizer, examples).items
            return [{"exact_match": item.exact_match, field: change(getattr(item, field))} for item in items]

        return failures(certify(evaluator, stop_at_first_failure=True))

    assert "log_likelihood_nats" in off("log_likelihood", lambda value: value - 0.01)["oracle"][0]
    assert "margin_logits" in off("margin", abs)["oracle"][0]
    assert "bits_per_byte" in off("bits_per_byte", lambda value: value * 1.1)["oracle"][0]
    assert "greedy_text" in off("greedy_text", str.strip)["oracle"][0]
    assert "string_match" in off("string_match", lambda value: True)["oracle"][0]
    assert "first_divergence" in off("first_divergence", lambda value: value or None)["oracle"][0]
    assert "divergence" in off("divergence", lambda value: value and "other")["oracle"][0]
    assert "tokens" in off("tokens", lambda value: value + 1)["oracle"][0]
    assert "token_margins_logits" in off("token_margins", lambda values: values[::-1])["oracle"][0]


def architectures():
    from transformers import (
        CohereConfig,
        Gemma2Config,
        GPT2Config,
        GPTNeoConfig,
        GraniteConfig,
        LlamaConfig,
        PhiConfig,
    )

    special = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 24}
    common = {"vocab_size": 97, "hidden_size": 16, "max_position_embeddings": 64, **special}
    gpt2 = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}
    neo = {"num_layers": 2, "num_heads": 2, "attention_types": [[["global", "local"], 1]], "window_size": 5}
    gemma = {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 8, "final_logit_softcapping": 2.0}
    return {
        "llama": LlamaConfig(**common, **sizes),
        "gpt-2": GPT2Config(vocab_size=97, **gpt2, **special),
        "gpt-neo, local attention": GPTNeoConfig(**common, **neo),
        "gemma-2, soft cap": Gemma2Config(**common, **sizes, **gemma),
        "cohere, logit scale": CohereConfig(**common, **sizes, logit_scale=0.3),
        "granite, logits scaling": GraniteConfig(**common, **sizes, logits_scaling=4.0),
        "phi, head bias": PhiConfig(**common, **sizes),
    }


def random_model(config):
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        # Biases and gains begin at 0 and 1, where forgetting them would not show.
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("kind", [np.bool_, torch.tensor, int])
def test_truth_values_of_every_kind_are_certified(kind):
    def evaluator(model, tokenizer, examples):
        names = ("exact_match", "greedy_ends", "string_match")
        items = [item.to_dict() for item in evaluate(model, tokenizer, examples).items]
        return [item | {name: kind(item[name]) for name in names} for item in items]

    assert failures(certify(evaluator, fast=True)) == {}


class Summarized(list):
    """Records with an accuracy of all."""

    def __init__(self, records, accuracy):
        super().__init__(records)
        self.accuracy = accuracy


@pytest.mark.parametrize(
    ("kind", "off"), [(float, math.nan), (np.float32, 0.1), (torch.tensor, 0.1), (np.float32, 0.0), (torch.tensor, 0.0)]
)
def test_a_summary_is_compared_whatever_kind_of_number_it_is(kind, off):
    def evaluator(model, tokenizer, examples):
        scores = evaluate(model, tokenizer, examples)
        return Summarized(scores.items, kind(scores.accuracy + off))

    certificate = certify(evaluator, fast=True, stop_at_first_failure=True)
    assert certificate.passed == (off == 0.0), certificate


@pytest.mark.parametrize("name", architectures())
def test_body_and_head_give_the_logits_of_the_model_itself(name):
    result = check_head_path(random_model(architectures()[name]))
    assert result.passed, result
    assert (result.got["path"], result.got["padding"]) == ("factored", "right")
    assert result.got["difference_logits"] <= result.expected["max_difference_logits"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_logits_that_body_and_head_do_not_give_are_found_out(monkeypatch, value):
    model = random_model(architectures()["llama"])
    assert check_head_path(model).passed
    forward = type(model).forward

    def scaled(*args, **options):
        output = forward(*args, **options)
        if value is None:
            output.logits *= 1.01
        else:
            output.logits[0, 0, 3] = value
        return output

    monkeypatch.setattr(type(model), "forward", scaled)
    assert not check_head_path(model).passed


def test_the_head_of_a_model_in_training_is_not_checked():
    with pytest.raises(ModelError, match=r"call model\.eval\(\)"):
        check_head_path(random_model(architectures()["llama"]).train())


def test_a_certificate_gives_a_row_a_check():
    certificate = certify(lambda *_: [], fast=True)
    frame = certificate.to_frame()
    assert list(frame["name"]) == [check.name for check in certificate.checks]
    assert list(frame["passed"]) == [check.passed for check in certificate.checks]
    assert json.loads(json.dumps(certificate.to_dict(), allow_nan=False))["checks"][0]["got"] == {
        "error": "the evaluator returned 0 records for 25 examples"
    }
