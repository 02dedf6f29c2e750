"""What a judge of stories is asked, and what is taken for an answer.

The dimensions are those of TinyStories (Eldan & Li 2023, arXiv:2305.07759, section 4): grammar, creativity, consistency
and instruction-following as marks, and the age that the writer seems to have. The wording is our own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.corpora.llm import UselessAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator

DIMENSIONS = ("grammar", "creativity", "consistency", "instruction")
"""What gets a mark."""

LOWEST, HIGHEST = 1, 10
_WRITTEN = {str(mark): mark for mark in range(LOWEST, HIGHEST + 1)}

AGES = {"A": "3 or under", "B": "4 to 5", "C": "6 to 7", "D": "8 to 9", "E": "10 to 12", "F": "13 or older"}
"""Groups of age by letter."""

_RUBRIC = """You mark a short story by a pupil. The pupil was asked for this:

<<<
{asked}
>>>

The pupil wrote:

<<<
{story}
>>>

Give whole marks from 1 (very bad) to 10 (without fault):
- "grammar": are the sentences well formed? Wrong, missing or swapped words and word forms lower it; the plot does not.
- "creativity": does it have ideas of its own, beyond what was asked for?
- "consistency": do names, things and facts stay the same from the first sentence to the last?
- "instruction": does it do what was asked, with every word and feature that was asked for?
Mark each by itself: a fault of one kind must not lower the others.
Also give "age": the letter of the pupil's likely age: {ages}.

Answer with one JSON object and nothing else, your marks and your letter in the places of the angle brackets:
{{"grammar": <mark>, "creativity": <mark>, "consistency": <mark>, "instruction": <mark>, "age": "<letter>"}}"""
# There are no marks in it: a judge that parrots an example would be taken for one that has read the story.

ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "integer", "minimum": LOWEST, "maximum": HIGHEST} for name in DIMENSIONS}
    | {"age": {"type": "string", "enum": list(AGES)}},
    "required": [*DIMENSIONS, "age"],
    "additionalProperties": False,
}
"""The answer as a JSON schema, for endpoints that let a model say nothing else."""

MOST_TOKENS = 200
"""Of an answer: five short entries, and room for a judge that says a sentence first."""

TYPICAL_TOKENS = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a judge reads."""

    asked: str
    """The instruction, or the beginning that was to be gone on with."""

    story: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a judge says of a piece."""

    grammar: int
    creativity: int
    consistency: int
    instruction: int
    age: str
    """A letter of `AGES`."""

    def mark(self, dimension: str) -> int:
        """The mark of a dimension."""
        return int(getattr(self, dimension))


def rubric_prompt(piece: Piece) -> str:
    """The question about a piece. Its own marks of quotation are taken out of the texts."""
    ages = ", ".join(f"{letter}: {group}" for letter, group in AGES.items())
    asked, story = (text.replace("<<<", "").replace(">>>", "").strip() for text in (piece.asked, piece.story))
    return _RUBRIC.format(asked=asked, story=story, ages=ages)


def read_judgement(text: str) -> Judgement:
    """The judgement in an answer: the last JSON object that is one, whatever stands around it.

    Raises:
        UselessAnswerError: there is no such object, a mark is missing or out of its range, or the age is no group.
    """
    fault = "no JSON object"
    for found in reversed(list(_objects(text))):
        try:
            return _judgement(found)
        except UselessAnswerError as reason:
            fault = str(reason)
    raise UselessAnswerError(f"{fault} in {' '.join(text.split())[:60]!r}")


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects that stand in a text, those inside others left out."""
    decoder, place = json.JSONDecoder(), text.find("{")
    while place >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
        except ValueError:
            end = place + 1
        else:
            if isinstance(found, dict):
                yield found
        place = text.find("{", end)


def _judgement(found: dict[str, Any]) -> Judgement:
    named = {str(name).strip().lower(): value for name, value in found.items()}
    marks = {name: _mark(name, named) for name in DIMENSIONS}
    age = str(named.get("age", "")).strip().upper()[:1]
    if age not in AGES:
        raise UselessAnswerError(f"age is {named.get('age')!r}, not one of {', '.join(AGES)}")
    return Judgement(age=age, **marks)


def _mark(name: str, named: dict[str, Any]) -> int:
    value = named.get(name)
    if isinstance(value, str):
        value = _WRITTEN.get(value.strip(), value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise UselessAnswerError(f"{name} is {value!r}, not a whole mark")
    if not LOWEST <= value <= HIGHEST:
        raise UselessAnswerError(f"{name} is {value}, not {LOWEST} to {HIGHEST}")
    return int(value)
