"""The cells of a watch: words of up to six levels at 2, 4, 8 and 16 levels, 64 words a cell at most."""

from __future__ import annotations

import numpy as np

MOST_BITS = 6
"""A cell has at most 2^6 words."""
DIGITS = 4
"""The finest levels are 2^4 = 16."""

CELLS = tuple(
    (bits, length) for bits in range(1, DIGITS + 1) for length in range(1, MOST_BITS + 1) if bits * length <= MOST_BITS
)
"""Binary digits of a level, and length of a word."""

BITS = np.array([bits for bits, _ in CELLS])
LENGTHS = np.array([length for _, length in CELLS])

_PRIOR = 1.0 / (BITS * (BITS + 1) * LENGTHS * (LENGTHS + 1))
WEIGHTS = _PRIOR / _PRIOR.sum()
"""The summable weights w_m w_l = 1 / (m (m + 1) l (l + 1)) of the distributional distance, made to add up to 1."""
