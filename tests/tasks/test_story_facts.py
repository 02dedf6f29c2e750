"""The task of plot facts: the rule reads the story, the shortcuts read where words stand."""

from __future__ import annotations

from collections import Counter

import pytest

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.tasks import make_task
from shoal.tasks.catalog.story_facts.mentions import mentions_of

TASK = make_task("story-facts", examples=120)

STORY = (
    "Mia found a red kite under the bed. Tom wanted a blue boat. Mia gave the kite to Tom. Tom lost the kite in the "
    "park. Sam went to the zoo. Sam ate a sweet plum. Sue ate a warm pie."
)


def prompt(question: str) -> str:
    return f"{STORY} Question: {question} Answer:"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who gave the kite to Tom?", " Mia"),
        ("What did Mia give to Tom?", " the kite"),
        ("What did Tom want?", " a boat"),
        ("What did Sue eat?", " a warm pie"),
        ("Where did Mia find the kite?", " under the bed"),
        ("Where did Tom lose the kite?", " the park"),
        ("Where did Sam go last?", " the zoo"),
        ("Who had the kite first?", " Mia"),
    ],
)
def test_the_rule_answers_from_the_story_alone(question: str, answer: str) -> None:
    assert TASK.rule(prompt(question)) == answer


@pytest.mark.parametrize(
    ("question", "shortcut", "answer"),
    [
        ("Who gave the kite to Tom?", "first-mention", " Mia"),
        ("Who gave the kite to Tom?", "last-mention", " Sue"),
        ("Who gave the kite to Tom?", "most-mentioned", " Tom"),
        ("Who gave the kite to Tom?", "nearest-mention", " Sam"),
        ("Who gave the kite to Tom?", "sentence-like-question", " Mia"),
        ("Who gave the kite to Tom?", "name-in-question", " Tom"),
        ("Where did Sam go last?", "first-mention", " the park"),
        ("Where did Sam go last?", "name-in-question", " Sam"),
        ("What did Sue eat?", "first-mention", " a sweet plum"),
        ("What did Tom want?", "first-mention", " a kite"),
        ("What did Tom want?", "last-mention", " a boat"),
        ("What did Mia give to Tom?", "last-mention", " the kite"),
    ],
)
def test_each_shortcut_answers_in_its_own_way(question: str, shortcut: str, answer: str) -> None:
    assert TASK.shortcuts[shortcut](prompt(question), TASK.seen) == answer


def test_a_place_within_a_spot_is_no_place() -> None:
    story = "Mia found a red kite under the bridge. Mia went to the zoo. Mia went to the park."
    first = TASK.shortcuts["first-mention"](f"{story} Question: Where did Mia go last? Answer:", TASK.seen)
    assert first == " the zoo"


def test_shortcuts_that_look_at_seen_examples_ignore_the_story() -> None:
    seen = [example for example in TASK.examples if example.tags["question"] == "where"]
    known = seen[0]
    question = known.prompt.partition("Question: ")[2].removesuffix(" Answer:")
    other = f"{STORY} Question: {question} Answer:"
    assert TASK.shortcuts["copy-same-question"](other, seen) == known.completion
    assert TASK.shortcuts["copy-same-question"](other, []) == ""
    commonest = Counter(example.completion for example in seen).most_common(1)[0][0]
    assert TASK.shortcuts["commonest-of-question"](other, seen) == commonest
    assert TASK.shortcuts["commonest-of-question"](prompt("Who had the kite first?"), seen) == ""


def test_the_answer_is_in_the_story_beside_another_that_fits() -> None:
    for example in TASK.examples:
        texts = [mention.text for mention in mentions_of(example.prompt)]
        assert example.completion.strip() in texts
        assert len(set(texts)) > 1


def test_question_words_are_as_frequent_and_can_be_chosen_and_held_out() -> None:
    counts = Counter(example.tags["question"] for example in TASK.examples)
    assert set(counts) == {"who", "what", "where"}
    assert min(counts.values()) > 25
    only = make_task("story-facts", examples=20, questions="who")
    assert {example.tags["question"] for example in only.examples} == {"who"}
    split = make_task("story-facts", examples=60, split="tag(tag='question',values='where')")
    assert {example.tags["question"] for example in split.held_out} == {"where"}


def test_stories_of_one_event_can_be_asked_about_too() -> None:
    task = make_task("story-facts", examples=30, min_events=1, max_events=1)
    assert {example.tags["length"] for example in task.examples} == {1}


def test_bad_input_is_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown question word 'whom'; did you mean 'who'"):
        make_task("story-facts", questions=["whom"])
    with pytest.raises(UsageError, match="questions is empty"):
        make_task("story-facts", questions=[])
    with pytest.raises(DataError, match="the story does not answer 'Who broke the kite"):
        TASK.rule(prompt("Who broke the kite?"))
    with pytest.raises(DataError, match="should look like 'Mia gave Tom the kite"):
        TASK.rule("Mia gave Tom the kite. Who gave it?")


def test_an_answer_from_the_story_counts_as_such_even_where_it_is_wrong() -> None:
    in_text = TASK.measures["in_the_text"]
    example = TASK.examples[0]
    word = example.prompt.split()[0]
    assert [in_text(example, answer) for answer in (example.completion, f" {word}", " xylophone", "")] == [1, 1, 0, 0]
