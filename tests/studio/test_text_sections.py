"""What the playground says of the answers of rule and shortcuts is what exact match says of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from page_reader import PageReader
from shoal.models import LoadedModel, load_model
from shoal.serving import GenerationSettings, generate, make_generation_model
from shoal.studio.pages.text_sections import answers_section
from shoal.tasks import Task, make_task

PROMPT = "One day, Lily saw a big dog. The dog was sad. Lily said to the"


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    """A small model of stories."""
    return load_model("bundled:searches")


@pytest.fixture(scope="module")
def greedy(loaded: LoadedModel) -> str:
    """How it continues the prompt."""
    live = make_generation_model(loaded, rows=1)
    return generate(live, [PROMPT], GenerationSettings(max_tokens=8)).texts[0].text


def told(loaded: LoadedModel, answer: str, *, ends: bool) -> str:
    """What stands in the column of agreement of an answer."""
    addition = make_task("addition", examples=20)
    examples = tuple(replace(example, ends=ends) for example in addition.examples)
    task: Task = replace(addition, examples=examples, shortcuts={"given": lambda _prompt, _seen: answer})
    page = PageReader(str(answers_section(task, PROMPT, loaded).html))
    (row,) = (row for row in page.rows("What the rule and the shortcuts") if row[0] == "given")
    return row[-1]


def test_an_answer_is_the_models_where_its_end_is_too(loaded: LoadedModel, greedy: str) -> None:
    assert told(loaded, greedy, ends=False) == "yes"
    assert told(loaded, greedy, ends=True) == "begins so, and goes on"


def test_another_answer_is_none(loaded: LoadedModel) -> None:
    assert told(loaded, " zebras, quietly", ends=True) == "no"


def test_an_answer_that_cannot_be_scored_says_why(loaded: LoadedModel) -> None:
    assert told(loaded, " word" * 3000, ends=True).startswith("not scored: ")


def test_a_shortcut_that_gives_nothing_does_not_apply(loaded: LoadedModel) -> None:
    html = str(answers_section(replace(make_task("addition", examples=20), shortcuts={}), PROMPT, loaded).html)
    assert "is no prompt of the task" in html
    assert "Model agrees" not in html
