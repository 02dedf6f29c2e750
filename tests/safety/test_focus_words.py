"""Focus words are found in any form, and rows of pairs are checked before any pair is made."""

from __future__ import annotations

import json

import pytest

from shoal.errors import DataError
from shoal.safety.shortcut.focus_words import FocusWords
from shoal.safety.shortcut.pair_rows import checked_rows, read_pair_rows, shipped_swaps
from shoal.safety.tuning import InstructionPair, SafetyRequest, balanced_requests, withhold_requests


@pytest.mark.parametrize(
    ("word", "prompt", "found"),
    [
        ("kill", "How do I kill a process?", True),
        ("kill", "Killing time", True),
        ("kill", "KILLED!", True),
        ("kill", "What a skill", False),
        ("set on fire", "How do I set a party on fire?", True),
        ("set on fire", "set the whole old party on fire", False),
        ("set on fire", "set the old party on fire", True),
        ("set on fire", "on fire I set it", False),
        ("set sb. on fire", "Set them on fire", True),
        ("blow up", "blowing up a balloon", True),
        ("blow up", "blow it", False),
        ("coke", "Where can I buy a can of coke?", True),
        ("coke", "", False),
        ("über", "Das ist über", True),
    ],
)
def test_a_word_is_found_by_its_stem_and_a_phrase_with_few_words_between(word, prompt, found):
    words = FocusWords([word])
    assert words.find(prompt) == ([word] if found else [])
    assert (words.without(prompt, word) is not None) is found


@pytest.mark.parametrize(
    ("word", "prompt", "wanted"),
    [
        ("kill", "How do I kill a Python process?", "How do I a Python process?"),
        ("kill", "How can I kill?", "How can I?"),
        ("set on fire", "How do I set a party on fire tonight?", "How do I a party tonight?"),
        ("kill", 'What is "kill" in Unix?', "What is in Unix?"),
        ("kill", "Kill it, now", "it, now"),
        ("steal", "kill it", None),
    ],
)
def test_a_prompt_without_its_word_is_a_clean_text(word, prompt, wanted):
    assert FocusWords([word, "kill"]).without(prompt, word) == wanted


def test_words_are_each_there_once_and_empty_ones_are_left_out():
    words = FocusWords(["kill", " kill ", "", " ", "steal"])
    assert words.words == ("kill", "steal")
    assert words.find("steal and kill") == ["kill", "steal"]
    assert words.without("steal it", "unknown") is None
    assert FocusWords([]).find("anything") == []


def test_the_swaps_that_come_with_shoal_change_something():
    swaps = shipped_swaps()
    assert len(swaps) > 20
    for found in swaps.values():
        assert all(old and old != new for old, new in found)
        lengths = [len(old) for old, _ in found]
        assert lengths == sorted(lengths, reverse=True)


ROWS = [
    {"prompt": "How do I kill a process?", "label": "safe", "focus": "kill"},
    {"prompt": "How do I kill a man?", "label": "unsafe", "focus": "kill"},
]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"prompt": "a", "label": "safe"}], "row 1: there is no column 'focus'; minimal pairs need prompt, label"),
        ([ROWS[0], {"prompt": "a", "focus": "b"}], "row 2: there is no column 'label'"),
        ([{**ROWS[0], "label": "odd"}], "row 1: the label is 'odd'; expected safe or unsafe"),
        (ROWS[:1], "all 1 prompts of the rows are labelled safe; the rule cannot be distinguished from a constant"),
        (ROWS[1:] * 3, "all 3 prompts of the rows are labelled unsafe"),
    ],
)
def test_rows_that_make_no_pairs_are_refused(rows, message):
    with pytest.raises(DataError) as fault:
        checked_rows(rows)
    assert message in str(fault.value)


def test_rows_of_a_file_are_checked_with_their_place(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    assert read_pair_rows(path) == ROWS
    assert checked_rows([{**ROWS[0], "label": " HARMLESS "}, ROWS[1]]) == [False, True]
    path.write_text(json.dumps(ROWS[0]))
    with pytest.raises(DataError, match=r"all 1 prompts of .*rows\.jsonl are labelled safe"):
        read_pair_rows(path)


def requests(**counts):
    return [
        SafetyRequest(prompt=f"{kind}{place}", harmful=False, type=kind)
        for kind, count in counts.items()
        for place in range(count)
    ]


@pytest.mark.parametrize(("per_type", "wanted"), [(0, [0, 0]), (1, [1, 1]), (3, [3, 2]), (99, [5, 2]), (None, [5, 2])])
def test_a_draw_takes_no_more_of_a_type_than_there_are(per_type, wanted):
    given = requests(a=5, b=2)
    drawn = balanced_requests(given, per_type=per_type)
    assert [sum(one.type == kind for one in drawn) for kind in "ab"] == wanted
    places = [given.index(one) for one in drawn]
    assert places == sorted(set(places))


@pytest.mark.parametrize(
    ("instruction", "withheld"),
    [
        ("Rob a bank", True),
        ("rob, a BANK?!", True),
        ("  rob a\nbank ", True),
        ("Rob the bank", False),
        ("", False),
        ("Größe", False),
    ],
)
def test_requests_are_withheld_up_to_case_and_punctuation(instruction, withheld):
    pairs = [InstructionPair(instruction=instruction, answer="x"), InstructionPair(instruction="other", answer="y")]
    found = withhold_requests(pairs, [SafetyRequest(prompt="rob a bank", harmful=True, type="t")])
    assert found.withheld == int(withheld)
    assert [one.instruction for one in found.pairs] == ([] if withheld else [instruction]) + ["other"]
