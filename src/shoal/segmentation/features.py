"""What a channel makes of sentences: word counts, vectors, likelihoods of classes, or several of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy import sparse

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """One row a sentence; where several parts are given, all are evidence of the same segments."""

    counts: Any = None
    """How often each word is in each sentence: a SciPy sparse or dense array (sentences by words), or None."""

    background: NDArray[np.float64] | None = None
    """The share of each word in the language at large, which the counts are measured against; None where it is not
    known."""

    vectors: NDArray[np.floating] | None = None
    """A vector for each sentence (sentences by dimensions), measured from an origin that says nothing, or None."""

    trust: NDArray[np.floating] | None = None
    """How much of each sentence's vector its segment can explain, within (0, 1]; None for all alike."""

    likelihoods: NDArray[np.floating] | None = None
    """The log-likelihood of each sentence under each class, up to a constant (sentences by classes), or None."""

    placing: Features | None = None
    """What makes no boundary but helps to place those that are made, or None."""

    def rows(self, start: int, stop: int) -> Features:
        """Those of the sentences from start to stop (not included)."""

        def cut(part: Any) -> Any:
            return None if part is None else part[start:stop]

        return Features(
            counts=cut(self.counts),
            background=self.background,
            vectors=cut(self.vectors),
            trust=cut(self.trust),
            likelihoods=cut(self.likelihoods),
            placing=None if self.placing is None else self.placing.rows(start, stop),
        )

    @property
    def parts(self) -> list[Any]:
        """Those that are given."""
        return [part for part in (self.counts, self.vectors, self.likelihoods) if part is not None]

    def __len__(self) -> int:
        return int(self.parts[0].shape[0]) if self.parts else 0


class Channel(Protocol):
    """One way of reading sentences."""

    @property
    def name(self) -> str:
        """What the channel is called."""
        ...

    def features(self, sentences: Sequence[str]) -> Features:
        """One row a sentence, in their order.

        Raises:
            ShoalError: the sentences cannot be read so.
        """
        ...


def check_features(features: Features, sentences: int, channel: str) -> None:
    """Raise where a channel did not give one finite row for each sentence.

    Raises:
        DataError: with what was expected.
    """
    if not features.parts:
        raise DataError(f"the channel {channel!r} gave no counts, vectors or likelihoods; expected at least one")
    for part in features.parts:
        if part.ndim != 2 or part.shape[0] != sentences:
            raise DataError(f"the channel {channel!r} gave an array of shape {part.shape} for {sentences} sentences")
        values = part.data if sparse.issparse(part) else part
        if not np.isfinite(values).all():
            raise DataError(f"the channel {channel!r} gave values that are not finite numbers")
    if features.counts is not None:
        values = features.counts.data if sparse.issparse(features.counts) else features.counts
        if (np.asarray(values) < 0).any():
            raise DataError(f"the channel {channel!r} gave negative counts")
