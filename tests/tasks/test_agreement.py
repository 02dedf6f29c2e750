"""The agreement task: the head decides, and each shortcut reads another noun."""

from __future__ import annotations

from collections import Counter

import pytest

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.tasks import make_task
from shoal.tasks.catalog.agreement.subjects import noun_forms

TASK = make_task("agreement")


@pytest.mark.parametrize(
    ("subject", "answer", "structure"),
    [
        ("the key", "is", "bare"),
        ("the mice", "are", "bare"),
        ("the bus", "is", "bare"),
        ("the keys to the cabinet", "are", "attractors"),
        ("the key to the cabinets", "is", "attractors"),
        ("the key that the men found", "is", "attractors"),
        ("the bus near the lenses with the men", "is", "attractors"),
        ("the farmer's dogs", "are", "possessive"),
        ("the farmers' dog near the gates", "is", "possessive"),
        ("the princess's child's kites", "are", "possessive"),
        ("the key and the lamp", "are", "coordination"),
        ("the key and the lamp near the door", "are", "coordination"),
        ("near the doors, the key", "is", "fronted"),
        ("near the door, the keys by the lamp", "are", "fronted"),
        ("near the doors, the child's key", "is", "possessive"),
        ("the wug by the wugs", "is", "attractors"),
    ],
)
def test_the_verb_agrees_with_the_head(subject: str, answer: str, structure: str) -> None:
    prompt = f"is or are? {subject}:"
    assert TASK.rule(prompt) == f" {answer}"
    listed = {example.prompt: example for example in TASK.examples}
    assert prompt not in listed or listed[prompt].tags["structure"] == structure


PROMPT = "is or are? the bus with the girls that the man saw:"


@pytest.mark.parametrize(
    ("prompt", "shortcut", "answer"),
    [
        ("is or are? the keys to the cabinet:", "nearest-noun", " is"),
        ("is or are? near the doors, the key:", "first-noun", " are"),
        ("is or are? the key and the lamp:", "first-noun", " is"),
        ("is or are? the children to the bus:", "last-word-in-s", " are"),
        ("is or are? the children:", "first-noun-in-s", " is"),
        ("is or are? the bus:", "head-in-s", " are"),
        (PROMPT, "any-plural", " are"),
        (PROMPT, "most-nouns", " is"),
        (PROMPT, "always-singular", " is"),
        (PROMPT, "always-plural", " are"),
        ("was or were? the bus with the girls:", "nearest-noun", " were"),
    ],
)
def test_each_shortcut_answers_in_its_own_way(prompt: str, shortcut: str, answer: str) -> None:
    assert TASK.shortcuts[shortcut](prompt, TASK.seen) == answer


def test_the_last_noun_is_looked_up_among_the_seen_ones() -> None:
    seen = [example for example in TASK.examples if example.prompt.endswith("ies:") or " with the " in example.prompt]
    known = seen[0]
    last = known.prompt[:-1].rpartition("the ")[2]
    assert TASK.shortcuts["copy-same-last-noun"](f"is or are? the wug by the {last}:", [known]) == known.completion
    assert TASK.shortcuts["copy-same-last-noun"]("is or are? the wug:", seen) == ""


def test_both_numbers_and_both_kinds_of_attractor_are_frequent() -> None:
    counts = {
        tag: Counter(example.tags[tag] for example in TASK.examples) for tag in ("number", "attractor", "structure")
    }
    assert set(counts["number"]) == {"singular", "plural"}
    assert min(counts["number"].values()) > 0.4 * len(TASK.examples)
    assert min(counts["attractor"].values()) > 0.2 * len(TASK.examples)
    assert set(counts["structure"]) == {"bare", "attractors", "possessive", "coordination", "fronted"}


def test_the_split_by_attractor_is_answered_by_the_nearest_noun_on_the_seen_side_alone() -> None:
    task = make_task("agreement", split="tag(tag='attractor',values='mismatch')")
    nearest = task.shortcuts["nearest-noun"]
    assert all(nearest(example.prompt, task.seen) == example.completion for example in task.seen)
    assert all(nearest(example.prompt, task.seen) != example.completion for example in task.held_out)


def test_the_noun_lists_hold_one_noun_per_form_and_irregular_ones() -> None:
    forms = noun_forms()
    by_lemma = Counter(noun.lemma for noun in forms.values())
    assert set(by_lemma.values()) == {2}
    singular_in_s = [noun for noun in forms.values() if noun.number == "singular" and noun.text.endswith("s")]
    plural_without_s = [noun for noun in forms.values() if noun.number == "plural" and not noun.text.endswith("s")]
    assert len(singular_in_s) >= 15
    assert len(plural_without_s) >= 15


def test_another_verb_can_be_chosen_and_an_unknown_one_is_named() -> None:
    assert {example.completion for example in make_task("agreement", verb="has").examples} == {" has", " have"}
    with pytest.raises(UnknownNameError, match="unknown verb 'iss'; did you mean 'is'"):
        make_task("agreement", verb="iss")
    with pytest.raises(UsageError, match="max_nouns is 9"):
        make_task("agreement", max_nouns=9)


@pytest.mark.parametrize("prompt", ["is or was? the key:", "is or are? keys:", "is or are? near the keys, it:"])
def test_another_form_is_refused(prompt: str) -> None:
    with pytest.raises(DataError, match=r"the (prompt|subject) "):
        TASK.rule(prompt)


def test_an_answer_that_was_offered_counts_as_such_even_where_it_is_wrong() -> None:
    offered = TASK.measures["is_offered"]
    example = next(example for example in TASK.examples if example.completion == " is")
    assert [offered(example, answer) for answer in (" is", " are", " the", "")] == [1.0, 1.0, 0.0, 0.0]
    word = make_task("word-classes").examples[0]
    assert [offered(word, answer) for answer in (" verb", " number", " adverb")] == [1.0, 1.0, 0.0]
