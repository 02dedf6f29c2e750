"""Answers of known conduct and of known harm: what certificates rest on is complete, distinct and balanced."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from shoal.safety.certificate_cases import (
    OUT_OF_SCOPE,
    REQUESTS,
    TWO_SIDED,
    certificate_cases,
)
from shoal.safety.harm.cases import FOREIGN, TOPICS, harm_cases

CASES = certificate_cases()
HARM = harm_cases()


def test_every_case_of_conduct_is_there_once() -> None:
    pairs = [(one.prompt, one.completion) for one in CASES]
    assert len(set(pairs)) == len(pairs)
    assert certificate_cases() == CASES
    # Four openings, cautions, traps and refusals; two lists, quotations, redirections; and so on, for ten requests.
    assert Counter(one.family for one in CASES) == {
        "plain refusal": 40,
        "paraphrased refusal": 40,
        "long redirection": 20,
        "plain compliance": 40,
        "list of steps": 20,
        "comply, then caution": 40,
        "words of refusal": 40,
        "quoted refusal": 20,
        "reasoning part": 20,
        "typography": 70,
        "refuse, then comply": 20,
        "other languages": 9,
    }


@pytest.mark.parametrize("cases", [CASES, HARM], ids=["conduct", "harm"])
def test_no_slot_of_a_template_is_left(cases: tuple[object, ...]) -> None:
    for one in cases:
        assert one.completion.strip()  # type: ignore[attr-defined]
        assert not {"{", "}"} & set(one.prompt + one.completion)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("family", "conducts"),
    [
        ("plain refusal", {"refusal"}),
        ("words of refusal", {"compliance"}),
        ("quoted refusal", {"compliance"}),
        ("reasoning part", {"compliance", "refusal"}),
        ("typography", {"compliance", "refusal"}),
        (TWO_SIDED, {"partial"}),
        (OUT_OF_SCOPE, {"refusal"}),
    ],
)
def test_a_family_has_the_conduct_that_it_is_for(family: str, conducts: set[str]) -> None:
    assert {one.conduct for one in CASES if one.family == family} == conducts


def test_the_conduct_does_not_follow_from_the_request() -> None:
    conducts = defaultdict(Counter)
    for one in CASES:
        if one.family != OUT_OF_SCOPE:
            conducts[one.prompt][one.conduct] += 1
    assert set(conducts) == {request.prompt for request in REQUESTS}
    assert len({tuple(sorted(counts.items())) for counts in conducts.values()}) == 1


def test_every_answer_that_complies_gives_all_steps_in_order() -> None:
    steps = {request.prompt: request.steps for request in REQUESTS}
    for one in CASES:
        if one.conduct == "refusal":
            continue
        places = [one.completion.find(step) for step in steps[one.prompt]]
        assert -1 not in places
        assert places == sorted(places)


def test_an_answer_that_refuses_gives_no_step_outside_its_reasoning() -> None:
    steps = {request.prompt: request.steps for request in REQUESTS}
    for one in CASES:
        if one.conduct == "refusal" and one.family != OUT_OF_SCOPE:
            said = one.completion.rpartition("</think>")[2]
            assert not any(step in said for step in steps[one.prompt])


def test_foreign_answers_name_their_language() -> None:
    foreign = [one for one in CASES if one.family == OUT_OF_SCOPE]
    assert Counter(one.prompt[:4] for one in foreign) == {"[de]": 3, "[fr]": 3, "[es]": 3}


def test_every_case_of_harm_is_there_once() -> None:
    pairs = [(one.prompt, one.completion) for one in HARM]
    assert len(set(pairs)) == len(pairs)
    assert len(TOPICS) == 8
    assert Counter(one.family for one in HARM) == {
        "harmful answer": 16,
        "harmful, paraphrased": 16,
        "long harmful answer": 8,
        "harmful behind an apology": 16,
        "harmless request, harmful answer": 8,
        "refusal": 24,
        "long refusal": 8,
        "refusal that quotes the request": 16,
        "beside the point": 8,
        "harmless answer": 8,
        "long harmless answer": 8,
        "alarming words, no harm": 8,
        "other languages": 2,
    }


def test_neither_the_request_nor_the_length_tells_harm() -> None:
    by_prompt = defaultdict(set)
    for one in HARM:
        if one.family not in (FOREIGN, "alarming words, no harm"):
            by_prompt[one.prompt].add(one.harmful)
    # Each request, harmless or not, has an answer of either kind.
    assert set(by_prompt) == {topic.bad for topic in TOPICS} | {topic.good for topic in TOPICS}
    assert set(map(frozenset, by_prompt.values())) == {frozenset({True, False})}
    lengths = {kind: [len(one.completion) for one in HARM if one.harmful == kind] for kind in (True, False)}
    assert min(lengths[True]) < max(lengths[False])
    assert min(lengths[False]) < max(lengths[True])


def test_harmful_answers_hold_the_harm_and_the_others_do_not() -> None:
    sentences = {sentence for topic in TOPICS for sentence in topic.harm}
    for one in HARM:
        if one.family != FOREIGN:
            assert any(sentence in one.completion for sentence in sentences) == one.harmful


def test_paraphrases_are_the_same_sentences_in_another_order() -> None:
    for topic in TOPICS:
        plain = next(one for one in HARM if one.family == "harmful answer" and one.prompt == topic.bad)
        turned = next(one for one in HARM if one.family == "harmful, paraphrased" and one.prompt == topic.bad)
        assert plain.completion == " ".join(topic.harm)
        assert turned.completion == "Easy. " + " ".join(topic.harm[::-1])


def test_topics_share_no_sentence() -> None:
    every = [sentence for topic in TOPICS for sentence in (*topic.harm, *topic.help)]
    assert len(set(every)) == len(every)
    assert len({text for topic in TOPICS for text in (topic.bad, topic.good)}) == 2 * len(TOPICS)
