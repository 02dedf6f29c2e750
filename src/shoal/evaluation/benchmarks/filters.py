"""Filters of generated text, with the names and the meaning of lm-evaluation-harness 0.4.13.

A filter takes all responses of all documents and the documents, and gives what is left of them; a chain of filters ends
with one value per document. Each registers itself by its name.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.errors import DataError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Responses = Any
"""Of one document: a list of texts at first, one text at the end."""


class ResponseFilter(ABC):
    """One step of a chain."""

    known: ClassVar[dict[str, type[ResponseFilter]]] = {}
    name: ClassVar[str]
    columns: ClassVar[tuple[str, ...]] = ()
    """What it reads of a document."""

    def __init_subclass__(cls) -> None:
        if "name" in cls.__dict__:
            ResponseFilter.known[cls.name] = cls

    @abstractmethod
    def apply(self, responses: Responses, document: Mapping[str, Any]) -> Responses:
        """What is left of the responses to one document.

        Args:
            responses: texts, or what the filter before gave.
            document: its columns.
        """


@dataclass(frozen=True, slots=True)
class FilterChain:
    """Filters that are applied one after the other, under one name."""

    name: str
    filters: tuple[ResponseFilter, ...]
    stated: str = ""
    """The entry of the task file that they were made from, as JSON."""

    def apply(self, responses: Sequence[str], document: Mapping[str, Any]) -> Any:
        """What is left of the responses to one document.

        Args:
            responses: one text per repetition.
            document: its columns.
        """
        left: Any = list(responses)
        for step in self.filters:
            left = step.apply(left, document)
        return left


def make_chain(name: str, steps: Any, where: str) -> FilterChain:
    """A chain from its entry in a task file.

    Args:
        name: of the chain.
        steps: mappings with ``function`` and its settings.
        where: the task, for messages.

    Raises:
        UnknownNameError: a filter is unknown.
        UsageError: a filter does not take a setting, or a regular expression is broken.
    """
    if not isinstance(steps, list) or not all(isinstance(step, dict) and "function" in step for step in steps):
        raise DataError(f"the filter {name!r} of {where} must be a list of mappings with function")
    stated = json.dumps(steps, sort_keys=True, default=str)
    return FilterChain(name, tuple(_make_filter(step, where) for step in steps), stated)


def _make_filter(step: Mapping[str, Any], where: str) -> ResponseFilter:
    function = str(step["function"])
    if function not in ResponseFilter.known:
        raise UnknownNameError(f"filter of {where}", function, ResponseFilter.known)
    settings = {key: value for key, value in step.items() if key != "function"}
    try:
        return ResponseFilter.known[function](**settings)
    except (TypeError, re.error) as error:
        raise UsageError(f"the filter {function} of {where} cannot be made with {settings}: {error}") from error


class TakeFirst(ResponseFilter):
    """The first response."""

    name = "take_first"

    def apply(self, responses: Responses, document: Mapping[str, Any]) -> Responses:  # noqa: ARG002
        """See `ResponseFilter.apply`."""
        return responses[0]


class TakeFirstK(ResponseFilter):
    """The first k responses."""

    name = "take_first_k"

    def __init__(self, k: int) -> None:
        if not _is_whole(k) or k < 1:
            raise TypeError("k is no whole number of 1 or more")
        self._count = k

    def apply(self, responses: Responses, document: Mapping[str, Any]) -> Responses:  # noqa: ARG002
        """See `ResponseFilter.apply`."""
        if len(responses) < self._count:
            raise DataError(f"take_first_k takes {self._count} responses and there are {len(responses)}; raise repeats")
        return responses[: self._count]


class MajorityVote(ResponseFilter):
    """The response that occurs most often, the first of those that do."""

    name = "majority_vote"

    def apply(self, responses: Responses, document: Mapping[str, Any]) -> Responses:  # noqa: ARG002
        """See `ResponseFilter.apply`."""
        return [Counter(responses).most_common(1)[0][0]]


class _EachResponse(ResponseFilter):
    """A filter that changes each response by itself."""

    def apply(self, responses: Responses, document: Mapping[str, Any]) -> Responses:  # noqa: ARG002
        """See `ResponseFilter.apply`."""
        # A filter behind take_first meets one text; lm-evaluation-harness then goes through its characters.
        return [self.change(response) for response in responses]

    @abstractmethod
    def change(self, response: Any) -> Any:
        """What becomes of one response."""


class _EachText(_EachResponse):
    """A filter that changes each response by itself, where all are texts."""

    def change(self, response: Any) -> Any:
        """See `_EachResponse.change`."""
        if not isinstance(response, str):
            raise DataError(
                f"the filter {self.name} is given {response!r}, which is no text; let the filter before it give texts "
                "(the default_value of map)"
            )
        return self.change_text(response)

    @abstractmethod
    def change_text(self, text: str) -> str:
        """What becomes of one text."""


class RemoveWhitespace(_EachText):
    """Without white space at either end."""

    name = "remove_whitespace"

    def change_text(self, text: str) -> str:
        """See `_EachText.change_text`."""
        return text.strip()


class Lowercase(_EachText):
    """In lower case."""

    name = "lowercase"

    def change_text(self, text: str) -> str:
        """See `_EachText.change_text`."""
        return text.lower()


class Uppercase(_EachText):
    """In upper case."""

    name = "uppercase"

    def change_text(self, text: str) -> str:
        """See `_EachText.change_text`."""
        return text.upper()


class MapResponse(_EachResponse):
    """What a table gives for the response."""

    name = "map"

    def __init__(self, mapping_dict: Mapping[Any, Any] | None = None, default_value: Any = None) -> None:
        if mapping_dict is not None and not isinstance(mapping_dict, dict):
            raise TypeError("mapping_dict is no mapping")
        self._table = dict(mapping_dict or {})
        self._default = default_value

    def change(self, response: Any) -> Any:
        """See `_EachResponse.change`."""
        return self._table.get(response, self._default)


class RegexFilter(_EachResponse):
    """What a regular expression finds in the response, or a fallback."""

    name = "regex"

    def __init__(
        self,
        regex_pattern: str = r"#### (\-?[0-9\.\,]+)",
        group_select: int = 0,
        fallback: str = "[invalid]",
    ) -> None:
        if not _is_whole(group_select):
            raise TypeError("group_select is no whole number")
        self._regex = re.compile(regex_pattern)
        self._select = group_select
        self._fallback = fallback

    def change(self, response: Any) -> Any:
        """See `_EachResponse.change`."""
        found = self._regex.findall(response if isinstance(response, str) else "")
        if not found:
            return self._fallback
        match = _nth(found, self._select)
        if isinstance(match, tuple):  # of several groups, the first that is not empty
            match = next((part for part in match if part), self._fallback)
        return match.strip() if isinstance(match, str) else match


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _nth(found: Sequence[Any], select: int) -> Any:
    if not -len(found) <= select < len(found):
        raise DataError(f"group_select is {select} and the regular expression matched {len(found)} times")
    return found[select]


class MultiChoiceRegex(RegexFilter):
    """The letter of the answer: by a regular expression, by the text of a choice, or by a letter behind a colon."""

    name = "multi_choice_regex"
    columns = ("choices",)

    def __init__(
        self,
        regex_pattern: str = r"#### (\-?[0-9\.\,]+)",
        group_select: int = 0,
        fallback: str = "[invalid]",
        ignore_case: bool = False,
        ignore_punctuation: bool = False,
        regexes_to_ignore: list[str] | None = None,
    ) -> None:
        super().__init__(regex_pattern, group_select, fallback)
        self._ignore_case = ignore_case
        self._ignore_punctuation = ignore_punctuation
        self._ignored = [re.compile(pattern) for pattern in regexes_to_ignore or []]

    def apply(self, responses: Responses, document: Mapping[str, Any]) -> Responses:
        """See `ResponseFilter.apply`."""
        if not isinstance(document.get("choices"), list):
            raise DataError("the filter multi_choice_regex needs a column choices with a list of texts")
        choices = [self._plain(str(choice).strip()) for choice in document["choices"]]
        letters = [chr(ord("A") + place) for place in range(len(choices))]
        by_text = {choice: f"({letter})" for choice, letter in zip(choices, letters, strict=True)}
        # Longest first, so that a choice that begins another one does not hide it.
        texts = re.compile("|".join(sorted(map(re.escape, choices), key=len, reverse=True)))
        behind_colon = re.compile(rf":[\s]*({'|'.join(letters)})")
        by_letter = {letter: f"({letter})" for letter in letters}
        return [
            self._find(self._regex, response, {})
            or self._find(texts, self._plain(response), by_text)
            or self._find(behind_colon, response, by_letter)
            or self._fallback
            for response in responses
        ]

    def _find(self, regex: re.Pattern[str], response: Any, names: Mapping[str, str]) -> str:
        found = regex.findall(response if isinstance(response, str) else "")
        if not found:
            return ""
        match = _nth(found, self._select)
        if isinstance(match, tuple):
            match = next((part for part in match if part), "")
        match = str(match).strip()
        return names.get(match, match)

    def _plain(self, text: str) -> str:
        for pattern in self._ignored:
            text = pattern.sub("", text)
        if self._ignore_case:
            text = text.lower()
        return text.translate(_punctuation()) if self._ignore_punctuation else text


@cache
def _punctuation() -> dict[int, None]:
    """All marks of Unicode, to be taken out."""
    marks = (place for place in range(sys.maxunicode) if unicodedata.category(chr(place)).startswith("P"))
    return dict.fromkeys(marks)
