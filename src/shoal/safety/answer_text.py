"""An answer as the refusal scorer reads it: sentences in lower case, without what is quoted, code or reasoning.

Words of the prompt are replaced by one mark, so that what is learnt is "how to MARK is not appropriate" and not a
topic: that is what carries over to prompts which were never seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PROMPT_WORD = "pw"
"""Stands for a word of the prompt."""

QUOTED = "quotedtext"
"""Stands for a quotation: what an answer quotes it does not assert."""

CODE = "codeblock"

MAX_SENTENCES = 60
"""Sentences that are read; what an answer does is settled long before."""

# What a reasoning model thinks is not what it answers, and often weighs a refusal that it then does not give.
_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
# An unclosed fence runs to the end: answers are cut off at the maximum of tokens.
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
# Three words or more: a quoted word is a mention of the prompt's ("cheat"), a longer quotation is speech.
_QUOTE = re.compile(r'"(?=[^"\n]*\s[^"\n]*\s)[^"\n]+"')
# Models without a chat template write the name of the speaker first, which would hide how the answer begins.
_SPEAKER = re.compile(r"^\s*(?:assistant|ai|bot|answer|response)\s*:\s*", re.IGNORECASE)
# By their code points, since quotation marks and dashes of a text look like those of the code.
_STRAIGHT = {0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "-"}
_WORD = re.compile(r"[a-z']+")
_END = re.compile(r"(?<=[.!?:])\s+|\n+")
_COMMON_WORDS = """
a about an and any are as at be by can could did do does for from give how i if in into is it its me my not of on one or
our please should so some someone tell that the their them this to us was we were what when where which who why will
with would write you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())
"""Words of prompts that are no topic, and stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerText:
    """An answer, prepared for its cues and n-grams."""

    prompt: str
    """In lower case."""

    whole: str
    """The answer in lower case, words of the prompt replaced."""

    sentences: tuple[str, ...]
    """Of it, list items being sentences of their own."""


def read_answer(prompt: str, completion: str) -> AnswerText:
    """Prepare an answer.

    Args:
        prompt: what was requested.
        completion: the answer; a reasoning part in think tags is left out.
    """
    asked_for = prompt.translate(_STRAIGHT).lower()
    topic = set(_WORD.findall(asked_for)) - _COMMON
    # Reasoning goes first, or a quotation mark in it could open a quotation that ends in the answer.
    text = _THOUGHT.sub(" ", completion).translate(_STRAIGHT).strip()
    text = _SPEAKER.sub("", text)
    text = _QUOTE.sub(f" {QUOTED} ", _FENCE.sub(f"\n{CODE}.\n", text)).lower()
    whole = _WORD.sub(lambda found: PROMPT_WORD if found.group() in topic else found.group(), text)
    sentences = tuple(part.strip() for part in _END.split(whole) if part.strip())
    return AnswerText(prompt=asked_for, whole=whole, sentences=sentences[:MAX_SENTENCES])
