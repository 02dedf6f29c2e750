"""A stream with its true places, and how pieces become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Seed = int | np.random.Generator
Setting = TypeVar("Setting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A stream whose changes are known."""

    values: np.ndarray[Any, Any]
    """The stream, of shape (n,): numbers, or integer symbols."""
    places: tuple[int, ...]
    """The index of the first element of each piece after the first one."""
    processes: tuple[int, ...]
    """Which process each piece was drawn from, numbered as they first appear; equal settings are one process."""


def concatenate(
    lengths: Sequence[int],
    settings: Sequence[Setting],
    seed: Seed,
    draw: Callable[[int, Setting, np.random.Generator], np.ndarray[Any, Any]],
) -> Sample:
    """Draw one piece for each length and setting, in order, and join them.

    Args:
        lengths: How long each piece is; at least one, all positive.
        settings: What ``draw`` is given for each piece, one for each length.
        seed: A seed, or the generator to draw from.
        draw: Returns a piece of the length that it is given.

    Raises:
        UsageError: There are no pieces, a length is not positive, or lengths and settings differ in number.
    """
    if not lengths or min(lengths) < 1:
        raise UsageError(f"lengths of pieces must be positive, and there must be one or more; got {tuple(lengths)}")
    if len(lengths) != len(settings):
        raise UsageError(f"{len(lengths)} lengths but {len(settings)} settings were given; give one for each piece")
    generator = np.random.default_rng(seed)
    pieces = [draw(length, setting, generator) for length, setting in zip(lengths, settings, strict=True)]
    distinct = list(dict.fromkeys(map(repr, settings)))
    return Sample(
        values=np.concatenate(pieces),
        places=tuple(int(place) for place in np.cumsum(lengths)[:-1]),
        processes=tuple(distinct.index(repr(setting)) for setting in settings),
    )
