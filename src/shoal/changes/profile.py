"""The distributional distance between the two sides of every split of a stretch, in one pass over its words.

For a word length m and a split after b steps, L = b - m + 1 words lie before it and R = W - b after it, W of them in
all; words across the split belong to neither. With c and d the counts of a word on both sides,

    sum_w |c_w / L - d_w / R| = 2 / (L R) sum over words with c R > d L of (c R - d L),

since the signed terms sum to zero. Between two events of a word (one of its places enters the left, or leaves the
right) c and d stand still while c R - d L falls in a straight line, so that its positive part is a constant and a slope
over one range of splits. All ranges go into two difference arrays: O(W) and a sort for all splits, in whole numbers
below 2^53, hence exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def split_distances(words: Array, length: int, steps: int) -> Array:
    """sum_w |nu_left - nu_right| for every split of a stretch.

    Args:
        words: The word that starts at each step where a whole one does, of shape (steps - length + 1,).
        length: The length m of the words.
        steps: The length of the stretch.

    Returns:
        Of shape (steps + 1,): at b, the distance between the first b steps and the rest.
    """
    count = len(words)
    before = np.maximum(np.arange(steps + 1) - length + 1, 0)
    after = np.maximum(count - np.arange(steps + 1), 0)
    one_empty: Array = ((before > 0) != (after > 0)).astype(np.float64)
    if count == 0:
        return one_empty
    sums = _positive_parts(words, length, steps)
    pairs = before * after
    return np.asarray(np.where(pairs > 0, 2.0 * sums / np.maximum(pairs, 1), one_empty))


def _positive_parts(words: Array, length: int, steps: int) -> Array:
    """The sum over words of the positive part of c R - d L, for every split."""
    count = len(words)
    order = np.argsort(words, kind="stable")
    total = np.bincount(words)
    # Two events a place s: it leaves the right at b = s + 1 and enters the left at b = s + m.
    word = np.concatenate((words[order], words[order])).astype(np.int64)
    time = np.concatenate((order + 1, order + length))
    enters = np.repeat(np.array([0, 1]), count)
    sorted_by = np.argsort(word * (steps + length + 1) + time, kind="stable")
    word, time, enters = word[sorted_by], time[sorted_by], enters[sorted_by]
    group = np.concatenate(([0], 2 * np.cumsum(total)))[word]
    entered = np.concatenate(([0], np.cumsum(enters)))
    left = entered[1:] - entered[group]
    right = total[word] - (np.arange(len(word)) + 1 - group - left)
    constant, slope = left * count + right * (length - 1), left + right
    until = np.where(np.append(word[1:], -1) == word, np.append(time[1:], 0), steps + 1)
    turns = -(-constant // np.maximum(slope, 1))
    until = np.minimum(np.minimum(until, turns), steps + 1)
    held = (until > time) & (slope > 0)
    return _spread(time[held], until[held], constant[held], steps) - np.arange(steps + 1) * _spread(
        time[held], until[held], slope[held], steps
    )


def _spread(start: Array, end: Array, amount: Array, steps: int) -> Array:
    """At each step, the sum of the amounts whose range ``[start, end)`` holds it."""
    size = steps + 2
    starts = np.bincount(start, weights=amount, minlength=size)
    ends = np.bincount(end, weights=amount, minlength=size)
    return np.cumsum(starts - ends)[: steps + 1]
