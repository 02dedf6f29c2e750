"""Shortcuts that any task has: they copy an answer that was seen. A new one is a function and a line in `COPYING`.

A shortcut that copies the answer of the nearest seen example, by whatever distance, is named ``copy-nearest-...``, and
one that copies that of an example with the same something ``copy-same-...``, in the tasks' own files too: by these
names the kind *nearest* is known.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.tasks.task import Example, Shortcut


def look_up(prompt: str, seen: Sequence[Example]) -> str:
    """The completion of the same prompt, if it was seen, else nothing.

    Args:
        prompt: the prompt to complete.
        seen: the examples that may be looked at.
    """
    return next((example.completion for example in seen if example.prompt == prompt), "")


def copy_nearest_length(prompt: str, seen: Sequence[Example]) -> str:
    """The completion of the seen prompt whose length is nearest; of equals, the shorter.

    Args:
        prompt: the prompt to complete.
        seen: the examples that may be looked at; lengths are in characters.
    """
    nearest = min(seen, key=lambda example: (abs(len(example.prompt) - len(prompt)), len(example.prompt)), default=None)
    return nearest.completion if nearest else ""


def copy_nearest_edit(prompt: str, seen: Sequence[Example]) -> str:
    """The completion of the seen prompt with the smallest edit distance in characters; of equals, the first.

    Args:
        prompt: the prompt to complete.
        seen: the examples that may be looked at.
    """
    if not seen:
        return ""
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    _, _, place = process.extractOne(prompt, [example.prompt for example in seen], scorer=Levenshtein.distance)
    return seen[place].completion


def copy_longest(prompt: str, seen: Sequence[Example]) -> str:  # noqa: ARG001
    """The longest completion that was seen, whatever the prompt.

    Args:
        prompt: not used.
        seen: the examples that may be looked at.
    """
    return max((example.completion for example in seen), key=len, default="")


def copy_commonest(prompt: str, seen: Sequence[Example]) -> str:  # noqa: ARG001
    """The completion that was seen most often, whatever the prompt; of equals, the first.

    Args:
        prompt: not used.
        seen: the examples that may be looked at.
    """
    commonest = Counter(example.completion for example in seen).most_common(1)
    return commonest[0][0] if commonest else ""


COPYING: Mapping[str, Shortcut] = {
    "look-up": look_up,
    "copy-nearest-length": copy_nearest_length,
    "copy-nearest-edit": copy_nearest_edit,
    "copy-longest": copy_longest,
    "copy-commonest": copy_commonest,
}
"""The shortcuts of any task, by name."""


def copies_a_neighbour(name: str) -> bool:
    """Whether a shortcut of this name copies the answer of a neighbour in training."""
    return name == "look-up" or name.startswith(("copy-nearest-", "copy-same-"))
