from __future__ import annotations

import itertools
import random
import re

import pytest
from hypothesis import given, settings, strategies as st

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.tasks import make_task
from shoal.tasks.catalog.counting import WORDINGS, counting_rule


def test_by_default_it_counts_from_1_to_each_of_1_to_100() -> None:
    task = make_task("counting")
    assert [example.tags["index"] for example in task.examples] == list(range(1, 101))
    third = task.examples[2]
    assert third.prompt == "Please count up in unary, starting at 1 and stopping at 111:"
    assert (third.completion, third.ends) == (" 1 11 111", True)
    assert third.tags == {"index": 3, "group": "3"}
    assert (len(task.seen), len(task.held_out)) == (70, 30)
    assert {example.tags["index"] % 10 for example in task.held_out} == {1, 3, 7}


def test_counting_down_goes_from_the_number_to_the_start() -> None:
    example = make_task("counting", direction="down", start=2, largest=5).examples[-1]
    assert example.prompt == "Please count down in unary, starting at 11111 and stopping at 11:"
    assert example.completion == " 11111 1111 111 11"


def test_several_starts_are_each_used_with_every_number_that_is_not_less() -> None:
    task = make_task("counting", start=[1, 4], smallest=3, largest=5, base="decimal", split="last-digit(3)")
    assert [(e.tags["start"], e.completion) for e in task.examples] == [
        (1, " 1 2 3"),
        (1, " 1 2 3 4"),
        (4, " 4"),
        (1, " 1 2 3 4 5"),
        (4, " 4 5"),
    ]


def test_varied_wording_draws_every_paraphrase_and_a_seed_decides_which() -> None:
    drawn = [example.tags["wording"] for example in make_task("counting", wording="varied").examples]
    assert set(drawn) == set(WORDINGS)
    assert drawn == [example.tags["wording"] for example in make_task("counting", wording="varied").examples]
    assert drawn != [example.tags["wording"] for example in make_task("counting", wording="varied", seed=1).examples]
    two = {example.tags["wording"] for example in make_task("counting", wording=["list", "until"]).examples}
    assert two == {"list", "until"}


def test_a_number_keeps_its_prompt_when_the_range_grows() -> None:
    few = make_task("counting", largest=10, wording="varied", spelling_noise=0.5).examples
    assert make_task("counting", largest=30, wording="varied", spelling_noise=0.5).examples[:10] == few


def test_spelling_noise_changes_words_and_never_numbers() -> None:
    clean = make_task("counting", base="decimal").examples
    noisy = make_task("counting", base="decimal", spelling_noise=0.5).examples
    changed = 0
    for before, after in zip(clean, noisy, strict=True):
        assert [c for c in before.prompt if c.isdigit()] == [c for c in after.prompt if c.isdigit()]
        pairs = list(zip(before.prompt.split(), after.prompt.split(), strict=True))
        changed += sum(a != b for a, b in pairs)
        assert all(abs(len(a) - len(b)) <= 1 for a, b in pairs)
    # 9 words of two letters and more; five standard deviations of 900 draws around one half.
    words = sum(len(word.strip(":,")) > 1 and word.strip(":,").isalpha() for word in clean[0].prompt.split())
    assert abs(changed - 50 * words) < 5 * (100 * words * 0.25) ** 0.5


@pytest.mark.parametrize(
    ("base", "direction", "wording"), list(itertools.product(["unary", "decimal"], ["up", "down"], WORDINGS))
)
def test_the_rule_gives_the_completion_of_every_prompt(base: str, direction: str, wording: str) -> None:
    for noise in (0.0, 0.4, 1.0):
        task = make_task(
            "counting",
            base=base,
            direction=direction,
            wording=wording,
            spelling_noise=noise,
            start=[1, 3],
            largest=25,
            seed=7,
        )
        assert [task.rule(example.prompt) for example in task.examples] == [e.completion for e in task.examples]


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(1, 30),
    span=st.integers(1, 20),
    base=st.sampled_from(["unary", "decimal"]),
    direction=st.sampled_from(["up", "down"]),
    noise=st.floats(0, 1),
    seed=st.integers(0, 10**6),
)
def test_the_rule_holds_for_any_options(
    start: int, span: int, base: str, direction: str, noise: float, seed: int
) -> None:
    task = make_task(
        "counting",
        start=start,
        smallest=start,
        largest=start + span,
        base=base,
        direction=direction,
        spelling_noise=noise,
        wording="varied",
        split=f"block(first={start},last={start})",
        seed=seed,
    )
    for example in task.examples:
        assert task.rule(example.prompt) == example.completion


@pytest.mark.parametrize(
    "prompt", ["Count up in unary to 11:", "Say 1 and 11:", "Count in unary and decimal, 1 to 11:"]
)
def test_the_rule_refuses_what_is_no_instruction_to_count(prompt: str) -> None:
    with pytest.raises(DataError, match="no instruction to count"):
        counting_rule(prompt)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"largest": 0}, "largest is 0; give a whole number of at least 1"),
        ({"smallest": "1"}, "smallest is '1'; give a whole number of at least 1"),
        ({"largest": True}, "largest is True; give a whole number of at least 1"),
        ({"start": 101}, "start is 101; give a whole number from 1 to 100"),
        ({"start": [2, 2]}, "start is [2, 2]; give at least one number, and none twice"),
        ({"spelling_noise": 1.5}, "spelling_noise is 1.5; give a number from 0 to 1"),
        ({"token_period": 1}, "token_period is 1; give a whole number of at least 2"),
        ({"seed": -1}, "seed is -1; give a whole number of at least 0"),
        ({"largest": 5000}, "largest is 5000: the completions would hold 2.1e+10 characters; choose a smaller one"),
    ],
)
def test_an_option_that_cannot_be_used_says_why(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        make_task("counting", **options)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "upp"}, "unknown direction 'upp'; did you mean 'up'?"),
        ({"base": "binary"}, "unknown base 'binary'; did you mean 'unary'?"),
        ({"wording": "vared"}, "unknown wording 'vared'; did you mean 'varied'?"),
        ({"wording": ["varied"]}, "unknown wording 'varied'; did you mean 'until'?"),
        ({"largst": 3}, "unknown option of the task 'counting' 'largst'; did you mean 'largest'?"),
        ({"split": "lenght"}, "unknown split 'lenght'; did you mean 'length'?"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(options: dict[str, object], message: str) -> None:
    with pytest.raises(UnknownNameError) as raised:
        make_task("counting", **options)
    assert str(raised.value).startswith(message.split(";")[0])
    assert "varied'" in message or str(raised.value) == message


def test_an_unknown_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown task 'countin'; did you mean 'counting'\\?"):
        make_task("countin")


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("base", ["unary", "decimal"])
def test_another_number_leaves_the_wording_and_the_typos_of_the_prompt(direction, base):
    task = make_task(
        "counting", largest=30, start=[1, 5], wording="varied", spelling_noise=0.5, direction=direction, base=base
    )
    for place, example in enumerate(task.examples):
        for variant in task.variants(example, random.Random(place)):
            if variant.kind == "same-surface-other-answer":
                other = variant.example
                shown, near = (re.split(r"[0-9]+", one.prompt) for one in (example, other))
                assert shown == near
                assert abs(other.tags["index"] - example.tags["index"]) == 1
                assert {**other.tags, "index": 0, "group": ""} == {**example.tags, "index": 0, "group": ""}
                assert counting_rule(other.prompt) == other.completion
