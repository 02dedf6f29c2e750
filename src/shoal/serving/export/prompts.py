"""The prompts on which an export is compared with its source: texts that no model was trained on."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import DataError

if TYPE_CHECKING:
    import os

_SEED = 20_261
"""Of the stories, which no recipe of shoal's trains on."""

_WORDS = 24
"""Of each story that are its prompt."""

_GENERAL = (
    "The capital of France is",
    "def fibonacci(n):\n    if n < 2:\n        return n\n    return",
    "Q: If there are 3 cars and each car has 4 wheels, how many wheels are there?\nA:",
    "count to 7: 1 2 3",
    "Le chat est assis sur le",
    "In 1969, the Apollo 11 mission",
)


def held_out_prompts(count: int) -> tuple[str, ...]:
    """Prompts to compare on: a few of general text, and beginnings of stories that are generated for this.

    Args:
        count: how many.
    """
    from shoal.corpora.grammar import tell_stories

    general = _GENERAL[: count // 2]
    stories = islice(tell_stories(seed=_SEED), count - len(general))
    return (*general, *(" ".join(story.text.split()[:_WORDS]) for story in stories))


def read_prompts(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """The prompts in a file, one per line.

    Raises:
        DataError: the file cannot be read, or holds none.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the prompts of {path} cannot be read: {error}; expected UTF-8, one per line") from error
    found = tuple(line for line in lines if line.strip())
    if not found:
        raise DataError(f"{path} holds no prompts; expected one per line")
    return found
