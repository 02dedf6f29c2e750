"""The prompts of the task of plot facts: their parts, and which words of a story could answer a question."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from shoal.corpora.grammar import StoryQuestion, ask_questions, entity_words, read_events
from shoal.tasks.catalog.article import article_of
from shoal.tasks.generated import read_prompt

if TYPE_CHECKING:
    from shoal.corpora.grammar import Event

# What the answer to a question is, by how the question begins and what it is about. A question of another form, as
# those about looks and feelings, is not put.
_ANSWERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"Who (?:gave|broke|fixed) ", ("girl", "boy", "pet")),
    (r"Who had the \w+ (?:first|at the end)\?", ("girl", "boy", "pet")),
    (r"What did .+ give to ", ("thing",)),
    (r"What did .+ want\?", ("thing",)),
    (r"What did .+ eat\?", ("food",)),
    (r"Where did .+ (?:find|hide) ", ("spot",)),
    (r"Where did .+ (?:lose the|go) ", ("place",)),
)
NAMES = ("girl", "boy", "pet")


class Mention(NamedTuple):
    """A word of the story that could answer the question."""

    place: int
    """Where it begins, in characters."""

    text: str
    """As an answer."""


class FactPrompt(NamedTuple):
    """What a prompt is made of."""

    story: str
    question: str


def parts_of(prompt: str) -> FactPrompt:
    """The story and the question of a prompt.

    Raises:
        DataError: the prompt is of another form.
    """
    form = "Mia gave Tom the kite. Question: Who gave the kite to Tom? Answer:"
    match = read_prompt(r"(.+[.!?]) Question: ([A-Z].*\?) Answer *:", prompt, form)
    return FactPrompt(match[1], match[2])


def prompt_of(story: str, question: str) -> str:
    """The prompt with this story and question.

    Args:
        story: sentences.
        question: with its question mark.
    """
    return f"{story} Question: {question} Answer:"


def answer_kinds(question: str) -> tuple[str, ...]:
    """The kinds of words that can answer a question; empty for a question that is not put."""
    return next((kinds for pattern, kinds in _ANSWERS if re.match(pattern, question)), ())


@functools.lru_cache(maxsize=4096)
def events_of(story: str) -> tuple[Event, ...]:
    """What happens in a story; it is read once."""
    return read_events(story)


@functools.lru_cache(maxsize=4096)
def questions_of(story: str) -> tuple[StoryQuestion, ...]:
    """The questions that a story answers."""
    return ask_questions(events_of(story))


@functools.cache
def kind_pattern(kinds: tuple[str, ...]) -> re.Pattern[str]:
    """The words of these kinds, the longest first."""
    words = sorted({word for kind in kinds for word in entity_words()[kind]}, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b")


@functools.lru_cache(maxsize=4096)
def mentions_of(prompt: str) -> tuple[Mention, ...]:
    """Every word of the story that could answer the question, in order, written as an answer to it."""
    story, question = parts_of(prompt)
    kinds = answer_kinds(question)
    if "spot" not in kinds:
        story = without_spots(story)
    mentions = ((match, story[: match.start()]) for match in kind_pattern(kinds).finditer(story)) if kinds else ()
    answers = (Mention(match.start(), _as_answer(match[0], before, question, kinds)) for match, before in mentions)
    return tuple(mention for mention in answers if mention.text)


def _as_answer(word: str, before: str, question: str, kinds: tuple[str, ...]) -> str:
    """The word as the answer to the question; empty where the text before it rules that out.

    What somebody wants or eats is new in the story, with an article and a look: "a red kite", "a sweet plum".
    """
    phrase = re.search(r"\ban? [a-z]+ $", before)
    if question.endswith(" eat?"):
        return f"{phrase[0]}{word}" if phrase else ""
    if question.endswith(" want?"):
        return f"{article_of(word)} {word}" if phrase else ""
    return f"the {word}" if "thing" in kinds or "place" in kinds else word


def without_spots(text: str) -> str:
    """The text with blanks for the spots, which hold words of other kinds: "under the bridge"."""
    return kind_pattern(("spot",)).sub(lambda match: " " * len(match[0]), text)
