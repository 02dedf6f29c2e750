"""How often constraints were met, and how evenly what was written covers them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from shoal.curation.constraints.checks import find_check
from shoal.errors import DataError
from shoal.statistics import wilson_interval
from shoal.wording import joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas

    from shoal.curation.constraints.space import ConstraintSpace

# Wilson's interval, since shares near 1 are the usual case, where the normal one leaves the range.
_CONFIDENCE = 0.95
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisCoverage:
    """How the values of one axis were met."""

    name: str
    check: str
    rows: int
    met: int
    """Rows whose text meets their value."""

    low: float
    high: float
    """Wilson's 95% interval of the share that is met."""

    evenness: float
    """Entropy of the values of met rows over its maximum (Pielou 1966): 1 where all are met equally often."""

    missing: tuple[str, ...]
    """Values that no row meets."""

    counts: dict[str, int]
    """Met rows of each value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintCoverage:
    """How often constraints were met, and how evenly they are covered."""

    rows: int
    all_met: int
    """Rows that meet the constraints of all axes."""

    axes: tuple[AxisCoverage, ...]
    pairs: int
    """Pairs of values of two different axes."""

    pairs_covered: int
    """Pairs that at least one row which meets all constraints has."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def to_frame(self) -> pandas.DataFrame:
        """A row per axis and value, with the rows that meet it."""
        import pandas as pd

        rows = [(axis.name, value, count) for axis in self.axes for value, count in axis.counts.items()]
        return pd.DataFrame(rows, columns=["axis", "value", "met"])

    def __str__(self) -> str:
        """A line per axis, and the pairs."""
        lines = [f"{self.all_met:,} of {self.rows:,} texts meet all of their constraints."]
        for axis in self.axes:
            share = f"{axis.met / axis.rows:.1%} [{axis.low:.1%}, {axis.high:.1%}]"
            unchecked = " (not checked)" if axis.check == "none" else ""
            lines.append(f"{axis.name}: met by {share}{unchecked}, evenness {axis.evenness:.3f}")
            if axis.missing:
                more = f" and {len(axis.missing) - _NAMED:,} more" if len(axis.missing) > _NAMED else ""
                lines.append(f"  no text meets {joined(axis.missing[:_NAMED])}{more}")
        if self.pairs:
            lines.append(f"{self.pairs_covered:,} of {self.pairs:,} pairs of values are covered.")
        return "\n".join(lines)


def measure_coverage(
    rows: Sequence[Mapping[str, Any]], space: ConstraintSpace, *, column: str = "text"
) -> ConstraintCoverage:
    """Check texts against the constraints that they were to meet.

    Args:
        rows: each with a text and the value of every axis, as `ConstraintSpace.draw` gives it.
        space: of the constraints.
        column: of the text.

    Raises:
        DataError: there are no rows, or one lacks a text or has a value that its axis lacks.
    """
    if not rows:
        raise DataError("there are no texts to check; give at least one row")
    for place, row in enumerate(rows):
        _check_row(place, row, space, column)
    met = {
        axis.name: [find_check(axis.check).is_met(row[column], row[axis.name]) for row in rows] for axis in space.axes
    }
    whole = [row for row, *fits in zip(rows, *met.values(), strict=True) if all(fits)]
    axes = []
    for axis in space.axes:
        counts = Counter(row[axis.name] for row, fits in zip(rows, met[axis.name], strict=True) if fits)
        interval = wilson_interval(counts.total(), len(rows), confidence=_CONFIDENCE)
        axes.append(
            AxisCoverage(
                name=axis.name,
                check=axis.check,
                rows=len(rows),
                met=counts.total(),
                low=interval.low,
                high=interval.high,
                evenness=_evenness([counts[value] for value in axis.values]),
                missing=tuple(value for value in axis.values if not counts[value]),
                counts={value: counts[value] for value in axis.values},
            )
        )
    pairs = [
        {(one.name, a, other.name, b) for a, b in product(one.values, other.values)}
        for one, other in combinations(space.axes, 2)
    ]
    covered = {
        (one.name, row[one.name], other.name, row[other.name])
        for row in whole
        for one, other in combinations(space.axes, 2)
    }
    return ConstraintCoverage(
        rows=len(rows),
        all_met=len(whole),
        axes=tuple(axes),
        pairs=sum(map(len, pairs)),
        pairs_covered=len(covered),
    )


def _check_row(place: int, row: Mapping[str, Any], space: ConstraintSpace, column: str) -> None:
    if not isinstance(row.get(column), str):
        raise DataError(f"row {place} has no text in {column!r}; it has {', '.join(map(str, row))}")
    for axis in space.axes:
        if row.get(axis.name) not in axis.values:
            raise DataError(
                f"row {place} has {axis.name} {row.get(axis.name)!r}, which is none of its {len(axis.values)} values; "
                "give the constraints that the texts were written under"
            )


def _evenness(counts: Sequence[int]) -> float:
    """Entropy over its maximum; 1 where there is one value alone, 0 where none is met."""
    total = sum(counts)
    if not total:
        return 0.0
    if len(counts) == 1:
        return 1.0
    entropy = -sum(count / total * math.log(count / total) for count in counts if count)
    return entropy / math.log(len(counts))
