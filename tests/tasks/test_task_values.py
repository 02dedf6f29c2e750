"""Each task's rule and shortcuts on prompts answered by hand."""

from __future__ import annotations

import pytest

from shoal.errors import DataError, UsageError
from shoal.tasks import Example, Task, make_task

ANSWERS = {
    ("comparison", "max(917,932)="): {
        "rule": "932",
        "first-number": "917",
        "last-number": "932",
        "more-digits": "917",
        "greater-first-digit": "917",
        "greater-last-digit": "917",
        "as-words": "932",
        "smaller-number": "917",
    },
    ("comparison", "max( 9 , 25 )="): {
        "rule": "25",
        "more-digits": "25",
        "greater-first-digit": "9",
        "greater-last-digit": "9",
        "as-words": "9",
    },
    ("copy", "copy k f k a:"): {
        "rule": "k f k a",
        "first-item": "k",
        "drop-last": "k f k",
        "drop-repeats": "k f a",
        "backward": "a k f k",
        "in-alphabetical-order": "a f k k",
    },
    ("reverse", "reverse k,f,k, a:"): {
        "rule": "a k f k",
        "same-order": "k f k a",
        "last-item-first": "a k f k",
        "swap-ends": "a f k k",
        "in-backward-alphabetical-order": "k k f a",
        "drop-repeats": "a k f",
    },
    ("duplicate", "duplicate k f:"): {
        "rule": "k f k f",
        "once": "k f",
        "each-item-twice": "k k f f",
        "mirror": "k f f k",
        "repeat-last-item": "k f f f",
    },
    ("sort", "sort kf ka bd ka:"): {
        "rule": "bd ka ka kf",
        "by-first-letter": "bd kf ka ka",
        "sort-neighbours": "ka bd ka kf",
        "smallest-first": "bd kf ka ka",
        "drop-repeats": "bd ka kf",
        "same-order": "kf ka bd ka",
        "backward": "kf ka ka bd",
    },
    ("parity", "parity 0 1 1 1:"): {
        "rule": "odd",
        "last-bit": "odd",
        "first-bit": "even",
        "first-and-last-bit": "odd",
        "length": "even",
        "zeros": "odd",
        "last-three-bits": "odd",
        "more-ones": "odd",
    },
    ("parity", "parity 1 0 0 1 0:"): {
        "rule": "even",
        "last-bit": "even",
        "first-bit": "odd",
        "first-and-last-bit": "odd",
        "length": "odd",
        "zeros": "odd",
        "last-three-bits": "odd",
        "more-ones": "even",
    },
    ("modular-arithmetic", "17+25 mod 5="): {
        "rule": "2",
        "without-modulus": "42",
        "first-operand": "2",
        "last-operand": "0",
        "last-digits": "2",
        "subtract-once": "37",
        "modulo-ten": "2",
    },
    ("dyck", "balanced ( [ ) ]:"): {
        "rule": "no",
        "counts": "yes",
        "counts-of-any-kind": "yes",
        "order-of-any-kind": "yes",
        "first-and-last": "no",
        "last-closes": "yes",
        "even-length": "yes",
    },
    ("dyck", "balanced ( ) [ ]:"): {"rule": "yes", "first-and-last": "no", "counts": "yes"},
    ("dyck", "balanced ( ] ] (:"): {
        "rule": "no",
        "counts": "no",
        "counts-of-any-kind": "yes",
        "order-of-any-kind": "no",
        "last-closes": "no",
    },
    ("majority", "majority a b a a b b b:"): {
        "rule": "b",
        "first-symbol": "a",
        "last-symbol": "b",
        "middle-symbol": "a",
        "last-three-symbols": "b",
        "longest-run": "b",
        "minority": "a",
    },
    ("majority", "majority a b a b b a a a b b b:"): {"rule": "b", "longest-run": "a"},
    ("missing-duplicate", "unpaired k f a k f:"): {
        "rule": "a",
        "last-item": "f",
        "first-item": "k",
        "middle-item": "a",
        "first-in-alphabet": "a",
        "not-seen-later": "a",
        "without-equal-neighbour": "k",
    },
    ("missing-duplicate", "unpaired f f k c c:"): {"rule": "k", "not-seen-later": "f", "without-equal-neighbour": "k"},
}
TASKS = {name: make_task(name) for name in {name for name, _ in ANSWERS}}


@pytest.mark.parametrize(
    ("name", "prompt", "program", "answer"),
    [(name, prompt, *pair) for (name, prompt), programs in ANSWERS.items() for pair in programs.items()],
)
def test_each_program_answers_as_one_would_by_hand(name: str, prompt: str, program: str, answer: str) -> None:
    task = TASKS[name]
    given = task.rule(prompt) if program == "rule" else task.shortcuts[program](prompt, task.seen)
    assert given == f" {answer}"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("copy", " a b c"),
        ("reverse", " e d c"),
        ("duplicate", " a b c d e a"),
    ],
)
def test_lists_stop_at_the_longest_seen_one(name: str, answer: str) -> None:
    seen = [Example(prompt=f"{name} a b:", completion="?"), Example(prompt=f"{name} c d e:", completion="?")]
    assert TASKS[name].shortcuts["stop-at-longest-seen"](f"{name} a b c d e:", seen) == answer


@pytest.mark.parametrize(
    ("name", "prompt", "message"),
    [
        ("parity", "parity 0 1 2:", "should look like 'parity 0 1:'"),
        ("dyck", "balanced ( {:", r"should look like 'balanced \( \) \[ \]:'"),
        ("modular-arithmetic", "3+4 mod 0=", "should look like '17"),
        ("missing-duplicate", "unpaired a a b b:", "no item occurs once"),
        ("sort", "sort:", "should look like 'sort k f a:'"),
        ("comparison", "max(3)=", "should look like"),
        ("majority", "majority a c:", "should look like 'majority a b:'"),
    ],
)
def test_a_prompt_of_another_form_is_refused(name: str, prompt: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        TASKS[name].rule(prompt)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("comparison", {"min_digits": 3, "max_digits": 2}, "max_digits is 2; give a whole number from 3"),
        ("addition", {"max_digits": 19}, "max_digits is 19; give a whole number from 1 to 18"),
        ("modular-arithmetic", {"modulus": 1}, "modulus is 1; give a whole number from 2"),
        ("modular-arithmetic", {"modulus": (5, 5)}, "modulus is .*none twice"),
        ("missing-duplicate", {"max_pairs": 9}, "max_pairs is 9; give a whole number from 1 to 6"),
    ],
)
def test_an_option_out_of_range_is_named(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_task(name, **options)


@pytest.mark.parametrize("name", ["parity", "dyck", "majority"])
def test_the_two_answers_are_about_as_frequent(name: str) -> None:
    completions = [example.completion for example in TASKS[name].examples]
    assert 0.4 < completions.count(completions[0]) / len(completions) < 0.6


def test_comparisons_are_mostly_of_equally_long_numbers_and_never_of_equal_ones() -> None:
    task: Task = TASKS["comparison"]
    assert 0.5 < sum(bool(example.tags["same_length"]) for example in task.examples) / len(task.examples) < 0.9
    assert all(len(set(str(example.tags["group"]).split(","))) == 2 for example in task.examples)


def test_sorting_has_lists_with_a_word_twice_and_keeps_the_same_words_on_one_side() -> None:
    task = TASKS["sort"]
    twice = [example for example in task.examples if len(set(example.completion.split())) < example.tags["length"]]
    assert len(twice) > 100
    assert not {e.completion for e in task.seen} & {e.completion for e in task.held_out}
