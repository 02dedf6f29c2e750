"""The space of constraints: axes such as topic and audience with their values, from which combinations are drawn."""

from __future__ import annotations

import math
import random
import string
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.curation.constraints.checks import find_check
from shoal.errors import UsageError
from shoal.textfiles import read_text

if TYPE_CHECKING:
    import os

_TRIES = 200
"""Swaps that are tried to make a combination one that was not drawn before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintAxis:
    """One thing that varies."""

    name: str
    values: tuple[str, ...]
    check: str = "mention"
    """How a text is checked: ``mention``, ``function``, ``grade`` or ``none``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintSpace:
    """All combinations of the values of some axes.

    Raises:
        UsageError: there is no axis, one has no values or equal ones, a check cannot read a value, or the template
            has a place for what is no axis.
        UnknownNameError: there is no such check.
    """

    axes: tuple[ConstraintAxis, ...]
    template: str
    """What to write, with the name of each axis in braces: ``Explain {topic} to {audience}.``"""

    def __post_init__(self) -> None:
        names = [axis.name for axis in self.axes]
        if not names or len(set(names)) < len(names):
            raise UsageError(f"the axes are {', '.join(names) or 'none'}; give at least one, each with its own name")
        for axis in self.axes:
            if not axis.values or len(set(axis.values)) < len(axis.values):
                raise UsageError(f"the axis {axis.name} has no values, or equal ones; give each value once")
            for value in axis.values:
                find_check(axis.check).check_value(value)
        try:
            places = {name for _, name, _, _ in string.Formatter().parse(self.template) if name is not None}
        except ValueError as error:
            raise UsageError(f"the template {self.template!r} cannot be read: {error}") from error
        if places != set(names):
            raise UsageError(
                f"the template has places for {', '.join(sorted(places)) or 'nothing'}, the axes are "
                f"{', '.join(names)}; write each axis in braces"
            )
        if "prompt" in names:
            raise UsageError("no axis may be called prompt, which is the column of the filled template; rename it")
        try:
            self.template.format(**{axis.name: axis.values[0] for axis in self.axes})
        except (ValueError, AttributeError, LookupError) as error:
            raise UsageError(f"the template {self.template!r} cannot be filled in with texts: {error}") from error

    @property
    def size(self) -> int:
        """The number of combinations."""
        return math.prod(len(axis.values) for axis in self.axes)

    def draw(self, count: int, *, seed: int = 0) -> list[dict[str, str]]:
        """Draw combinations, each with its ``prompt``; the values of an axis are drawn equally often, up to one.

        No combination is drawn twice before all are drawn, as far as swaps within an axis can arrange it.

        Args:
            count: how many.
            seed: of the drawing.

        Raises:
            UsageError: a count below 1.
        """
        if count < 1:
            raise UsageError(f"the count is {count}; give at least 1")
        generator = random.Random(seed)
        columns = [_balanced(axis.values, count, generator) for axis in self.axes]
        _part_equal_rows(columns, self.size, generator)
        rows = [dict(zip((axis.name for axis in self.axes), row, strict=True)) for row in zip(*columns, strict=True)]
        return [{"prompt": self.template.format(**row), **row} for row in rows]


def load_constraints(path: str | os.PathLike[str]) -> ConstraintSpace:
    """Read a space from a TOML file: ``template``, and for each axis a table ``axes.NAME`` of ``values`` and ``check``.

    Raises:
        UsageError: the file is no TOML, or a key is missing, unknown or of a wrong type.
    """
    try:
        given = tomllib.loads(read_text(Path(path)))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no TOML: {error}") from error
    axes, template = given.get("axes"), given.get("template")
    if not isinstance(axes, dict) or not isinstance(template, str) or set(given) != {"axes", "template"}:
        raise UsageError(f"{path} has the keys {', '.join(given) or 'none'}; expected template and axes.NAME")
    found = []
    for name, table in axes.items():
        fits = isinstance(table, dict) and set(table) <= {"values", "check"} and isinstance(table.get("values"), list)
        if not fits or not all(isinstance(value, str) for value in table["values"]):
            raise UsageError(f"{path}: axes.{name} needs values, a list of texts, and may have check")
        found.append(ConstraintAxis(name=name, values=tuple(table["values"]), check=table.get("check", "mention")))
    return ConstraintSpace(axes=tuple(found), template=template)


def _balanced(values: tuple[str, ...], count: int, generator: random.Random) -> list[str]:
    """Each value ⌊count / values⌋ times or once more, in random order."""
    # The values that come once more are drawn too: the first ones of the list would otherwise be favoured.
    rest = generator.sample(values, count % len(values))
    drawn = [*values] * (count // len(values)) + rest
    generator.shuffle(drawn)
    return drawn


def _part_equal_rows(columns: list[list[str]], size: int, generator: random.Random) -> None:
    """Swap values within axes, which leaves their counts as they are, until no row comes more often than it must."""
    rows = len(columns[0])
    # Rounded up: with more rows than combinations some must repeat.
    most = -(-rows // size)
    counts: dict[tuple[str, ...], int] = {}
    for place in range(rows):
        counts[_row(columns, place)] = counts.get(_row(columns, place), 0) + 1
    for place in range(rows):
        for _ in range(_TRIES):
            if counts[_row(columns, place)] <= most:
                break
            other, column = generator.randrange(rows), generator.choice(columns)
            before = (_row(columns, place), _row(columns, other))
            column[place], column[other] = column[other], column[place]
            after = (_row(columns, place), _row(columns, other))
            for row, change in (*((row, -1) for row in before), *((row, 1) for row in after)):
                counts[row] = counts.get(row, 0) + change
            if any(counts[row] > most for row in after):
                column[place], column[other] = column[other], column[place]
                for row, change in (*((row, -1) for row in after), *((row, 1) for row in before)):
                    counts[row] += change


def _row(columns: list[list[str]], place: int) -> tuple[str, ...]:
    return tuple(column[place] for column in columns)
