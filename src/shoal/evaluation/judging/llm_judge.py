"""An LLM judge of stories: the rubric that it is given, what is taken for an answer, and the endpoint that it runs on.

The dimensions are those of TinyStories (Eldan & Li 2023, arXiv:2305.07759, section 4): grammar, creativity, consistency
and instruction-following as marks, and the age that the writer seems to have. The wording is our own. Answers of an
endpoint are recorded as they come, and those of no use are requested again.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.corpora.llm import UselessAnswerError
from shoal.evaluation.judging.recorded import RecordedJudge

if TYPE_CHECKING:
    from collections.abc import Iterator


DIMENSIONS = ("grammar", "creativity", "consistency", "instruction")
"""What gets a mark."""

LOWEST, HIGHEST = 1, 10
# A judge may quote its marks. Not by int(), which also reads 1_0 and the digits of other scripts.
_WRITTEN = {str(mark): mark for mark in range(LOWEST, HIGHEST + 1)}

_AGE = re.compile(r"([A-F])\s*(?:\d.*|[^\w\s].*)?", re.DOTALL)
"""A letter, alone or before its group (``C: 6 to 7``): a word that begins with one (``about 5``) is none."""

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
"""The answer as a JSON schema, for endpoints that constrain a model to one."""

MAX_ANSWER_TOKENS = 200
"""Of an answer: five short entries, and room for a judge that writes a sentence first."""

# About what the JSON object of the rubric takes; only the estimate of the cost depends on it.
TYPICAL_TOKENS = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a judge reads: an instruction and the story that answers it."""

    instruction: str
    """What was requested, or the beginning that was to be continued."""

    story: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A judge's marks of a submission."""

    grammar: int
    creativity: int
    consistency: int
    instruction: int
    age: str
    """A letter of `AGES`."""

    def mark(self, dimension: str) -> int:
        """The mark of a dimension."""
        return int(getattr(self, dimension))


def rubric_prompt(submission: Submission) -> str:
    """The prompt about a submission. The marks that enclose texts are taken out of them, so that none closes it."""
    ages = ", ".join(f"{letter}: {group}" for letter, group in AGES.items())
    instruction, story = (
        text.replace("<<<", "").replace(">>>", "").strip() for text in (submission.instruction, submission.story)
    )
    return _RUBRIC.format(asked=instruction, story=story, ages=ages)


def read_judgement(text: str) -> Judgement:
    """The judgement in an answer: the last JSON object that is one, whatever stands around it.

    Raises:
        UselessAnswerError: there is no such object, a mark is missing or out of its range, or the age is no group.
    """
    fault = "no JSON object"
    # A judge may repeat the form or think in drafts first; its answer comes last.
    for found in reversed(list(json_objects(text))):
        try:
            return _judgement(found)
        except UselessAnswerError as reason:
            fault = str(reason)
    raise UselessAnswerError(f"{fault} in {' '.join(text.split())[:60]!r}")


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects that stand in a text, those inside others left out."""
    decoder, place = json.JSONDecoder(), text.find("{")
    while place >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            if isinstance(found, dict):
                yield found
        place = text.find("{", end)


def _judgement(found: dict[str, Any]) -> Judgement:
    named = {str(name).strip().lower(): value for name, value in found.items()}
    marks = {name: _mark(name, named) for name in DIMENSIONS}
    age = _AGE.fullmatch(str(named.get("age", "")).strip().upper())
    if age is None:
        raise UselessAnswerError(f"age is {named.get('age')!r}, not one of {', '.join(AGES)}")
    return Judgement(age=age[1], **marks)


def _mark(name: str, named: dict[str, Any]) -> int:
    value = named.get(name)
    if isinstance(value, str):
        value = _WRITTEN.get(value.strip(), value)
    # JSON's true would be the number 1; the division also refuses NaN and infinity, which Python's JSON reads.
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise UselessAnswerError(f"{name} is {value!r}, not a whole mark")
    if not LOWEST <= value <= HIGHEST:
        raise UselessAnswerError(f"{name} is {value}, not {LOWEST} to {HIGHEST}")
    return int(value)


class EndpointJudge(RecordedJudge[Submission, Judgement]):
    """A model at an endpoint; called with submissions, it gives a judgement of each, or None where none was usable."""

    schema = ANSWER_SCHEMA
    max_answer_tokens = MAX_ANSWER_TOKENS
    typical_tokens = TYPICAL_TOKENS

    def prompt(self, subject: Submission) -> str:
        """As `rubric_prompt`.

        Args:
            subject: an instruction and the story that answers it.
        """
        return rubric_prompt(subject)

    def read(self, answer: str) -> Judgement:
        """As `read_judgement`.

        Args:
            answer: of the model.

        Raises:
            UselessAnswerError: it holds no judgement.
        """
        return read_judgement(answer)

    def fields(self, subject: Submission) -> dict[str, Any]:
        """The instruction and the story.

        Args:
            subject: an instruction and the story that answers it.
        """
        return {"asked": subject.instruction, "story": subject.story}
