"""How near a segmentation comes to the true one.

Segmentations are given as the lengths of their segments. Pk is Beeferman, Berger and Lafferty (1999), Machine Learning
34, section 6; WindowDiff is Pevzner and Hearst (2002), Computational Linguistics 28; boundary similarity B, with
near misses of one place at half the cost, is Fournier (2013), ACL, equation 7 with n_t = 2.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NEAR_MISS_COST = 0.5


def pk(reference: Sequence[int], hypothesis: Sequence[int], *, window: int | None = None) -> float:
    """The share of pairs of sentences, a window apart, that one joins and the other separates; 0 is best.

    Args:
        reference: the lengths of the true segments.
        hypothesis: the lengths of the segments that were found, of as many sentences in all.
        window: sentences between the two of a pair; by default half the mean length of the true segments, at least 2.

    Raises:
        UsageError: the two are not of as many sentences, a length is below 1, or the window is, or it is as long as
            the text, in which no two sentences are so far apart.
    """
    width = _width(reference, hypothesis, window)
    true, found = _numbers(reference), _numbers(hypothesis)
    wrong = (true[width:] == true[:-width]) != (found[width:] == found[:-width])
    return float(wrong.mean()) if len(wrong) else 0.0


def window_diff(reference: Sequence[int], hypothesis: Sequence[int], *, window: int | None = None) -> float:
    """The share of windows in which the two have different numbers of boundaries; 0 is best.

    Args:
        reference: the lengths of the true segments.
        hypothesis: the lengths of the segments that were found, of as many sentences in all.
        window: how many sentences further the window ends; by default as for `pk`.

    Raises:
        UsageError: as `pk` does.
    """
    width = _width(reference, hypothesis, window)
    true, found = _numbers(reference), _numbers(hypothesis)
    wrong = (true[width:] - true[:-width]) != (found[width:] - found[:-width])
    return float(wrong.mean()) if len(wrong) else 0.0


def boundary_similarity(reference: Sequence[int], hypothesis: Sequence[int]) -> float:
    """How much of the boundaries both have, a near miss by one place counted half; 1 is best.

    Args:
        reference: the lengths of the segments of one segmentation.
        hypothesis: the lengths of the segments of the other, of as many sentences in all; the two may be exchanged.

    Raises:
        UsageError: the two are not of as many sentences, or a length is below 1.
    """
    _check(reference, hypothesis)
    true, found = _places(reference), _places(hypothesis)
    matches = len(true & found)
    lone = sorted(true ^ found)
    near, place = 0, 1
    while place < len(lone):
        pair = lone[place - 1], lone[place]
        is_near = pair[1] - pair[0] == 1 and (pair[0] in true) != (pair[1] in true)
        # From left to right, each place in one pair only: of three places in a row two make a near miss.
        near += is_near
        place += 2 if is_near else 1
    edits = len(lone) - near
    return 1 - (edits - _NEAR_MISS_COST * near) / (matches + edits) if matches + edits else 1.0


def _width(reference: Sequence[int], hypothesis: Sequence[int], window: int | None) -> int:
    _check(reference, hypothesis)
    size = sum(reference)
    if window is None:
        return max(2, round(size / len(reference) / 2))
    # In a text of one sentence there is no pair at any distance.
    if not 1 <= window < max(2, size):
        raise UsageError(f"the window is {window}; expected at least 1 sentence, and fewer than the text's {size}")
    return window


def _check(reference: Sequence[int], hypothesis: Sequence[int]) -> None:
    if min([*reference, *hypothesis], default=0) < 1 or not reference or not hypothesis:
        raise UsageError("a segmentation is given by the lengths of its segments, each at least 1")
    if sum(reference) != sum(hypothesis):
        raise UsageError(f"the segmentations are of {sum(reference)} and {sum(hypothesis)} sentences; expected as many")


def _numbers(lengths: Sequence[int]) -> NDArray[np.intp]:
    """The number of each sentence's segment."""
    return np.repeat(np.arange(len(lengths)), lengths)


def _places(lengths: Sequence[int]) -> set[int]:
    return set(accumulate(lengths[:-1]))
