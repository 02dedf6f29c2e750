"""Whether a text meets a constraint. A new check is one subclass with a name.

phi-1 (Gunasekar et al. 2023, arXiv:2306.11644, section 2) constrains the topic and the audience of textbooks and the
function name of exercises; TinyStories (Eldan and Li 2023, arXiv:2305.07759, section 2) the words of a story. Neither
reports how often the constraints were met.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from abc import ABC, abstractmethod
from typing import ClassVar

from shoal.curation.document import DocumentText
from shoal.curation.filters.readability import FleschKincaidGrade
from shoal.errors import UnknownNameError, UsageError
from shoal.text import COMBINING_MARKS, stem_all

_WORD = re.compile(rf"\w[\w{COMBINING_MARKS}]*")
_GRADES = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-|to|–)\s*(\d+(?:\.\d+)?)")  # noqa: RUF001
_SMALL = frozenset({"a", "an", "and", "for", "in", "of", "on", "or", "the", "to", "with"})


def _words(text: str) -> list[str]:
    """The words in lower case, their accents in one form of Unicode."""
    return _WORD.findall(unicodedata.normalize("NFC", text.lower()))


class ConstraintCheck(ABC):
    """Decides whether a text meets a constraint."""

    name: ClassVar[str]

    def check_value(self, value: str) -> None:  # noqa: B027 - most checks read any value
        """Raise a UsageError for a value that this check cannot read.

        Args:
            value: of the constraint.
        """

    @abstractmethod
    def is_met(self, text: str, value: str) -> bool:
        """Whether a text meets the constraint.

        Args:
            text: what was written.
            value: of the constraint.
        """


class MentionCheck(ConstraintCheck):
    """Every word of the value occurs in a form with its stem: "falling stars" in "a star falls"; articles aside.

    Irregular forms (leaf and leaves) have different stems and are not found.
    """

    name = "mention"

    def check_value(self, value: str) -> None:
        """Raise a UsageError for a value without a word to look for, which every text would meet."""
        if not self._wanted(value):
            raise UsageError(f"the constraint {value!r} has no word to look for besides articles; give one that has")

    def is_met(self, text: str, value: str) -> bool:
        """Whether every stem of the value is one of the text."""
        return set(stem_all(self._wanted(value))) <= set(stem_all(_words(text)))

    def _wanted(self, value: str) -> list[str]:
        return [word for word in _words(value) if word not in _SMALL]


class FunctionCheck(ConstraintCheck):
    """The text is Python code that defines a function of this name."""

    name = "function"

    def check_value(self, value: str) -> None:
        """Raise a UsageError for what is no name of a function."""
        if not value.isidentifier() or keyword.iskeyword(value):
            raise UsageError(f"the constraint {value!r} is no name of a Python function")

    def is_met(self, text: str, value: str) -> bool:
        """Whether the text can be parsed and has such a function."""
        try:
            # Parsed and never run: the text comes from a model. Deep nesting makes the parser itself fail.
            nodes = list(ast.walk(ast.parse(text)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == value for node in nodes)


class GradeCheck(ConstraintCheck):
    """The text can be read in the school grades of the value, such as "3-5", by the formula of Flesch and Kincaid."""

    name = "grade"

    def check_value(self, value: str) -> None:
        """Raise a UsageError for what is no range of grades."""
        self._range(value)

    def is_met(self, text: str, value: str) -> bool:
        """Whether the grade, rounded, lies in the range; a text without words has none."""
        low, high = self._range(value)
        document = DocumentText(text)
        return bool(document.reading_sizes.words) and low <= round(FleschKincaidGrade().score(document)) <= high

    def _range(self, value: str) -> tuple[float, float]:
        match = _GRADES.search(value)
        if match is None or float(match[1]) > float(match[2]):
            raise UsageError(f"the constraint {value!r} names no range of grades; write it as 3-5")
        return float(match[1]), float(match[2])


class NoCheck(ConstraintCheck):
    """Nothing is checked: the constraint counts as met, and the report marks it as not checked."""

    name = "none"

    def is_met(self, text: str, value: str) -> bool:  # noqa: ARG002
        """True."""
        return True


def find_check(name: str) -> ConstraintCheck:
    """The check of this name.

    Raises:
        UnknownNameError: there is none.
    """
    known = {kind.name: kind for kind in ConstraintCheck.__subclasses__()}
    if name not in known:
        raise UnknownNameError("check of a constraint", name, known)
    return known[name]()
