"""What gave a change away: the start and the cell of the greatest evidence, and the word that moved most in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.changes.online.cells import CELLS, WEIGHTS
from shoal.changes.result import Moved

if TYPE_CHECKING:
    from shoal.changes.online.evidence import Evidence


def clearest(evidence: Evidence) -> tuple[int, Moved]:
    """The start that the evidence favours, and the word that moved most since then."""
    shares = np.where(evidence.starts[:, None] >= 0, evidence.factors * WEIGHTS * evidence.stands_for[:, None], 0.0)
    slot, cell = (int(place) for place in np.unravel_index(int(shares.argmax()), shares.shape))
    after = evidence.counts[slot, cell].astype(float)
    before = evidence.past[cell] - after
    after_share, before_share = after / max(after.sum(), 1.0), before / max(before.sum(), 1.0)
    smoothed = (before + 0.5) / (before.sum() + 0.5 * len(before))
    gain = np.where(after > 0, after * np.log(np.maximum(after_share, 1e-300) / smoothed), 0.0)
    word = int(gain.argmax())
    bits, length = CELLS[cell]
    return int(evidence.starts[slot]), Moved(
        cell=(1 << bits, length),
        word=_written(word, bits, length),
        before=float(before_share[word]),
        after=float(after_share[word]),
    )


def _written(word: int, bits: int, length: int) -> str:
    """A word in levels from 1, the lowest: ``level 4 of 4, then level 1 of 4``."""
    size = 1 << bits
    levels = [(word >> (bits * (length - 1 - place))) % size + 1 for place in range(length)]
    return ", then ".join(f"level {level} of {size}" for level in levels)
