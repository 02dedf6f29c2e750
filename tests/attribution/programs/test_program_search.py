from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from shoal.attribution import CandidateTable, ItemAnswer, candidates_of
from shoal.attribution.programs import Limits, ProgramLibrary, build_library, search_programs
from shoal.attribution.programs.copying import row_bits
from shoal.attribution.programs.null import completion_noise, mixture_bits, sampled_mixture_bits
from shoal.errors import UsageError
from shoal.tasks import Example, Task, make_task, task_from_rows

SMALL = Limits(numbers=400, pairs=300, deep_numbers=300, words=200, deep_words=200, joined=100, measures=60)


@pytest.fixture(scope="module")
def addition() -> tuple[Task, CandidateTable, ProgramLibrary]:
    task = make_task("addition", examples=240)
    items = [*task.held_out, *task.seen[:40]]
    table = candidates_of(task, items)
    return task, table, build_library(task.seen, task.rule, table.prompts, table.expected, limits=SMALL)


def answered(table: CandidateTable, answer: Callable[[int], str | None]) -> list[ItemAnswer]:
    return [
        ItemAnswer(prompt=prompt, expected=expected, answer=answer(row) or " ?", ends=True, log_probs={})
        for row, (prompt, expected) in enumerate(zip(table.prompts, table.expected, strict=True))
    ]


def noisy(column: Sequence[str | None], slip: float, seed: int) -> Callable[[int], str | None]:
    draw = random.Random(seed)
    return lambda row: column[row] if draw.random() >= slip else f" {draw.randrange(2000)}"


@pytest.mark.parametrize("name", ["ignore-carry", "copy-nearest-operands", "larger-operand", "copy-longest", "look-up"])
@pytest.mark.parametrize("slip", [0.0, 0.2])
def test_a_shortcut_that_is_not_named_is_found(
    addition: tuple[Task, CandidateTable, ProgramLibrary], name: str, slip: float
) -> None:
    task, table, library = addition
    draw = random.Random(5)
    column = [text or f" {draw.randrange(2000)}" for text in table.column(name)]
    answers = answered(table, noisy(column, slip, seed=3))
    result = search_programs(task, answers, table=table.without(name), library=library)
    best = result.found[0]
    differing = [row for row, (a, b) in enumerate(zip(table.column(name), table.expected, strict=True)) if a != b]
    own = [best.shortcut(table.prompts[row], task.seen) or None for row in differing]
    assert own == [table.column(name)[row] for row in differing]
    assert best.bits_saved > 50
    assert 0.3 < best.posterior <= 1
    assert best.equal_programs >= 0


@pytest.mark.parametrize("slip", [0.0, 0.1, 0.4])
def test_a_model_that_follows_the_rule_has_no_shortcut(
    addition: tuple[Task, CandidateTable, ProgramLibrary], slip: float
) -> None:
    task, table, library = addition
    result = search_programs(task, answered(table, noisy(table.expected, slip, seed=7)), table=table, library=library)
    assert result.found == ()
    assert "No program found" in str(result)


def test_a_named_shortcut_is_not_found_again(addition: tuple[Task, CandidateTable, ProgramLibrary]) -> None:
    task, table, library = addition
    answers = answered(table, noisy(table.column("ignore-carry"), 0.1, seed=2))
    assert search_programs(task, answers, table=table, library=library).found == ()


def test_a_mixture_of_two_unnamed_shortcuts_is_found_as_both(
    addition: tuple[Task, CandidateTable, ProgramLibrary],
) -> None:
    task, table, library = addition
    draw = random.Random(1)
    both = [table.column("concatenate"), table.column("ignore-carry")]
    answers = answered(table, lambda row: draw.choice(both)[row])
    known = table.of(["rule"])
    found = search_programs(task, answers, table=known, library=library).found
    outputs = [[each.shortcut(prompt, task.seen) for prompt in table.prompts] for each in found]
    assert all(list(column) in outputs for column in both)


def test_a_constant_answer_is_found_once(addition: tuple[Task, CandidateTable, ProgramLibrary]) -> None:
    task, table, library = addition
    result = search_programs(task, answered(table, lambda row: " never seen"), table=table, library=library)
    assert [program.notation for program in result.found] == ["constant(' never seen')"]


def test_an_answer_that_does_not_end_is_no_programs_answer(
    addition: tuple[Task, CandidateTable, ProgramLibrary],
) -> None:
    task, table, library = addition
    answers = [
        ItemAnswer(prompt=prompt, expected=right, answer=text or "", ends=False, log_probs={})
        for prompt, right, text in zip(table.prompts, table.expected, table.column("concatenate"), strict=True)
    ]
    assert search_programs(task, answers, table=table.without("concatenate"), library=library).found == ()


