"""Measures of answers that several tasks share; each is the same object wherever it is used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shoal.tasks.task import TaskMeasure

if TYPE_CHECKING:
    from shoal.tasks.task import Example


def _last_digit(example: Example, answer: str) -> float:
    # A slice, since an empty answer has no last character.
    return float(answer.strip()[-1:] == example.completion.strip()[-1:])


def _digit_count(example: Example, answer: str) -> float:
    return float(answer.strip().isdecimal() and len(answer.strip()) == len(example.completion.strip()))


LAST_DIGIT = TaskMeasure(
    label="last digit",
    meaning="share of items whose answer ends in the right digit",
    binary=True,
    of_answer=_last_digit,
)
DIGIT_COUNT = TaskMeasure(
    label="number of digits",
    meaning="share of items whose answer is a number of as many digits as the right one",
    of_answer=_digit_count,
)
NUMBER_MEASURES = {"last_digit": LAST_DIGIT, "digit_count": DIGIT_COUNT}
"""Of tasks whose answer is a number."""


def _item_count(example: Example, answer: str) -> float:
    return float(len(answer.split()) == len(example.completion.split()))


def _same_items(example: Example, answer: str) -> float:
    return float(sorted(answer.split()) == sorted(example.completion.split()))


def _places(example: Example, answer: str) -> float:
    right, given = example.completion.split(), answer.split()
    # A list that is too long has places too: those behind the end are wrong.
    return sum(a == b for a, b in zip(right, given, strict=False)) / max(len(right), len(given))


LIST_MEASURES = {
    "item_count": TaskMeasure(
        label="number of items",
        meaning="share of answers that have as many items as the right one",
        binary=True,
        of_answer=_item_count,
    ),
    "same_items": TaskMeasure(
        label="same items",
        meaning="share of answers that have the right items, each as often as it should be, in any order",
        binary=True,
        of_answer=_same_items,
    ),
    "places": TaskMeasure(
        label="places",
        meaning="share of the places of a list that hold the right item, averaged over items",
        axis="share of places",
        of_answer=_places,
    ),
}
"""Of tasks whose answer is a list of items with blanks between them."""


def _in_the_prompt(example: Example, answer: str) -> float:
    # The first word is the verb of the task, and no item; commas may stand between items, as `read_items` reads them.
    return float(answer.strip() in example.prompt.rstrip(":").replace(",", " ").split()[1:])


PROMPT_MEASURES = {
    "in_the_prompt": TaskMeasure(
        label="item of the prompt",
        meaning="share of answers that are an item of the prompt, right or wrong",
        binary=True,
        of_answer=_in_the_prompt,
    )
}
"""Of tasks whose answer is one of the items of the prompt."""


def label_measures(*labels: str) -> dict[str, TaskMeasure]:
    """The measure of tasks whose answer is one of a few words: whether it is one of them at all.

    Args:
        labels: the words.
    """
    listed = ", ".join(labels[:-1]) + f" or {labels[-1]}"
    return {
        f"is_{'_or_'.join(labels)}": TaskMeasure(
            label=f"is {listed}",
            meaning=f"share of answers that are {listed}, right or wrong",
            binary=True,
            of_answer=lambda example, answer: float(answer.strip() in labels),  # noqa: ARG005
        )
    }


def _offered(example: Example, answer: str) -> float:
    offered = example.prompt.partition("?")[0].replace(" or ", ", ").split(", ")
    return float(answer.strip() in offered)


def _in_prompt(example: Example, answer: str) -> float:
    # The last word alone: articles and looks may differ from those in the text.
    words = answer.split()
    return float(bool(words) and re.search(rf"\b{re.escape(words[-1])}\b", example.prompt) is not None)


CHOICE_MEASURES = {
    "is_offered": TaskMeasure(
        label="an offered word",
        meaning="share of answers that are one of the words offered before the question mark, right or wrong",
        of_answer=_offered,
    ),
}
"""Of tasks whose prompts begin with a choice: ``is or are?``."""

TEXT_MEASURES = {
    "in_the_text": TaskMeasure(
        label="in the text",
        meaning="share of answers whose last word stands in the prompt, right or wrong",
        of_answer=_in_prompt,
    ),
}
"""Of tasks whose answer is part of a text in the prompt."""
