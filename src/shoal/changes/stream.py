"""A validated stream of numbers or symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.conversion import dense_ranks, distances_from_first

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A validated stream: numbers or symbols, never both."""

    values: Array | None = None
    """Numbers, float64 of shape (n, d), NaN where a value is missing; None for symbols."""
    exact: tuple[Array | None, ...] = ()
    """For each coordinate its numbers as they came, of shape (n,), where float64 would make different ones equal."""
    symbols: Array | None = None
    """Codes 0..k-1 of symbols, int64 of shape (n,); None for numbers."""
    alphabet: tuple[str, ...] = ()
    """How the symbol of each code is written."""
    index: Array | None = None
    """Labels of the n steps in order, such as dates; None where steps are counted from 0."""
    names: tuple[str, ...] = ()
    """The name of each coordinate."""

    @property
    def length(self) -> int:
        """The number n of steps."""
        held = self.values if self.symbols is None else self.symbols
        return 0 if held is None else len(held)

    @property
    def compared(self) -> Array:
        """Numbers of shape (n, d) in the order of the values, also where float64 does not distinguish them."""
        return self._with_exact(dense_ranks)

    @property
    def from_first(self) -> Array:
        """Numbers of shape (n, d), those that float64 makes equal as their distance from the first known one."""
        return self._with_exact(distances_from_first)

    def _with_exact(self, coded: Callable[[Array], Array]) -> Array:
        """The values, those columns that are stored exactly coded as floats."""
        assert self.values is not None
        if not self.exact:
            return self.values
        pairs = zip(self.values.T, self.exact, strict=True)
        return np.column_stack([floats if exact is None else coded(exact) for floats, exact in pairs])


def joined(columns: Sequence[Stream], names: Sequence[str] = ()) -> Stream:
    """Streams of numbers, all of one length, as the coordinates of one stream.

    Args:
        columns: the streams.
        names: a name for each coordinate.
    """
    values = np.hstack([column.values for column in columns if column.values is not None])
    return Stream(
        values=values, exact=exact_if_any([one for each in columns for one in _exact_columns(each)]), names=tuple(names)
    )


def appended(first: Stream, second: Stream) -> Stream:
    """Two streams of numbers, one after the other.

    Args:
        first: numbers of shape (n, d).
        second: numbers of shape (m, d).
    """
    assert first.values is not None
    assert second.values is not None
    exact = [
        None if a is None and b is None else np.concatenate([_objects(u, a), _objects(v, b)])
        for u, a, v, b in zip(
            first.values.T, _exact_columns(first), second.values.T, _exact_columns(second), strict=True
        )
    ]
    return Stream(values=np.concatenate((first.values, second.values)), exact=exact_if_any(exact), names=first.names)


def _objects(floats: Array, exact: Array | None) -> Array:
    """One coordinate as Python numbers, which are compared exactly whatever their types."""
    return (floats if exact is None else exact).astype(object)


def _exact_columns(stream: Stream) -> Sequence[Array | None]:
    """What each coordinate of a stream of numbers has in addition to its floats."""
    assert stream.values is not None
    return stream.exact or [None] * stream.values.shape[1]


def exact_if_any(exact: Sequence[Array | None]) -> tuple[Array | None, ...]:
    """Nothing at all where floats do for every coordinate."""
    return tuple(exact) if any(column is not None for column in exact) else ()
