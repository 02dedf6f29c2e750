"""The word lists of the language tasks: text files of sections beside this module, written for shoal."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@functools.cache
def word_lines(name: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """The lines of a list by section, each as its words.

    Args:
        name: of the list: ``article``, ``nouns``, ``word_classes``.
    """
    sections: dict[str, list[tuple[str, ...]]] = {}
    section = ""
    for line in files(__package__).joinpath("words", f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            sections.setdefault(section, []).append(tuple(line.split()))
    return {title: tuple(lines) for title, lines in sections.items()}


@functools.cache
def words_of_section(name: str, section: str) -> tuple[str, ...]:
    """All words of a section, in order.

    Args:
        name: of the list.
        section: its title.
    """
    return tuple(word for line in word_lines(name)[section] for word in line)
