"""The evidence that a stream has changed, step by step: a mixture over cells, words and starts of a new law.

For a start j and a cell, the factor B_j is the product over the steps since j of

    (c_j(w) + k p(w)) / ((c_j(v) + k) p(w)),      p(w) = (N(w) + 1/q) / (N(v) + 1),      k = q/2,

where w is the word that ends at the step, v the word without its last level, q the number of levels, N the counts over
the whole past and c_j those since j: a Dirichlet mixture of laws against the law learned so far, each predicting the
next level from those before it. While nothing changes such a ratio has mean 1 (up to what the past leaves unknown), so
the sum over all starts, of the Shiryaev-Roberts kind and mixed over cells with weights that add up to 1,

    D_t = sum_cells w_cell sum_{j <= t} B_j,

has D_t - t as a martingale, and the mean time to the first D_t >= A is at least A (Pollak 1987; e-detectors: Shin,
Ramdas and Rinaldo 2024). No threshold is simulated. Of all starts a grid is held: after a steps one in every a/8 or so,
each standing for those around it. A step costs O(log n), and so does the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.result import ChangedFeature

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, Any]

MAX_BITS = 6
"""A cell has at most 2^6 words."""
DIGITS = 4
"""The finest levels are 2^4 = 16."""

CELLS = tuple(
    (bits, length) for bits in range(1, DIGITS + 1) for length in range(1, MAX_BITS + 1) if bits * length <= MAX_BITS
)
"""Binary digits of a level, and length of a word."""

BITS = np.array([bits for bits, _ in CELLS])
LENGTHS = np.array([length for _, length in CELLS])

_PRIOR = 1.0 / (BITS * (BITS + 1) * LENGTHS * (LENGTHS + 1))
WEIGHTS = _PRIOR / _PRIOR.sum()
"""The summable weights w_m w_l = 1 / (m (m + 1) l (l + 1)) of the distributional distance, made to add up to 1."""

SPACING = 4
"""Steps from one start to the next: a delay of up to three steps for a quarter of the cost."""
SLOTS = 192
"""Room for starts: eight for each doubling of their age, up to 2^24 steps."""
OLDEST = 19
"""Doublings after which a start is forgotten: it has then read 2^24 steps, up to which its counts are exact. Counts
that stand still would make the new law fit better by every further step."""
_SMALL = 1e-200
_WORDS = 1 << MAX_BITS


@dataclass(slots=True, kw_only=True)
class DetectorState:
    """The whole state of an online detector but its whitening; a few arrays, whatever the length of the stream."""

    past: Array
    """N: counts of words, of shape (cells, words)."""
    past_contexts: Array
    """N of the words without their last level."""
    words: Array
    """The word that each cell has read."""
    starts: Array
    """The step of each start, -1 in a free slot; of shape (SLOTS,)."""
    stands_for: Array
    """How many starts it stands for."""
    factors: Array
    """B, of shape (SLOTS, cells)."""
    counts: Array
    """c: counts of words since each start, of shape (SLOTS, cells, words)."""
    contexts: Array
    """c of the words without their last level."""
    step: int = 0
    """Steps read."""

    @classmethod
    def fresh(cls) -> DetectorState:
        """Nothing read."""
        shape = (len(CELLS), _WORDS)
        return cls(
            past=np.zeros(shape),
            past_contexts=np.zeros(shape),
            words=np.zeros(len(CELLS), dtype=np.int64),
            starts=np.full(SLOTS, -1, dtype=np.int64),
            stands_for=np.zeros(SLOTS),
            factors=np.ones((SLOTS, len(CELLS))),
            # These two are nearly all of the state; in 32 bits counts are exact up to 2^24.
            counts=np.zeros((SLOTS, *shape), dtype=np.float32),
            contexts=np.zeros((SLOTS, *shape), dtype=np.float32),
        )

    def read(self, levels: Array, limit: float) -> tuple[int, float]:
        """Read levels until the evidence passes a limit.

        Args:
            levels: levels from 0 to 15, in order.
            limit: the limit of D; at 0.0 the levels are only learned from.

        Returns:
            How many were read, and D after the last of them.
        """
        arrays = (self.past, self.past_contexts, self.words, self.starts, self.stands_for, self.factors)
        counts = (self.counts, self.contexts)
        done, evidence = _compiled()(levels, self.step, limit, *arrays, *counts, BITS, LENGTHS, WEIGHTS)
        self.step += done
        return done, evidence


@cache
def _compiled() -> Callable[..., tuple[int, float]]:
    """The loop as machine code; compiled once a machine, when it is first needed."""
    from numba import njit

    compiled: Callable[..., tuple[int, float]] = njit(cache=True, nogil=True)(_advance)
    return compiled


def _advance(  # one loop over steps, starts and cells: numba compiles it whole
    levels: Array,
    step: int,
    limit: float,
    past: Array,
    past_contexts: Array,
    words: Array,
    starts: Array,
    stands_for: Array,
    factors: Array,
    counts: Array,
    contexts: Array,
    bits: Array,
    lengths: Array,
    weights: Array,
) -> tuple[int, float]:
    live = np.empty(len(starts), dtype=np.int64)
    total = 0.0
    for done in range(len(levels)):
        now = step + done
        if limit > 0.0 and now % SPACING == 0:
            free = -1
            for slot in range(len(starts)):
                if starts[slot] >= 0:
                    # A start survives each doubling of its age only if its number is divisible by twice as much: of
                    # two that stood for as many steps one is left, and stands for both.
                    age = (now - starts[slot]) // SPACING
                    doublings = 0
                    while age >> (doublings + 3) > 0:
                        doublings += 1
                    if (starts[slot] // SPACING) % (1 << doublings) != 0 or doublings > OLDEST:
                        starts[slot] = -1
                    stands_for[slot] = SPACING << doublings
                if starts[slot] < 0:
                    free = slot
            starts[free] = now
            stands_for[free] = SPACING
            factors[free] = 1.0
            counts[free] = 0.0
            contexts[free] = 0.0
        alive = 0
        for slot in range(len(starts)):
            if starts[slot] >= 0:
                live[alive] = slot
                alive += 1
        total = 0.0
        for cell in range(len(bits)):
            size = 1 << bits[cell]
            context = words[cell] & ((1 << (bits[cell] * (lengths[cell] - 1))) - 1)
            word = (context << bits[cell]) | (levels[done] >> (DIGITS - bits[cell]))
            words[cell] = word
            if now < lengths[cell] - 1:
                continue
            known = (past[cell, word] + 1.0 / size) / (past_contexts[cell, context] + 1.0)
            mixed = 0.0
            for place in range(alive):
                slot = live[place]
                seen = counts[slot, cell, word] + 0.5 * size * known
                factor = factors[slot, cell] * seen / ((contexts[slot, cell, context] + 0.5 * size) * known)
                # At 0 it would stay 0 whatever follows.
                factors[slot, cell] = max(factor, _SMALL)
                counts[slot, cell, word] += 1.0
                contexts[slot, cell, context] += 1.0
                mixed += stands_for[slot] * factors[slot, cell]
            total += weights[cell] * mixed
            # Counted only now: the factors are a martingale because a step is predicted from those before it alone.
            past[cell, word] += 1.0
            past_contexts[cell, context] += 1.0
        if limit > 0.0 and total >= limit:
            return done + 1, total
    return len(levels), total


def likeliest_start(state: DetectorState) -> tuple[int, ChangedFeature]:
    """The start that the evidence favours, and the word whose share changed most since then."""
    shares = np.where(state.starts[:, None] >= 0, state.factors * WEIGHTS * state.stands_for[:, None], 0.0)
    slot, cell = (int(place) for place in np.unravel_index(int(shares.argmax()), shares.shape))
    after = state.counts[slot, cell].astype(float)
    before = state.past[cell] - after
    after_share, before_share = after / max(after.sum(), 1.0), before / max(before.sum(), 1.0)
    # A word that never stood in the past would have an infinite gain.
    smoothed = (before + 0.5) / (before.sum() + 0.5 * len(before))
    gain = np.where(after > 0, after * np.log(np.maximum(after_share, 1e-300) / smoothed), 0.0)
    word = int(gain.argmax())
    bits, length = CELLS[cell]
    return int(state.starts[slot]), ChangedFeature(
        cell=(1 << bits, length),
        word=_word_text(word, bits, length),
        before=float(before_share[word]),
        after=float(after_share[word]),
    )


def _word_text(word: int, bits: int, length: int) -> str:
    """A word in levels from 1, the lowest: ``level 4 of 4, then level 1 of 4``."""
    size = 1 << bits
    levels = [(word >> (bits * (length - 1 - place))) % size + 1 for place in range(length)]
    return ", then ".join(f"level {level} of {size}" for level in levels)
