"""Words with their vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class WordVectors:
    """A vector a word."""

    words: tuple[str, ...]
    matrix: npt.NDArray[np.float32]
    """V by D, a row a word."""

    places: dict[str, int] = field(init=False, repr=False)
    """The row of each word."""

    def __post_init__(self) -> None:
        if len(self.words) != len(self.matrix):
            raise DataError(f"{len(self.words)} words need as many vectors, not {len(self.matrix)}")
        if not np.isfinite(self.matrix).all():
            raise DataError("the vectors hold numbers that are not finite; train with a smaller rate")
        object.__setattr__(self, "places", {word: place for place, word in enumerate(self.words)})

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return int(self.matrix.shape[1])

    def unit(self) -> npt.NDArray[np.float32]:
        """The vectors at length 1 (V × D); a vector of zeros stays one."""
        lengths = np.linalg.norm(self.matrix, axis=1, keepdims=True)
        return (self.matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32)
