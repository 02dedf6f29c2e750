"""What a watch says when a stream has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoal.changes.result import Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One change that a watch has seen."""

    time: int
    """The step at which it was seen, counted from 0 from the start of the stream."""
    place: int
    """About where the new law begins: the start that the evidence favours, on the grid of starts that are kept."""
    evidence: float
    """The logarithm of the evidence, in nats; the watch speaks once it passes the logarithm of the mean run length."""
    what: Moved
    """The word that moved most in the cell that saw it best, in levels of the whitened ranks."""
