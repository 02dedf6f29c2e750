"""Rules, shortcuts, tags and measures of the generated tasks on drawn prompts, worked out another way."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import DataError
from shoal.tasks import Example, Task, make_task, rule_answer, shortcut_answer
from shoal.tasks.shortcuts import COPYING
from shoal.tasks.task import divergence_of

NUMBER_TASKS = ("addition", "comparison", "modular-arithmetic")
NAMES = (*NUMBER_TASKS, "copy", "reverse", "duplicate", "sort", "parity", "dyck", "majority", "missing-duplicate")
TASKS = {name: make_task(name, examples=40) for name in NAMES}
NUMBERS = st.integers(0, 10**12)
ITEMS = st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=9)


def asked(name: str, prompt: str, program: str = "") -> str | None:
    task: Task = TASKS[name]
    if not program:
        return rule_answer(task.rule, prompt)
    return shortcut_answer(program, task.shortcuts[program], prompt, task.seen)


@given(NUMBERS, NUMBERS, st.sampled_from(["{}+{}=", "{} + {} =", " {}+{} = "]))
def test_sums_are_sums_however_they_are_spaced(first: int, second: int, form: str) -> None:
    prompt = form.format(first, second)
    assert asked("addition", prompt) == f" {first + second}"
    assert asked("addition", prompt, "larger-operand") == f" {max(first, second)}"
    assert asked("addition", prompt, "subtract") == f" {abs(first - second)}"
    assert asked("addition", prompt, "concatenate") == f" {first}{second}"


@given(NUMBERS, NUMBERS)
def test_sums_without_carries_are_digits_added_on_their_own(first: int, second: int) -> None:
    total, unit = 0, 1
    while first // unit or second // unit:
        total += (first // unit + second // unit) % 10 * unit
        unit *= 10
    assert asked("addition", f"{first}+{second}=", "ignore-carry") == f" {total}"
    carried, columns = 0, 0
    for place in range(14):
        carried = (first // 10**place % 10 + second // 10**place % 10 + carried) // 10
        columns += carried
    if columns == 0:
        assert asked("addition", f"{first}+{second}=", "ignore-carry") == asked("addition", f"{first}+{second}=")


@given(NUMBERS, NUMBERS)
def test_the_larger_number_is_the_answer_and_the_shortcuts_give_one_of_the_two(first: int, second: int) -> None:
    prompt = f"max({first},{second})="
    assert asked("comparison", prompt) == f" {max(first, second)}"
    for name in TASKS["comparison"].shortcuts:
        if name not in COPYING and not name.startswith("copy-"):
            assert asked("comparison", prompt, name) in (f" {first}", f" {second}")
    assert asked("comparison", prompt, "smaller-number") == f" {min(first, second)}"
    assert asked("comparison", prompt, "as-words") == f" {max(str(first), str(second))}"


@given(NUMBERS, NUMBERS, st.integers(2, 10**6))
def test_remainders_are_remainders(first: int, second: int, modulus: int) -> None:
    prompt = f"{first}+{second} mod {modulus}="
    left = first + second
    once = left - modulus if left >= modulus else left
    left -= left // modulus * modulus
    assert asked("modular-arithmetic", prompt) == f" {left}"
    assert asked("modular-arithmetic", prompt, "subtract-once") == f" {once}"
    assert asked("modular-arithmetic", prompt, "without-modulus") == f" {first + second}"


@given(ITEMS, st.sampled_from([" ", ",", ", ", " , "]))
def test_lists_are_copied_turned_doubled_and_sorted(items: list[str], gap: str) -> None:
    listed = gap.join(items)
    joined = {
        "copy": items,
        "reverse": [items[-1 - place] for place in range(len(items))],
        "duplicate": [*items, *items],
        "sort": [letter for letter in "abcdefghij" for _ in range(items.count(letter))],
    }
    for name, expected in joined.items():
        assert asked(name, f"{name} {listed}:") == "".join(f" {item}" for item in expected)


@given(ITEMS)
def test_shortcuts_of_lists_lose_or_move_items_and_invent_none(items: list[str]) -> None:
    for name in ("copy", "reverse", "duplicate", "sort"):
        for shortcut in TASKS[name].shortcuts:
            if shortcut in COPYING or shortcut.startswith("copy-"):
                continue
            answer = asked(name, f"{name} {' '.join(items)}:", shortcut)
            assert set((answer or "").split()) <= set(items)
    unique = list(dict.fromkeys(items))
    assert asked("copy", f"copy {' '.join(items)}:", "drop-repeats") == "".join(f" {item}" for item in unique)


@given(st.lists(st.sampled_from("01"), min_size=1, max_size=20))
def test_parity_turns_with_every_one(bits: list[str]) -> None:
    state = "even"
    for bit in bits:
        state = {"even": "odd", "odd": "even"}[state] if bit == "1" else state
    assert asked("parity", f"parity {' '.join(bits)}:") == f" {state}"
    assert asked("parity", f"parity {','.join(bits)}:") == f" {state}"
    assert asked("parity", f"parity {' '.join([*bits, '0'])}:") == f" {state}"
    assert asked("parity", f"parity {' '.join([*bits, '1'])}:") != f" {state}"


@given(st.text("()[]", min_size=1, max_size=12))
@settings(max_examples=150)
def test_brackets_are_balanced_where_taking_pairs_out_leaves_nothing(brackets: str) -> None:
    left = brackets
    while (less := re.sub(r"\(\)|\[\]", "", left)) != left:
        left = less
    prompt = f"balanced {' '.join(brackets)}:"
    assert asked("dyck", prompt) == (" no" if left else " yes")
    counts = Counter(brackets)
    even = counts["("] == counts[")"] and counts["["] == counts["]"]
    assert asked("dyck", prompt, "counts") == (" yes" if even else " no")
    if asked("dyck", prompt) == " yes":
        for shortcut in ("counts", "counts-of-any-kind", "order-of-any-kind", "last-closes", "even-length"):
            assert asked("dyck", prompt, shortcut) == " yes"


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=15))
def test_the_majority_is_the_symbol_with_more_votes(symbols: list[str]) -> None:
    votes = symbols.count("a") - symbols.count("b")
    prompt = f"majority {' '.join(symbols)}:"
    winner = symbols[0] if votes == 0 else "a" if votes > 0 else "b"  # of a tie the first
    assert asked("majority", prompt) == f" {winner}"
    if votes:
        assert asked("majority", prompt, "minority") == f" {'b' if winner == 'a' else 'a'}"


@given(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=5, unique=True), st.randoms())
def test_the_item_without_a_pair_is_found_wherever_it_stands(letters: list[str], order: random.Random) -> None:
    items = [*letters, *letters[1:]]
    order.shuffle(items)
    assert asked("missing-duplicate", f"unpaired {' '.join(items)}:") == f" {letters[0]}"
    paired = [*letters, *letters]
    with pytest.raises(DataError, match="no item occurs once; one of them should"):
        asked("missing-duplicate", f"unpaired {' '.join(paired)}:")


@pytest.mark.parametrize("name", NAMES)
def test_tags_are_those_of_the_prompt_and_groups_hold_what_has_one_answer(name: str) -> None:
    by_group: dict[object, set[str]] = {}
    for example in TASKS[name].examples:
        assert example.completion == asked(name, example.prompt)
        by_group.setdefault(example.tags["group"], set()).add(example.completion)
        length = example.tags["length"]
        inner = re.findall(
            r"\d+" if name in ("addition", "comparison", "modular-arithmetic") else r"\S+", example.prompt
        )
        if name in ("addition", "comparison"):
            assert length == max(map(len, inner))
        elif name != "modular-arithmetic":
            assert length == len(inner) - 1
    if name != "comparison":
        assert all(len(answers) == 1 for answers in by_group.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "prompt", ["", "=", "17-25=", "copy:", "sort a;b:", "parity 0 2:", "日本", "balanced (a):", "x" * 500]
)
def test_a_prompt_of_no_task_is_refused_in_one_line_with_the_form(name: str, prompt: str) -> None:
    with pytest.raises(DataError, match=r"cannot be read; it should look like") as caught:
        asked(name, prompt)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", NAMES)
def test_drawn_examples_are_right_and_some_are_larger_than_those_of_the_task(name: str) -> None:
    task, generator = TASKS[name], random.Random(0)
    drawn = [task.draw(generator) for _ in range(120)]  # type: ignore[misc]
    assert all(example.completion == asked(name, example.prompt) for example in drawn)
    key = "depth" if name == "dyck" else "length"
    assert max(example.tags[key] for example in drawn) >= max(example.tags[key] for example in task.examples)  # type: ignore[type-var]
    again = random.Random(0)
    assert [task.draw(again).prompt for _ in range(120)] == [example.prompt for example in drawn]  # type: ignore[misc]


@given(st.text("ab ", max_size=6), st.text("ab ", max_size=6))
def test_an_answer_departs_from_the_right_one_in_one_of_three_ways(completion: str, answer: str) -> None:
    found = divergence_of(completion, answer)
    same = 0
    while same < min(len(completion), len(answer)) and completion[same] == answer[same]:
        same += 1
    if same == len(completion) == len(answer):
        assert found is None
    elif same == len(answer):
        assert found == "ended-early"
    else:
        assert found == ("went-on" if same == len(completion) else "other")


@given(ITEMS, ITEMS)
def test_measures_of_lists_are_counts_of_places_and_items(right: list[str], given_items: list[str]) -> None:
    measures = TASKS["copy"].measures
    example = Example(prompt="copy x:", completion="".join(f" {item}" for item in right))
    answer = "".join(f" {item}" for item in given_items)
    assert measures["item_count"](example, answer) == float(len(right) == len(given_items))
    assert measures["same_items"](example, answer) == float(Counter(right) == Counter(given_items))
    hits = sum(a == b for a, b in zip(right, given_items, strict=False))
    assert measures["places"](example, answer) == pytest.approx(hits / max(len(right), len(given_items)))
    assert measures["places"](example, example.completion) == 1.0


@pytest.mark.parametrize(
    ("answer", "last", "count"),
    [
        (" 42", 1.0, 1.0),
        (" 52", 1.0, 1.0),
        (" 2", 1.0, 0.0),
        (" 43", 0.0, 1.0),
        ("", 0.0, 0.0),
        (" x2", 1.0, 0.0),
        (" 4 2", 1.0, 0.0),
    ],
)
def test_measures_of_numbers_look_at_the_last_digit_and_the_number_of_them(
    answer: str, last: float, count: float
) -> None:
    measures, example = TASKS["addition"].measures, Example(prompt="17+25=", completion=" 42")
    assert measures["last_digit"](example, answer) == last
    assert measures["digit_count"](example, answer) == count


@pytest.mark.parametrize(
    ("name", "measure", "answer", "value"),
    [
        ("parity", "is_even_or_odd", " odd", 1.0),
        ("parity", "is_even_or_odd", " 1", 0.0),
        ("dyck", "is_yes_or_no", " no ", 1.0),
        ("majority", "is_a_or_b", " ab", 0.0),
        ("missing-duplicate", "in_the_prompt", " f", 1.0),
        ("missing-duplicate", "in_the_prompt", " unpaired", 0.0),
        ("missing-duplicate", "in_the_prompt", "", 0.0),
    ],
)
def test_measures_of_labels_ask_whether_the_answer_is_one_at_all(
    name: str, measure: str, answer: str, value: float
) -> None:
    example = Example(prompt="unpaired k f a k f:", completion=" a")
    assert TASKS[name].measures[measure](example, answer) == value


def test_items_between_commas_are_items_of_the_prompt() -> None:
    example = Example(prompt="unpaired k, f, a, k, f:", completion=" a")
    measure = TASKS["missing-duplicate"].measures["in_the_prompt"]
    assert [measure(example, answer) for answer in (" k", " f", " b", " k,")] == [1.0, 1.0, 0.0, 0.0]


SEEN = st.lists(
    st.builds(Example, prompt=st.text("abc", max_size=4), completion=st.text("xyz", min_size=1, max_size=3)), max_size=6
)


@given(prompt=st.text("abc", max_size=5), seen=SEEN)
def test_copying_shortcuts_give_the_completion_of_a_seen_example_or_nothing(prompt: str, seen: list[Example]) -> None:
    answers = {name: copy(prompt, seen) for name, copy in COPYING.items()}
    completions = [example.completion for example in seen]
    assert answers["look-up"] == next((one.completion for one in seen if one.prompt == prompt), "")
    if not seen:
        assert set(answers.values()) == {""}
        return
    gap = min(abs(len(one.prompt) - len(prompt)) for one in seen)
    near = [one for one in seen if abs(len(one.prompt) - len(prompt)) == gap]
    shortest = min(len(one.prompt) for one in near)
    assert answers["copy-nearest-length"] == next(one.completion for one in near if len(one.prompt) == shortest)
    assert answers["copy-longest"] == max(completions, key=len)
    counts = Counter(completions)
    assert counts[answers["copy-commonest"]] == max(counts.values())
    assert answers["copy-nearest-edit"] in completions


def failing(prompt: str, *_: object) -> str:
    raise KeyError("no\nsuch key")


@pytest.mark.parametrize("answer", ["", None, 3, b" a"])
def test_a_rule_that_gives_no_text_is_named(answer: object) -> None:
    with pytest.raises(DataError, match="it must return a text"):
        rule_answer(lambda prompt: answer, "p")  # type: ignore[arg-type, return-value]


def test_programs_that_fail_are_named_with_the_prompt_and_the_fault() -> None:
    with pytest.raises(DataError, match=r"the rule failed on the prompt 'ppp' \(KeyError.*mend the rule"):
        rule_answer(failing, "ppp")
    with pytest.raises(DataError, match=r"the shortcut 'mine' failed on the prompt 'ppp' \(KeyError.*empty text"):
        shortcut_answer("mine", failing, "ppp", [])
    with pytest.raises(DataError, match="the shortcut 'mine' gave 3 for 'ppp'; it must return a text"):
        shortcut_answer("mine", lambda prompt, seen: 3, "ppp", [])  # type: ignore[arg-type, return-value]
    assert shortcut_answer("mine", lambda prompt, seen: "", "ppp", []) is None
