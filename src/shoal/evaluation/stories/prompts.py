"""Prompts for stories: our own, those of a file, or the beginnings of held-out documents."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.corpora import read_documents
from shoal.corpora.grammar import FEATURES
from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.statistics import even_sample
from shoal.text import sentence_spans
from shoal.textfiles import check_characters, numbered_lines, parse_json, read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

_MIN_WORDS = 15
_MAX_BEGINNING = 4000
"""Characters in which the first sentences are sought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPrompt:
    """What a model is given."""

    text: str
    """As the model reads it: the beginning of a story, or the requirements and ``Story:``."""

    words: tuple[str, ...] = ()
    """Words that the completion must hold, in any form."""

    features: tuple[str, ...] = ()
    """Features that it must have, of `shoal.corpora.grammar.FEATURES`."""

    @property
    def key(self) -> str:
        """A digest of all of it."""
        whole = json.dumps([self.text, self.words, self.features], ensure_ascii=False)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


def default_prompts() -> tuple[StoryPrompt, ...]:
    """Thirty prompts of our own: twenty beginnings, and ten that require words and features."""
    lines = files("shoal.evaluation.stories").joinpath("prompts.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(_of_row(json.loads(line), "prompts.jsonl") for line in lines)


def read_story_prompts(path: str | os.PathLike[str]) -> tuple[StoryPrompt, ...]:
    """The prompts of a file, equal ones once.

    Args:
        path: ``.jsonl`` with a row per prompt (``prompt``, and where wanted the lists ``words`` and ``features``);
            or a text file with a blank line between prompts.

    Raises:
        DataError: the file cannot be read, or holds no prompt.
        UnknownNameError: a feature that is not known.
    """
    path = Path(path)
    text = read_text(path)
    check_characters(text, str(path))
    if path.suffix == ".jsonl":
        lines = [(f"{path}:{number}", line) for number, line in numbered_lines(text)]
        found = [_of_row(parse_json(line, where), where) for where, line in lines]
    else:
        found = [StoryPrompt(text=part.strip()) for part in re.split(r"\n\s*\n", text) if part.strip()]
    return _distinct(found, path)


def read_beginnings(source: str | os.PathLike[str], count: int) -> tuple[StoryPrompt, ...]:
    """The beginnings of documents, spread evenly over a source: whole sentences until there are fifteen words.

    Args:
        source: what `shoal.corpora.read_documents` reads; text that no model was trained on.
        count: how many, at least 1.

    Raises:
        UsageError: the count is below 1.
        DataError: the source holds no document that continues behind its beginning.
    """
    if count < 1:
        raise UsageError(f"{count} beginnings are none; give a count above 0")
    found = [StoryPrompt(text=text) for text in map(_beginning, read_documents(Path(source))) if text]
    return _distinct(even_sample(found, count), source)


def _beginning(document: str) -> str:
    """The first sentences; empty where nothing follows them."""
    document = document.strip()
    for _, end in sentence_spans(document[:_MAX_BEGINNING]):
        # A sentence that ends where the text was cut may go on behind the cut.
        if len(document[:end].split()) >= _MIN_WORDS and end < min(len(document), _MAX_BEGINNING):
            return document[:end]
    return ""


def _of_row(row: Any, where: str) -> StoryPrompt:
    text = row.get("prompt") if isinstance(row, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise DataError(f'{where} is no prompt; expected a row as {{"prompt": "One day,", "words": ["ball"]}}')
    words, features = (row.get(name, []) for name in ("words", "features"))
    for name, value in (("words", words), ("features", features)):
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise DataError(f"{where}: {name} is {value!r}; expected a list of texts")
    for feature in features:
        if feature not in FEATURES:
            raise UnknownNameError("feature", feature, FEATURES)
    return StoryPrompt(text=text, words=tuple(words), features=tuple(features))


def _distinct(prompts: Iterable[StoryPrompt], source: object) -> tuple[StoryPrompt, ...]:
    found = tuple(dict.fromkeys(prompts))
    if not found:
        raise DataError(f"{source} holds no prompt; give at least one beginning of a story")
    return found
