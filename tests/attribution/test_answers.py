"""What a real model answers, and how probable it finds the candidates."""

from __future__ import annotations

import json
import math

import pytest

from shoal.attribution import ItemAnswer, ask_model, candidates_of, explain
from shoal.errors import TooLongError
from shoal.evaluation import evaluate
from shoal.models import load_for_scoring, load_model
from shoal.tasks import Example, make_task, task_from_rows

TASK = make_task("counting", largest=17)


@pytest.fixture(scope="module")
def loaded():
    return load_for_scoring("bundled:searches")


@pytest.fixture(scope="module")
def answers(loaded):
    return ask_model(loaded.model, loaded.tokenizer, candidates_of(TASK))


def test_the_log_probability_of_the_right_answer_is_that_of_the_evaluator(loaded, answers):
    scores = evaluate(loaded.model, loaded.tokenizer, TASK.held_out)
    for answer, item in zip(answers, scores.items, strict=True):
        assert answer.log_probs[answer.expected] == pytest.approx(item.log_likelihood, abs=1e-4)


def test_the_answer_is_the_greedy_text(loaded, answers):
    scores = evaluate(loaded.model, loaded.tokenizer, TASK.held_out)
    for answer, item in zip(answers, scores.items, strict=True):
        # The evaluator stops after as many tokens as the target has.
        assert answer.answer.startswith(item.greedy_text)


def test_every_candidate_and_the_answer_have_a_log_probability(answers):
    table = candidates_of(TASK)
    for answer, row in zip(answers, table.answers, strict=True):
        assert {text for text in row if text is not None} <= set(answer.log_probs)
        assert answer.answer in answer.log_probs
        assert all(nats < 0 for nats in answer.log_probs.values())


@pytest.mark.slow
def test_both_kinds_of_model_answer_alike(answers):
    whole = load_model("bundled:searches")
    again = ask_model(whole.model, whole.tokenizer, candidates_of(TASK))
    assert [answer.answer for answer in again] == [answer.answer for answer in answers]


def test_a_greedy_answer_among_the_candidates_is_found(loaded, answers):
    # What the model really says, as a shortcut: exact match proves it without decoding.
    said = {answer.prompt: answer.answer for answer in answers if answer.ends and answer.answer}
    items = [example for example in TASK.held_out if example.prompt in said]
    found = explain(
        loaded.model, loaded.tokenizer, TASK, items=items, shortcuts={"parrot": lambda prompt, seen: said[prompt]}
    )
    assert found.share_of("parrot").agreement.agrees == len(items)
    assert max(found.shares, key=lambda share: share.leads).name == "parrot"


def test_a_candidate_beyond_the_context_cannot_be_written(loaded):
    table = candidates_of(TASK, TASK.held_out[:2], shortcuts={"endless": lambda prompt, seen: " 1" * 5000})
    answers = ask_model(loaded.model, loaded.tokenizer, table)
    assert all(answer.log_probs[" 1" * 5000] == -math.inf for answer in answers)
    assert all(math.isfinite(answer.log_probs[answer.expected]) for answer in answers)


def test_a_prompt_beyond_the_context_is_refused(loaded):
    rows = [Example(prompt="1 " * 4000 + f"{n}", completion=" 1") for n in range(4)]
    task = task_from_rows(rows, split="random(share=0.5)")
    with pytest.raises(TooLongError, match="the model reads at most"):
        ask_model(loaded.model, loaded.tokenizer, candidates_of(task))


def test_the_record_of_an_answer_survives_json():
    answer = ItemAnswer(prompt="a", expected=" b", answer=" c", ends=True, log_probs={" b": -math.inf, " c": -0.5})
    assert ItemAnswer.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer
