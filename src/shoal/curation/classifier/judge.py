"""A judge of educational value at an OpenAI-compatible endpoint.

The scale is that of FineWeb-Edu (Penedo et al. 2024, arXiv:2406.17557, section 4 and appendix F): 0 to 5 points, one
more for each step from some use to a lesson without fault, for a pupil of primary or middle school. The wording is our
own. Answers are recorded as they come, so that a run that was killed continues.
"""

from __future__ import annotations

import re
from typing import Any

from shoal.corpora.llm import UselessAnswerError
from shoal.evaluation.judging import RecordedJudge, json_objects

LOWEST, HIGHEST = 0, 5

MAX_WORDS = 600
"""Of a document that the judge reads; the value of the beginning stands for the whole."""

_FIRST_WORDS = re.compile(rf"\s*(?:\S+\s*){{0,{MAX_WORDS}}}")
"""Words between white space of any kind: lines of one word each are as many words."""

_RUBRIC = """You judge how much a text from a corpus teaches a pupil of primary or middle school.

<<<
{text}
>>>

Begin with 0 points and add one for each of these that is true; each counts only where those before it are true:
1. It holds some information that a pupil may learn from, even among advertisements or small talk.
2. Parts of it deal with a subject of school, though not in order, or not in depth.
3. It could be used in a lesson: it explains ideas of a subject clearly, though it may be incomplete.
4. It is like a chapter of a textbook: clear, in order, focused, with little that does not belong there.
5. It is outstanding for teaching: thorough, easy to follow, and without anything that distracts.

Answer with one JSON object and nothing else, the sum of points in the place of the angle brackets:
{{"points": <points>}}"""
# The number is no part of the form: a judge that repeats it has not read the text.

ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"points": {"type": "integer", "minimum": LOWEST, "maximum": HIGHEST}},
    "required": ["points"],
    "additionalProperties": False,
}
"""The answer as a JSON schema, for endpoints that constrain a model to one."""


def educational_prompt(text: str) -> str:
    """The prompt about a document. The marks that enclose it are taken out of it, so that it cannot end there.

    Args:
        text: the document, of which the first `MAX_WORDS` words are shown.
    """
    shown = _FIRST_WORDS.match(text.replace("<<<", "").replace(">>>", ""))
    return _RUBRIC.format(text=shown[0].strip() if shown else "")


def read_score(answer: str) -> int:
    """The points in an answer: those of the last JSON object that has them, whatever stands around it.

    Raises:
        UselessAnswerError: there are none, or they are not 0 to 5.
    """
    # From the end: models that reason write drafts of the object before the one that they mean.
    for found in reversed(list(json_objects(answer))):
        points = found.get("points")
        if isinstance(points, str) and points.strip() in {"0", "1", "2", "3", "4", "5"}:
            points = int(points)
        if isinstance(points, int) and not isinstance(points, bool) and LOWEST <= points <= HIGHEST:
            return points
    raise UselessAnswerError(f"no points of {LOWEST} to {HIGHEST} in {' '.join(answer.split())[:60]!r}")


class EducationalJudge(RecordedJudge[str, int]):
    """A model at an endpoint; called with documents, it gives the points of each, or None where none was usable."""

    schema = ANSWER_SCHEMA
    # The object alone takes eight; the rest is room for models that explain themselves first.
    max_answer_tokens = 100
    typical_tokens = 8

    def prompt(self, subject: str) -> str:
        """As `educational_prompt`.

        Args:
            subject: the document.
        """
        return educational_prompt(subject)

    def read(self, answer: str) -> int:
        """As `read_score`.

        Args:
            answer: of the model.

        Raises:
            UselessAnswerError: it holds no points.
        """
        return read_score(answer)

    def fields(self, subject: str) -> dict[str, Any]:
        """The whole question, of which the document is a part.

        Args:
            subject: the document.
        """
        return {"prompt": educational_prompt(subject)}
