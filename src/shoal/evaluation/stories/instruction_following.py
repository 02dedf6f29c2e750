"""Instruction following by program: does a completion hold the required words and features?

Words are found in any form (plurals, past tenses, stems). Dialogue is found in any text; the other features need the
plot, so they are looked for only where the reader of the story grammar understands the story, which the measure counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.corpora import words_of
from shoal.corpora.grammar import VERBS, find_features, read_events
from shoal.errors import DataError
from shoal.evaluation.stories.measures import StoryMeasure, clustered_mean
from shoal.text import stem_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.evaluation.stories.sampling import Completion


def held_words(text: str, required: Sequence[str]) -> tuple[str, ...]:
    """Those of the required words that a text holds in any form.

    Args:
        text: the completion.
        required: the words.
    """
    words = words_of(text)
    stems = stem_all(words)
    return tuple(word for word in required if VERBS.get(word, word) in words or _stands_in(word, words, stems))


def _stands_in(required: str, words: Sequence[str], stems: Sequence[str]) -> bool:
    """Whether a word, or several in a row (ice cream), stand in a text as they are or by their stems."""
    parts = words_of(required)
    bases, count = stem_all(parts), len(parts)
    return bool(parts) and any(
        words[at : at + count] == parts or stems[at : at + count] == bases for at in range(len(words) - count + 1)
    )


def held_features(text: str, required: Sequence[str]) -> dict[str, bool | None]:
    """For each required feature whether a text has it; None where a program cannot decide.

    Args:
        text: the story.
        required: names of `shoal.corpora.grammar.FEATURES`.
    """
    try:
        found: tuple[str, ...] | None = find_features(text, read_events(text))
    except DataError:
        found = None
    # Speech opens and closes; a single mark is a slip.
    spoken = text.count('"') + text.count("\u201c") + text.count("\u201d") >= 2
    return {name: spoken if name == "dialogue" else None if found is None else name in found for name in required}


def measure_following(completions: Sequence[Completion]) -> list[StoryMeasure]:
    """The share of required words that are there, and of required features, where a program can decide."""
    words = [
        (one.prompt.key, len(held_words(one.text, one.prompt.words)) / len(one.prompt.words))
        for one in completions
        if one.prompt.words
    ]
    features = [
        (one.prompt.key, float(held))
        for one in completions
        for held in held_features(one.text.strip(), one.prompt.features).values()
        if held is not None
    ]
    required = sum(len(one.prompt.features) for one in completions)
    measures = []
    if words:
        note = "required words that a completion holds in any form"
        measures.append(
            clustered_mean(
                "required words",
                [share for _, share in words],
                [key for key, _ in words],
                share=True,
                better="more",
                note=note,
            )
        )
    if features:
        note = f"required features that a completion has; a program can decide {len(features)} of {required}"
        measures.append(
            clustered_mean(
                "required features", [held for _, held in features], [key for key, _ in features], share=True,
                better="more", note=note,
            )
        )  # fmt: skip
    return measures
