"""Where exactly a change lies: the posterior of its place given the laws of the pieces at both sides.

With S(t) the log-likelihood of a change at t (`likelihood`) and a flat prior over the places allowed, the median of the
posterior exp(S) is the place with the least expected absolute error, and the smallest set of places that holds
1 - alpha of it is the confidence set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.likelihood import split_likelihoods

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes.likelihood import Order, Piece

    Others = Sequence[Sequence[Piece]]
    """Further pieces of the process before a change, and of the one after it."""

Array = np.ndarray[Any, Any]

REACH = 1 << 16
"""Steps at either side of the guess where the place is looked for, at least; laws are learnt from twice as many."""
ROUNDS = 3
"""How often the laws are fitted to the pieces that the place before gave, at most."""
DOUBT = 0.001
"""The laws are not fitted to the places that hold all but this share of the posterior: whichever piece such a step is
not of, the law of that piece would learn it by heart."""
BESIDE = 8
"""Nor to so many steps beside those."""


class Located(NamedTuple):
    """A place with its confidence set."""

    place: int
    """The median of the posterior."""
    low: int
    """The least place of the set."""
    high: int
    """The greatest place of the set, inclusive."""


def locate(
    digits: list[list[Order]],
    window: Piece,
    guess: int,
    *,
    margin: int,
    confidence: float,
    others: Others = ((), ()),
    rounds: int = ROUNDS,
) -> Located:
    """The place of the one change in ``window``.

    Args:
        digits: From `likelihood.digits_of`.
        window: Where the piece before the change starts and the piece after it ends.
        guess: A place near which the change lies.
        margin: How far from the ends of the window the change must stay, at least 1.
        confidence: The share of the posterior in the confidence set.
        others: Further pieces of the same processes as the piece before and as the piece after.
        rounds: How often the laws are fitted at most.
    """
    reach = max(REACH, len(digits[0][0].joined) // 20)
    start, end = max(window[0], guess - 2 * reach), min(window[1], guess + 2 * reach)
    first = max(window[0] + margin, guess - reach)
    last = min(window[1] - margin, guess + reach)
    others = tuple([(a, min(b, a + 2 * reach)) for a, b in pieces] for pieces in others)
    place = int(np.clip(guess, first, last))
    gap = place, place
    for _ in range(rounds):
        before, after = [*others[0], (start, gap[0])], [*others[1], (gap[1], end)]
        sums = split_likelihoods(digits, before, after, (start, end))[first - start : last - start + 1]
        posterior = np.exp(sums - sums.max())
        posterior /= posterior.sum()
        place = min(first + int(np.searchsorted(np.cumsum(posterior), 0.5)), last)
        low, high = _hull(posterior, 1.0 - DOUBT)
        wider = (high - low) // 2 + BESIDE
        last_gap = gap
        gap = max(first + low - wider, (start + place) // 2), min(first + high + wider, (place + end + 1) // 2)
        if gap == last_gap:
            break
    low, high = _hull(posterior, confidence)
    return Located(place=place, low=min(first + low, place), high=max(first + high, place))


def _hull(posterior: Array, share: float) -> tuple[int, int]:
    """The hull of the smallest set of places that holds this share of the posterior."""
    order = np.argsort(-posterior, kind="stable")
    taken = order[: int(np.searchsorted(np.cumsum(posterior[order]), share)) + 1]
    return int(taken.min()), int(taken.max())
