"""An example: a prompt, its completion, and tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Tag = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One row of a task or of a user's own data."""

    prompt: str
    """What the model is given."""

    completion: str
    """What the model should say: text alone, without an end token."""

    ends: bool = True
    """Whether the completion ends there. The end token's id is appended when encoding, never stored as text."""

    tags: Mapping[str, Tag] = field(default_factory=dict)
    """Free labels: ``index`` (the number counted to), ``group`` (a cluster for the statistics), ..."""
