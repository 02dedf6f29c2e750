"""Rules and shortcuts of a user's own, in Python and as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shoal.errors import UnknownNameError, UsageError
from shoal.tasks import Example, make_task, task_from_rows, with_shortcuts
from shoal.tasks.declared import declared_kinds

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [
    Example(prompt=f"{a} plus {b} is", completion=f" {a + b}", tags={"size": a, "kind": "odd" if a % 2 else "even"})
    for a, b in ((1, 2), (2, 9), (5, 5), (8, 1), (9, 9))
]
SEEN = ROWS[:3]


def shortcut(spec: Any, rows: list[Example] = ROWS) -> Any:
    return task_from_rows(rows, split="random(share=0.4)", shortcuts={"mine": spec}).shortcuts["mine"]


@pytest.mark.parametrize(
    ("spec", "prompt", "answer"),
    [
        ({"constant": " 7"}, "8 plus 1 is", " 7"),
        ({"word": 1}, "8 plus 1 is", " 8"),
        ({"word": -2}, "8 plus 1 is", " 1"),
        ({"word": 9}, "8 plus 1 is", ""),
        ({"word": -1}, "1 में पानी", " पानी"),
        ({"regex": "plus", "template": r" \\1"}, "8 plus 1 is", r" \1"),
        ({"regex": r"(\d+) plus (\d+)", "template": r" \2\1"}, "8 plus 1 is", " 18"),
        ({"regex": r"(\d+) minus", "template": r" \1"}, "8 plus 1 is", ""),
        ({"nearest": "size"}, "8 plus 1 is", " 10"),
        ({"nearest": "size"}, "9 plus 9 is", " 10"),
        ({"nearest": "kind"}, "8 plus 1 is", " 11"),
        ({"nearest": "size"}, "a prompt of no row", ""),
        ({"column": "size"}, "8 plus 1 is", " 8"),
        ({"column": "kind"}, "a prompt of no row", ""),
        (lambda prompt, seen: f" {len(seen)}", "8 plus 1 is", " 3"),
    ],
)
def test_a_shortcut_answers_as_it_was_declared(spec: Any, prompt: str, answer: str) -> None:
    assert shortcut(spec)(prompt, SEEN) == answer


def test_a_word_has_a_blank_where_the_completions_have_one() -> None:
    bare = [Example(prompt="red apple", completion="apple"), Example(prompt="green pear", completion="pear")]
    assert shortcut({"word": -1}, bare)("red apple", []) == "apple"


def test_rule_and_shortcut_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "sums.py"
    file.write_text(
        "def rule(prompt):\n    a, _, b, _ = prompt.split()\n    return f' {int(a) + int(b)}'\n"
        "def first(prompt, seen):\n    return ' ' + prompt.split()[0]\n"
    )
    task = task_from_rows(
        ROWS, split="random(share=0.4)", rule=f"{file}:rule", shortcuts={"first": f"{file}:first", "end": {"word": -1}}
    )
    assert task.rule_known
    assert all(task.rule(row.prompt) == row.completion for row in ROWS)
    assert task.shortcuts["first"]("8 plus 1 is", SEEN) == " 8"


def test_a_task_of_the_registry_takes_further_shortcuts() -> None:
    task = with_shortcuts(make_task("parity", examples=40), {"yes": {"constant": " odd"}, "bit": {"column": "ones"}})
    example = task.examples[0]
    assert task.shortcuts["yes"](example.prompt, task.seen) == " odd"
    assert task.shortcuts["bit"](example.prompt, task.seen) == f" {example.tags['ones']}"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"wrd": 1}, "unknown kind of the shortcut 'mine' 'wrd'; did you mean 'word'"),
        ({}, "unknown kind of the shortcut 'mine' ''"),
        ({"word": 1, "templat": " x"}, "unknown key of the shortcut 'mine' 'templat'"),
        ({"regex": "a"}, "the shortcut 'mine' of the kind 'regex' needs template"),
        ({"regex": "(", "template": " a"}, "regex is '\\(', which is no regular expression"),
        ({"regex": "(a)", "template": r" \2"}, "the expression has 1 groups"),
        ({"regex": "(a)", "template": r" \g<2>"}, "which cannot be filled: invalid group reference"),
        ({"regex": "(?P<a>a)", "template": r" \g<b>"}, "which cannot be filled: unknown group name 'b'"),
        ({"regex": "(a)", "template": r" \q"}, "which cannot be filled: bad escape"),
        ({"word": 0}, "the shortcut 'mine': word is 0; give the place of a word"),
        ({"word": True}, "word is True; give the place"),
        ({"constant": 3}, "constant is 3; give a text"),
        ({"nearest": "length"}, "nearest is 'length', and 5 of 5 rows have no such column, row 1 the first; columns: "),
        ({"column": "size2"}, "columns: 'kind', 'size'"),
        ("nowhere.py:rule", "nowhere.py does not exist; give the file that holds the shortcut 'mine'"),
        ("rule", "is not MODULE:FUNCTION or FILE.py:FUNCTION"),
    ],
)
def test_a_shortcut_that_cannot_be_made_is_named(spec: Any, message: str) -> None:
    with pytest.raises((UsageError, UnknownNameError), match=message):
        shortcut(spec)


def test_a_name_that_is_taken_is_refused() -> None:
    for reserved in ("rule", "noise"):
        with pytest.raises(UsageError, match=f"a shortcut cannot be called '{reserved}', which is no shortcut"):
            with_shortcuts(make_task("copy"), {reserved: {"word": -1}})
    with pytest.raises(UsageError, match="has a shortcut 'look-up' already; give yours another name"):
        task_from_rows(ROWS, split="random(share=0.4)", shortcuts={"look-up": {"word": 1}})


def test_a_file_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("def rule(prompt:\n")
    with pytest.raises(UsageError, match=r"broken.py cannot be imported for the rule: SyntaxError: "):
        task_from_rows(ROWS, split="random(share=0.4)", rule=f"{file}:rule")


def test_every_kind_says_what_it_does() -> None:
    assert set(declared_kinds()) == {"constant", "word", "regex", "nearest", "column"}
    assert all(text.endswith(".") for text in declared_kinds().values())
