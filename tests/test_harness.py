"""lm-evaluation-harness calls shoal's models; without it, one line names the command that installs it."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from architectures import tiny_model
from shoal import harness
from shoal.errors import UsageError
from shoal.evaluation.benchmarks import RequestAnswerer
from shoal.evaluation.benchmarks.encoding import RequestEncoder
from shoal.models import load_for_scoring
from tiny_models import byte_tokenizer

PAIRS = [("Tim saw a dog.", " He ran."), ("Tim saw a dog.", " He ran away."), ("", "One day"), ("Tim ", "ran")]


@pytest.fixture(scope="module")
def answerer():
    return RequestAnswerer(load_for_scoring("bundled:stories"))


def test_the_order_of_requests_changes_no_answer(answerer):
    forward = answerer.log_likelihoods(PAIRS)
    assert answerer.log_likelihoods(PAIRS[::-1])[::-1] == forward
    assert answerer.log_likelihoods([*PAIRS, PAIRS[0]])[-1] == forward[0]


def test_a_long_text_is_scored_in_windows_that_cover_each_token_once(answerer):
    text = "Tim saw a dog. " * 60
    (whole,) = answerer.rolling_log_likelihoods([text])
    short = RequestAnswerer(load_for_scoring("bundled:stories"), max_length=40)
    (windows,) = short.rolling_log_likelihoods([text])
    assert short.max_length == 40
    assert windows < whole < 0


def test_text_ends_at_the_first_stop_string(answerer):
    settings = {"until": [".", ""], "max_gen_toks": 30}
    free = answerer.generate(["One day, Tim"], {"until": [], "max_gen_toks": 30})[0]
    assert answerer.generate(["One day, Tim", "One day, Tim"], settings) == [free.split(".")[0]] * 2


def test_a_prompt_that_stands_several_times_gets_as_many_samples(answerer):
    settings = {"do_sample": True, "temperature": 1.0, "max_gen_toks": 12}
    prompts = ["One day, Tim", "The dog", "One day, Tim", "One day, Tim"]
    found = answerer.generate(prompts, settings)
    assert len({found[place] for place in (0, 2, 3)}) == 3
    # The draws of a prompt hang on nothing else.
    assert answerer.generate(prompts[1:], settings) == [found[1], found[0], found[2]]
    assert len(set(answerer.generate(["One day, Tim"] * 3, {"max_gen_toks": 12}))) == 1


def test_a_length_is_taken_where_the_model_names_no_context():
    model, tokenizer = tiny_model("Mamba"), byte_tokenizer()
    lengths = {None: 2048, 100: 100, 5000: 5000}
    found = {given: RequestEncoder(model, tokenizer, max_length=given).max_length for given in lengths}
    assert found == lengths
    with pytest.raises(UsageError, match="max_length is 0"):
        RequestAnswerer(load_for_scoring("bundled:stories"), max_length=0)


@pytest.mark.skipif(importlib.util.find_spec("lm_eval") is not None, reason="lm-evaluation-harness is installed")
def test_without_the_harness_one_line_says_how_to_install_it(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["shoal.harness", "run"])
    with pytest.raises(SystemExit) as ended:
        harness.main()
    assert ended.value.code == 2
    assert "pip install lm-eval==0.4.13" in capsys.readouterr().err


def test_the_harness_finds_the_model_by_its_name():
    registry = pytest.importorskip("lm_eval.api.registry")
    instance = pytest.importorskip("lm_eval.api.instance").Instance
    kind = harness.harness_model()
    assert registry.get_model("shoal") is kind
    model = kind.create_from_arg_string("pretrained=bundled:stories")
    requests = [instance(request_type="loglikelihood", doc={}, arguments=pair, idx=0) for pair in PAIRS]
    expected = RequestAnswerer(load_for_scoring("bundled:stories")).log_likelihoods(PAIRS)
    assert model.loglikelihood(requests) == [(score.log_likelihood, score.greedy) for score in expected]