@pytest.mark.slow
def test_a_table_of_labels_is_found_on_rows_without_a_rule() -> None:
    draw = random.Random(0)
    words = ["".join(draw.choice("abcdef") for _ in range(draw.randint(3, 7))) for _ in range(240)]
    rows = [Example(prompt=f"{word} is", completion=draw.choice([" red", " blue"])) for word in dict.fromkeys(words)]
    task = task_from_rows(rows, split="random(share=0.5)")
    library = build_library(
        task.seen, task.rule, [r.prompt for r in task.held_out], [r.completion for r in task.held_out], limits=SMALL
    )
    table = candidates_of(task, task.held_out)
    odd = [len(prompt.split()[0]) % 2 == 1 for prompt in table.prompts]
    answers = answered(table, lambda row: " red" if odd[row] else " blue")
    result = search_programs(task, answers, table=table, library=library)
    own = [result.found[0].shortcut(prompt, task.seen) for prompt in table.prompts]
    assert own == [" red" if each else " blue" for each in odd]


def test_a_shortcut_over_words_is_found_where_the_rule_has_half_of_the_answers() -> None:
    draw = random.Random(1)
    words = ["apple", "ox", "egg", "inn", "tree", "dog", "sun", "lake", "hill", "boat"]
    rows = {f"The {draw.choice(words)} near the {draw.choice(words)} and {draw.choice(words)}?" for _ in range(400)}
    examples = [Example(prompt=row, completion=" even" if len(row) % 2 == 0 else " odd") for row in sorted(rows)]
    draw.shuffle(examples)
    task = task_from_rows(examples, split="random(share=0.5)", rule=lambda p: " even" if len(p) % 2 == 0 else " odd")
    table = candidates_of(task, task.held_out)
    tiny = Limits(measures=60, numbers=60, pairs=30, triples=10, deep_numbers=30, words=200, deep_words=300, joined=10)
    library = build_library(task.seen, task.rule, table.prompts, table.expected, limits=tiny)
    column = [" odd" if row.split()[-1][0] in "aeiou" else " even" for row in table.prompts]
    answers = answered(table, lambda row: column[row] if draw.random() < 0.5 else table.expected[row])
    found = search_programs(task, answers, table=table, library=library).found
    assert [[program.shortcut(prompt, task.seen) for prompt in table.prompts] for program in found] == [column]


def test_nonsense_now_and_then_does_not_hide_a_half_followed_constant() -> None:
    draw = random.Random(3)
    right = [draw.choice([" yes", " no"]) for _ in range(220)]
    answers = [
        "".join(draw.choice("abcde") for _ in range(5)) if draw.random() < 0.15 else draw.choice([text, " yes"])
        for text in right
    ]
    rule = np.array([float(a == b) for a, b in zip(answers, right, strict=True)])
    parts = np.column_stack([rule, completion_noise(answers, [" yes", " no"] * 100)])
    constant = np.array([float(text == " yes") for text in answers])
    without = sampled_mixture_bits(parts, weights=np.ones(220))
    assert without - sampled_mixture_bits(parts, constant, weights=np.ones(220)) > 20
    assert (parts[:, 1:].sum(axis=1) > 0).all()


def test_a_table_with_two_rows_costs_the_bit_that_it_has() -> None:
    bits = row_bits(np.array([[1, 1], [2, 0], [3, 1], [2, 2]]), 2)
    assert bits[0] == pytest.approx(1)
    assert math.isinf(bits[1]), "a table with one label is a constant"
    assert bits[0] < bits[2] < bits[3]


@pytest.mark.slow
def test_probabilities_show_a_shortcut_that_greedy_answers_hide() -> None:
    draw = random.Random(0)
    words = dict.fromkeys("".join(draw.choice("abcdef") for _ in range(draw.randint(3, 7))) for _ in range(400))
    rows = [Example(prompt=f"{word} is", completion=draw.choice([" red", " blue"])) for word in words]
    task = task_from_rows(rows, split="random(share=0.5)")
    library = build_library(
        task.seen, task.rule, [r.prompt for r in task.held_out], [r.completion for r in task.held_out], limits=SMALL
    )
    constants = {name: lambda prompt, seen, name=name: f" {name}" for name in ("red", "blue")}
    table = candidates_of(task, task.held_out, shortcuts=constants).of(["rule", *constants])
    answers = []
    for prompt, right in zip(table.prompts, table.expected, strict=True):
        even = len(prompt.split()[0]) % 2 == 0
        # The rule is always the greedy answer, but where the length would have it so, the other one is near.
        other = {" red": " blue", " blue": " red"}[right]
        drawn = 0.45 if even == (other == " blue") else 0.001
        answers.append(
            ItemAnswer(
                prompt=prompt,
                expected=right,
                answer=right,
                ends=True,
                log_probs={right: math.log(1 - drawn), other: math.log(drawn)},
            )
        )
    greedy = [
        ItemAnswer(prompt=a.prompt, expected=a.expected, answer=a.answer, ends=True, log_probs={}) for a in answers
    ]
    assert search_programs(task, greedy, table=table, library=library).found == ()
    best = search_programs(task, answers, table=table, library=library).found[0]
    assert best.follows == 0
    assert 0.2 < best.share < 0.5
    assert [best.shortcut(p, task.seen) for p in table.prompts if len(p.split()[0]) % 2 == 0][:3] == [" blue"] * 3


