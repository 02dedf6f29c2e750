"""What a refusal head reads of an answer: where its cues stand, what follows a refusal, and n-grams of its opening.

N-grams are hashed into buckets (Weinberger et al. 2009, "Feature hashing", ICML, section 2), so that the head ships
with no text of the answers that it learned from.

Shapes: N answers, D cue features, B buckets.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from shoal.safety.answer_text import CODE, PROMPT_WORD
from shoal.safety.cues import CUES, DECLINING, REFUSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.safety.answer_text import AnswerText

# Openings share few phrases; more buckets would hold the same n-grams and make the shipped file larger.
BUCKETS = 2**13
OPENING_SENTENCES = 2
"""Of which n-grams are read: annotators, too, know most from there, and later sentences are the topic's."""

# A refusal decides itself at the beginning, a redirection at the end; the same cue in the middle mostly means neither.
_PLACES = ("first", "second or third", "share", "last two", "any")
_FROM = ("decline", "unable", "forbidden", "impersonal decline", "here is")
_TOKEN = re.compile(r"[a-z']+|\d+\.")
_WHY = re.compile(r"^(?:why|can you explain why|explain why)\b")
_JUSTIFY = re.compile(
    r"\bwhy\b.*\b(?:good|right|best|better|justified|deserved?|should|superior|inferior|weaker|stupid|worse|benefits?)\b"
    r"|\bbenefits of\b|\bwas (?:right|justified)\b|\bprove that\b|\bshow that\b"
)
_HOW = re.compile(r"^(?:how|where|what|which|give|tell|write|describe|can you)\b")
_NAMES = tuple(CUES)


def cue_names() -> tuple[str, ...]:
    """The names of the cue features, in the order of the columns."""
    cues = [f"{cue}, {place}" for cue in _NAMES for place in _PLACES]
    first = [f"{cue}, how early" for cue in _FROM]
    return (
        *cues, *first, "content, share", "content after a refusal, share", "content words after a refusal", "words",
        "sentences", "list items", "code", "words of a refusal", "list items of a refusal", "prompt words, first",
        "prompt words, all", "prompt words in content", "empty", "why", "how", "denies the prompt", "denies why",
        "denies how", "negated otherwise", "denies, equality", "denies, condemned", "denies, not real",
        "why, equality", "why, not real", "why, condemned", "asks to justify", "denies what it should justify",
        "denies a real thing that it should justify", "declines, not real", "declines, real",
    )  # fmt: skip


def cue_features(answers: Sequence[AnswerText]) -> NDArray[np.float64]:
    """The cue features of answers (N × D).

    Args:
        answers: prepared ones.
    """
    rows = [_row(answer) for answer in answers]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(cue_names()))


def opening_counts(answers: Sequence[AnswerText]) -> Any:
    """How often each bucket occurs in the opening of each answer, by n-grams of 1 to 3 words: SciPy CSR (N × B).

    Args:
        answers: prepared ones.
    """
    columns: list[int] = []
    starts = [0]
    for answer in answers:
        # Sentence by sentence is no better: a decline runs over the full stop ("I'm sorry. That's not ...").
        words = _TOKEN.findall(" ".join(answer.sentences[:OPENING_SENTENCES]))
        for size in (1, 2, 3):
            # CRC-32 and not hash(), which differs from process to process.
            columns += [
                zlib.crc32(" ".join(words[start : start + size]).encode()) % BUCKETS
                for start in range(len(words) - size + 1)
            ]
        starts.append(len(columns))
    counts = sparse.csr_array(
        (np.ones(len(columns)), np.array(columns, dtype=np.int64), np.array(starts, dtype=np.int64)),
        shape=(len(answers), BUCKETS),
    )
    counts.sum_duplicates()
    return counts


