"""The state of a `ShiftDetector`: one array of floats, and what stands where in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, Any]

ORDER = 4
"""Steps back of the autoregression."""

# Places in the array of the state; each is the first of its group.
N, K, T = 0, 1, 2  # values that the noise, and that the baseline, is learned from; values read
LINE = 3  # sums of the local line: weights, places, their squares, values, products
HASTY = 8  # whether the last baseline was left before it had settled
COV, COV_WEIGHT = 10, 15  # discounted sums of products of residuals at lags 0 to ORDER
RESIDUAL, PAST = 16, 20  # the last residuals and values, the newest first
PHI, SD = 24, 29
QUANTILE, EXCESS, EXCESS_COUNT = 30, 31, 32
IN_A_ROW, FLOOR, JUMPED = 33, 34, 35  # large innovations in a row, signed; the level before the last; whether reported
REFERENCE = 36  # level, slope, age and allowance of each of the three
EVIDENCE, START = 48, 60  # R, and where W last was 1: three references by four weights
INNOVATION, PREDICTION, LEVEL, SLOPE = 72, 73, 74, 75
SQUARES = 76  # of the excesses
PART, PART_LENGTH, BLOCK, BLOCK_COUNT, INFLATION = 80, 84, 88, 92, 96  # of the blocks of each weight
PAGE = 100  # W, of the references and weights
MEAN, SHORT = 117, 120  # sums of the two means: weights, values, places
BEGAN, LEFT = 114, 115  # of the last rise or fall: where its evidence began, and the level that was left
SUSPECT = 116  # the largest W of the last step
HELD, PUT, WAITING = 123, 124, 125  # residuals that are not learned from yet; those that were put in the ring
SIZE = 125 + 64

# Numba keeps what it has compiled by the file of the function that is called, and does not see that one which that
# function calls has changed in another file: after a change in one of `shift_*` touch `shift_kernel`, too.
compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def forget_tail(state: Array) -> None:
    """Take the tail of the innovations for that of normal ones, for as long as there are few."""
    state[QUANTILE] = 1.2816
    state[EXCESS], state[SQUARES], state[EXCESS_COUNT] = 0.4733 * 20, 2 * 0.4733**2 * 20, 20.0