def test_the_result_is_a_table_a_text_and_json(addition: tuple[Task, CandidateTable, ProgramLibrary]) -> None:
    task, table, library = addition
    answers = answered(table, noisy(table.column("larger-operand"), 0.0, seed=1))
    result = search_programs(task, answers, table=table.without("larger-operand"), library=library)
    frame = result.to_frame()
    assert frame["found"].tolist()[:1] == [True]
    assert frame["bits_saved"].is_monotonic_decreasing
    assert json.loads(json.dumps(result.to_dict()))["programs"][0]["notation"] == result.found[0].notation
    assert result.found[0].text in str(result)
    assert all(item.answer != item.expected for item in result.found[0].showing)
    assert result.found[0].follows == len(result.found[0].showing)


def test_all_programs_together_have_a_prior_of_at_most_one(
    addition: tuple[Task, CandidateTable, ProgramLibrary],
) -> None:
    *_, library = addition
    assert np.exp2(-library.bits).sum() <= 1
    assert len({row.tobytes() for row in library.outputs}) == len(library.outputs), "one program per behaviour"


def test_the_mixture_is_a_probability_of_answers() -> None:
    # All sequences of three answers over two letters, under two parts with known probabilities.
    parts = np.array([[0.9, 0.1], [0.2, 0.8]])
    bound = exact = 0.0
    for code in range(8):
        letters = [code >> shift & 1 for shift in range(3)]
        bits = sampled_mixture_bits(parts[:, letters].T, weights=np.ones(3))
        assert mixture_bits(parts[:, letters].T)[0] > bits
        bound += 2 ** -mixture_bits(parts[:, letters].T)[0]
        exact += 2**-bits
    assert exact == pytest.approx(1, abs=0.03)
    assert 0.5 < bound < 1


def test_a_copy_of_a_named_explanation_saves_nothing() -> None:
    # The noise gives all answers now and then; the rule gives nine of ten.
    draw = random.Random(0)
    rule = np.array([draw.random() < 0.9 for _ in range(200)], float)
    parts = np.column_stack([rule, np.full(200, 0.2)])
    saved = sampled_mixture_bits(parts, weights=np.ones(200)) - mixture_bits(parts, rule[None])[0]
    assert saved < 1


@pytest.mark.parametrize(
    "rows",
    [
        [(f"日本 {chr(0x3041 + k)} →", f" é{k % 5}") for k in range(24)],
        [(f"q{k}", "") for k in range(16)],
        [(f"{10 ** (k + 3)}+{10**18}=", f" {10 ** (k + 3) + 10**18}") for k in range(16)],
        [(f"{j}-{k}=", f" {j - k}") for j in range(4) for k in range(4)],
    ],
    ids=["other scripts", "empty completions", "huge numbers", "negative numbers"],
)
def test_any_rows_can_be_searched(rows: list[tuple[str, str]]) -> None:
    examples = [Example(prompt=prompt, completion=completion) for prompt, completion in rows]
    task = task_from_rows(examples, split="random(share=0.5)")
    table = candidates_of(task, task.examples)
    tiny = Limits(measures=20, numbers=60, pairs=30, triples=10, deep_numbers=30, words=40, deep_words=20, joined=10)
    library = build_library(task.seen, task.rule, table.prompts, table.expected, limits=tiny)
    answers = answered(table, lambda row: "zz" if row % 3 else table.expected[row] or "zz")
    result = search_programs(task, answers, table=table, library=library)
    assert [program.notation for program in result.found] in ([], ["constant('zz')"])
    assert result.to_frame().shape[0] == len(result.programs)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"alpha": 0.0}, "alpha is 0.0; give a number between 0 and 1"),
        ({"min_share": 1.5}, "min_share is 1.5; give a number between 0 and 1"),
        ({"min_items": 0}, "min_items is 0; give a number of items, at least 1"),
    ],
)
def test_bad_settings_are_named(
    addition: tuple[Task, CandidateTable, ProgramLibrary], given: dict[str, float], message: str
) -> None:
    task, table, library = addition
    answers = answered(table, lambda row: table.expected[row])
    with pytest.raises(UsageError, match=message):
        search_programs(task, answers, table=table, library=library, **given)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="the library is of other prompts than the answers"):
        search_programs(task, answers[:-1], library=library)
    with pytest.raises(UsageError, match="there are no answers to search a program for"):
        search_programs(task, [])