def _row(answer: AnswerText) -> list[float]:
    sentences = answer.sentences
    found = np.array([[bool(CUES[name].search(one)) for name in _NAMES] for one in sentences], dtype=np.float64)
    if not len(found):
        # An empty answer has one sentence without cues, so that every mean and maximum below is defined.
        found = np.zeros((1, len(_NAMES)))
    words = np.array([len(one.split()) for one in sentences] or [0])
    values: list[float] = []
    for column in found.T:
        values += [column[0], column[1:3].max(initial=0), column.mean(), column[-2:].max(), column.max()]
    values += [_how_early(found[:, _NAMES.index(name)]) for name in _FROM]
    content = _content(found, words, answer)
    return [*values, *content, *_denial(answer, found)]


def _how_early(column: NDArray[np.float64]) -> float:
    """1 in the first sentence, a half in the second, and so on; 0 nowhere."""
    places = np.flatnonzero(column)
    return 1 / (1 + int(places[0])) if len(places) else 0.0


def _content(found: NDArray[np.float64], words: NDArray[np.int64], answer: AnswerText) -> list[float]:
    """What the answer gives, and how much of it after a refusal."""
    places = {name: place for place, name in enumerate(_NAMES)}
    gives = 1 - found[:, [places[name] for name in (*REFUSING, "premise")]].max(axis=1)
    begins = np.flatnonzero(found[:, [places[name] for name in DECLINING]].max(axis=1))
    refused = len(begins) > 0
    after = int(begins[0]) + 1 if refused else 0
    total, items = float(words.sum()), float(found[:, places["list item"]].sum())
    first = answer.sentences[0].split() if answer.sentences else []
    masked = [one.count(PROMPT_WORD) for one in answer.sentences] or [0]
    return [
        gives.mean(),
        gives[after:].mean() if len(gives) > after else 0.0,
        # Lengths in logarithms: from 5 to 50 words an answer changes its kind, from 300 to 345 it does not.
        float(np.log1p((gives[after:] * words[after:]).sum())),
        float(np.log1p(total)),
        float(np.log1p(len(found))),
        float(np.log1p(items)),
        float(CODE in answer.whole),
        # How long an answer goes on counts only where it refused before: that is what makes a refusal partial.
        refused * float(np.log1p(total)),
        refused * float(np.log1p(items)),
        sum(PROMPT_WORD in word for word in first) / max(len(first), 1),
        sum(masked) / max(total, 1),
        float(np.dot(masked, gives)) / max(float(np.dot(words, gives)), 1),
        float(total == 0),
    ]


def _denial(answer: AnswerText, found: NDArray[np.float64]) -> list[float]:
    """Whether the answer contradicts what the prompt takes for granted.

    "Why was X right?" is refused by "X was not right", with no word of declining; but where the premise is nonsense
    rather than harmful, the same form is the true answer.
    """
    places = {name: place for place, name in enumerate(_NAMES)}
    first = answer.sentences[0] if answer.sentences else ""
    why, how = float(bool(_WHY.search(answer.prompt))), float(bool(_HOW.search(answer.prompt)))
    prompt_negations = len(CUES["negation"].findall(answer.prompt))
    negations = len(CUES["negation"].findall(first))
    # Two words of the prompt at least: "I do not know" denies nothing, "X was not right" answers with the prompt's
    # words.
    denies = float(negations not in (0, prompt_negations) and first.count(PROMPT_WORD) >= 2)
    # Bounded, as a long sermon is no stronger a denial than three sentences of it.
    equality = min(float(found[:, places["equality"]].sum()), 3.0)
    condemned, unreal = (float(found[:, places[name]].any()) for name in ("condemn", "not real"))
    justify = float(bool(_JUSTIFY.search(answer.prompt)))
    declines = float(found[:3, places["decline"]].any())
    return [
        why, how, denies, denies * why, denies * how, float((negations > 0) != (prompt_negations > 0)),
        denies * equality, denies * condemned, denies * unreal, why * equality, why * unreal, why * condemned,
        justify, justify * denies, justify * denies * (1 - unreal), declines * unreal, declines * (1 - unreal),
    ]  # fmt: skip
