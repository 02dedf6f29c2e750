"""Splits: which examples are held out. A new split is one subclass of `Splitter` here; its fields are its parameters.

A split is given by name, with its parameters in brackets (``length(share=0.2)``), as a table of an experiment file, or
as an object.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.errors import DataError, UsageError
from shoal.tasks import checks
from shoal.tasks.parts import part_of, rows_by_part
from shoal.tasks.registry import make_by_name
from shoal.tasks.task import Example, Split, Tag

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Splitter(ABC):
    """A named way to split, with its parameters as fields.

    Some splits must see all examples before it is known which are held out (the longest fifth, a seeded share), so
    a splitter is bound to examples by `bind`, which gives the `Split` of them.
    """

    name: ClassVar[str]

    def label(self) -> str:
        """The name with its parameters, as an experiment file may give it: ``length(share=0.3)``."""
        return f"{self.name}({','.join(f'{field.name}={getattr(self, field.name)!r}' for field in fields(self))})"

    def bind(self, examples: Sequence[Example]) -> Split:
        """The split of these examples.

        Raises:
            UsageError: it would hold out none of them or all of them.
            DataError: an example lacks the tag that the split reads.
        """
        holds_out = self._predicate(examples)
        held = sum(map(holds_out, examples))
        if held in (0, len(examples)):
            what = "none" if held == 0 else "all"
            raise UsageError(
                f"the split {self.label()} holds out {what} of the {len(examples)} examples; choose other parameters"
            )
        return Split(name=self.label(), holds_out=holds_out)

    @abstractmethod
    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:
        """True for an example that is held out."""


@dataclass(frozen=True)
class LastDigitSplit(Splitter):
    """Holds out the examples whose index ends in one of the digits: 30 of 1 to 100 with the default."""

    name: ClassVar[str] = "last-digit"

    digits: Sequence[int] = (1, 3, 7)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digits", checks.whole_numbers("digits", self.digits, minimum=0, maximum=9))

    def label(self) -> str:
        """``last-digit(1,3,7)``."""
        return f"{self.name}({','.join(map(str, self.digits))})"

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:  # noqa: ARG002
        digits = frozenset(self.digits)
        return lambda example: _index_of(example) % 10 in digits


@dataclass(frozen=True)
class LengthSplit(Splitter):
    """Holds out the longest completions, in characters: extrapolation, as each is longer than every seen one.

    Completions as long as the longest seen one stay seen, so that less than the share may be held out.
    """

    name: ClassVar[str] = "length"

    share: float = 0.3

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", checks.share("share", self.share, open_ends=True))

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:
        lengths = sorted(len(example.completion) for example in examples)
        seen = len(lengths) - round(self.share * len(lengths))
        if not 0 < seen <= len(lengths):
            raise UsageError(f"the split {self.label()} cannot divide {len(lengths)} examples; choose another share")
        longest_seen = lengths[seen - 1]
        # By length and not by rank: of completions of one length some would be held out and others seen.
        return lambda example: len(example.completion) > longest_seen


@dataclass(frozen=True)
class TokenCycleSplit(Splitter):
    """Holds out the examples whose index has one of the phases modulo the period of the tokens.

    Then stopping at one place within a repeating pattern of tokens is new. GPT-2's tokens hold up to four ones, so the
    period of unary counting is 4 with them.
    """

    name: ClassVar[str] = "token-cycle"

    period: int
    phases: Sequence[int] = (1,)

    def __post_init__(self) -> None:
        checks.whole_number("period", self.period, minimum=2)
        phases = checks.whole_numbers("phases", self.phases, minimum=0, maximum=self.period - 1)
        if len(phases) == self.period:
            raise UsageError(f"phases names all {self.period} phases of the period; leave at least one to be seen")
        object.__setattr__(self, "phases", phases)

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:  # noqa: ARG002
        phases = frozenset(self.phases)
        return lambda example: _index_of(example) % self.period in phases


@dataclass(frozen=True)
class BlockSplit(Splitter):
    """Holds out the examples whose index lies from first to last, both included: a gap to be bridged."""

    name: ClassVar[str] = "block"

    first: int
    last: int

    def __post_init__(self) -> None:
        checks.whole_number("first", self.first, minimum=0)
        checks.whole_number("last", self.last, minimum=0)
        if self.first > self.last:
            raise UsageError(f"the block goes from first={self.first} to last={self.last}; first must not be larger")

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:  # noqa: ARG002
        return lambda example: self.first <= _index_of(example) <= self.last


@dataclass(frozen=True)
class RandomSplit(Splitter):
    """Holds out a share of the groups (of the prompts where there is no tag ``group``), drawn by a seed.

    Each group is drawn by a hash of the seed and its name, so that the order of the rows does not matter and the
    examples of a group, or of one prompt, are always on the same side; groups that share a prompt are one.
    """

    name: ClassVar[str] = "random"

    share: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", checks.share("share", self.share, open_ends=True))
        checks.whole_number("seed", self.seed, minimum=0)

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:
        names = _joined_groups(examples)
        # By group, each once: a large group must not draw the border to its own side.
        draws = sorted({self._draw(name) for name in names.values()})
        held = round(self.share * len(draws))
        if not 0 < held < len(draws):
            raise UsageError(f"the split {self.label()} cannot divide {len(draws)} groups; choose another share")
        last_held = draws[held - 1]

        def holds_out(example: Example) -> bool:
            # Of an example that is none of these the group may be known, or else the prompt.
            group = _group_of(example)
            known = names.get(("group", group)) or names.get(("prompt", example.prompt))
            return self._draw(group if known is None else known) <= last_held

        return holds_out

    def _draw(self, name: str) -> bytes:
        # A hash rather than a random generator: rows that are added later leave the others on their side of a draw.
        return hashlib.blake2b(f"{self.seed}\0{name}".encode(), digest_size=8).digest()


@dataclass(frozen=True)
class TagSplit(Splitter):
    """Holds out by a tag: the examples with the largest values, those from a value on, or those of the values named.

    With the tag ``length`` of a generated task that is extrapolation in the structure of the prompt. Exactly one of
    ``share``, ``at_least`` and ``values`` is given.
    """

    name: ClassVar[str] = "tag"

    tag: str
    share: float | None = None
    """Of the examples, with the largest numbers; those with the same number are on the same side, so that as many are
    held out as come nearest to the share."""

    at_least: float | None = None
    values: Sequence[Tag] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.tag, str) or not self.tag:
            raise UsageError(f"tag is {self.tag!r}; give the name of a tag of the examples")
        given = [key for key in ("share", "at_least", "values") if getattr(self, key) is not None]
        if len(given) != 1:
            raise UsageError(
                f"the split 'tag' was given {' and '.join(given) or 'neither share, at_least nor values'}; give "
                "exactly one of share, at_least and values"
            )
        if self.share is not None:
            object.__setattr__(self, "share", checks.share("share", self.share, open_ends=True))
        if self.at_least is not None and (
            isinstance(self.at_least, bool) or not isinstance(self.at_least, int | float)
        ):
            raise UsageError(f"at_least is {self.at_least!r}; give a number")
        if self.values is not None:
            one = isinstance(self.values, str) or not isinstance(self.values, Sequence)
            object.__setattr__(self, "values", (self.values,) if one else tuple(self.values))

    def label(self) -> str:
        """``tag(tag='length',share=0.3)``: the parameters that were given."""
        given = [
            f"{field.name}={value!r}" for field in fields(self) if (value := getattr(self, field.name)) is not None
        ]
        return f"{self.name}({','.join(given)})"

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:
        if self.values is not None:
            values = self.values
            return lambda example: self._value(example) in values
        limit = self.at_least
        if limit is not None:
            return lambda example: self._number(example) >= limit
        assert self.share is not None
        numbers = sorted(map(self._number, examples))
        wanted = len(numbers) * (1 - self.share)
        # From which value on, so that the share comes out as nearly as the values allow; never from the smallest on.
        starts = [place for place in range(1, len(numbers)) if numbers[place] > numbers[place - 1]]
        start = numbers[min(starts, key=lambda place: abs(place - wanted))] if starts else math.inf
        return lambda example: self._number(example) >= start

    def _value(self, example: Example) -> Tag:
        if self.tag not in example.tags:
            known = ", ".join(map(repr, example.tags)) or "none"
            raise DataError(
                f"the split reads the tag {self.tag!r}, which the example {example.prompt[:40]!r} does not have; its "
                f"tags: {known}"
            )
        return example.tags[self.tag]

    def _number(self, example: Example) -> float:
        value = self._value(example)
        if isinstance(value, str) or not _is_number(value):
            raise DataError(
                f"the split compares the tag {self.tag!r}, and the example {example.prompt[:40]!r} has {value!r} "
                "there; name the held-out values by values=(...), or take a tag of numbers"
            )
        return value


@dataclass(frozen=True)
class PartSplit(Splitter):
    """Holds out the rows that the column ``part`` marks as held out, as ``shoal task --out`` writes it."""

    name: ClassVar[str] = "part"

    def label(self) -> str:
        """``part``."""
        return self.name

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:
        if not rows_by_part(examples):
            raise DataError(
                "the split 'part' reads the column 'part' of the rows, and none of them is seen or held_out there; "
                "add one, or take the split 'random' or 'length'"
            )
        return lambda example: part_of(example) == "held_out"


SplitSpec = str | Mapping[str, Any] | Splitter | Split
"""A split as a person gives it: ``"length(share=0.2)"``, ``{"name": "length", "share": 0.2}``, or one made already."""


def make_split(name: str, **parameters: Any) -> Splitter:
    """The split of this name.

    Args:
        name: ``last-digit``, ``length``, ``token-cycle``, ``block``, ``random``, ``tag`` or ``part``; the parameters
            may stand behind it in brackets: ``last-digit(1,3,7)``, ``block(first=41,last=60)``.
        parameters: the fields of the splitter of that name.

    Raises:
        UnknownNameError: no split or parameter has that name; the nearest one is named.
        UsageError: a parameter is missing or has a value that cannot be used.
    """
    # A subclass is known as soon as it is defined, in a user's own file too.
    known = {kind.name: kind for kind in Splitter.__subclasses__()}
    return make_by_name("split", known, name, parameters, form="length(share=0.3)")


def bind_split(spec: SplitSpec, examples: Sequence[Example]) -> Split:
    """The split of these examples, however it was given.

    Args:
        spec: a name with or without parameters, a table, a `Splitter`, or a `Split`, which is taken as it is.
        examples: what is to be split.

    Raises:
        UnknownNameError: no split or parameter has that name.
        UsageError: a parameter cannot be used, or the split holds out none of the examples or all of them.
    """
    if isinstance(spec, Split):
        return spec
    if isinstance(spec, Splitter):
        return spec.bind(examples)
    if isinstance(spec, str):
        return make_split(spec).bind(examples)
    if isinstance(spec, Mapping) and isinstance(spec.get("name"), str):
        return make_split(**spec).bind(examples)
    raise UsageError(f"the split is {spec!r}; give its name, or a table with its name and parameters")


def _group_of(example: Example) -> str:
    """The name of its group: its prompt where it has no tag ``group``."""
    return str(example.tags.get("group", example.prompt))


def _joined_groups(examples: Sequence[Example]) -> dict[tuple[str, str], str]:
    """From each group and each prompt to one name for all groups that share a prompt, the first in the alphabet."""
    joined: dict[str, str] = {}

    def root(name: str) -> str:
        while joined[name] != name:
            joined[name] = name = joined[joined[name]]
        return name

    of_prompt: dict[str, str] = {}
    for example in examples:
        group = _group_of(example)
        joined.setdefault(group, group)
        first, second = sorted((root(group), root(of_prompt.setdefault(example.prompt, group))))
        joined[second] = first
    groups = {("group", name): root(name) for name in joined}
    return groups | {("prompt", prompt): root(group) for prompt, group in of_prompt.items()}


def _is_number(value: object) -> bool:
    """Whether it is a number; true and false are ints in Python, but none to a person."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _index_of(example: Example) -> int:
    """The whole number in the example's tag ``index``."""
    index = example.tags.get("index")
    if isinstance(index, bool) or not isinstance(index, int):
        raise DataError(
            f"the split reads the tag 'index', and the example {example.prompt[:40]!r} has {index!r} there; give each "
            "example a whole number as its index, or use the split 'length' or 'random'"
        )
    return index
