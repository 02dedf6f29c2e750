"""How much likelier each step of a stream is under the law of one piece than under another's.

A code is predicted digit by digit: p(x_t | past) is the product over digits j of p(digit j | digits before j, past).
Each digit has a few context trees that look at the past in different orders (far back at the first digit alone, or near
and finely), and the one with the most evidence is used. So a law with a long memory of coarse symbols (a hidden
rotation), one with fine memory of the last value (a rotation), and one with none (independent draws, where the fine
digits are a histogram) are all fitted by the same model.

**The place.** With S(t) the log-likelihood of a change at t (`likelihood`) and a flat prior over the places allowed,
the median of the posterior exp(S) is the place with the least expected absolute error, and the smallest set of places
that holds 1 - alpha of it is the confidence set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.trees import grow, predictions

Span = tuple[int, int]
"""The first step of a part of the stream, and the step after its last."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes.quantization import QuantizedChannel
    from shoal.changes.trees import Trees

    Others = Sequence[Sequence[Span]]

    """Further pieces of the process before a change, and of the one after it."""

Array = np.ndarray[Any, Any]

FAR = 12
"""Bits of the context that looks far back."""
NEAR = 10
"""Bits of the contexts that look finely."""
AT_ONCE = 8
"""Digits whose trees are grown together, which bounds the memory that streams of many channels take."""


class ContextOrder(NamedTuple):
    """One order in which the past of a digit is looked at."""

    joined: Array
    """2 * context + digit at each step, of shape (n,)."""
    missing: Array | None
    """Where the digit is missing, of shape (n,); there it is neither learnt from nor predicted. None: nowhere."""
    lags: tuple[int, ...]
    """How many steps back each bit of a context lies, the first split first; never falling."""


class Fitted(NamedTuple):
    """One digit under the laws of both pieces."""

    order: ContextOrder
    """The order of the past with the most evidence."""
    laws: tuple[list[Array], list[Array]]
    """What is predicted before and after the change, by bits of context: each of shape (2, 2, 2^bits)."""


def digits_of(channels: list[QuantizedChannel], length: int) -> list[list[ContextOrder]]:
    """For every digit of every channel, the orders of the past that its trees may look at.

    Args:
        channels: the channels of the stream.
        length: the number of steps of the stream.
    """
    # At least four steps per context on average.
    bits = max(1, length.bit_length() - 3)
    return [
        _orders(channels, place, digit, bits)
        for place, channel in enumerate(channels)
        for digit in range(1, channel.depth + 1)
    ]


def split_likelihoods(
    digits: list[list[ContextOrder]], before: Sequence[Span], after: Sequence[Span], zone: Span
) -> Array:
    """The log-likelihood of a change at each place of ``zone``, its end included, up to a constant.

    At a change at t, steps before t have p_before(x_u | past) and steps from t on p_after(x_u | x_t, ..., x_{u-1}):
    what comes after a change does not depend on what came before it, so contexts begin again there.

    A step that a law was fitted to is taken out of it (leave one out), so that a law is not kinder to its own steps. A
    digit that does not distinguish the two, judged on steps it was not fitted to, is left out.

    Args:
        digits: from `digits_of`.
        before: the pieces ``[start, end)`` that the law before the change is fitted to.
        after: those of the law after it.
        zone: the steps that are looked at; it starts among the steps before and ends among those after.
    """
    total = np.zeros(zone[1] - zone[0] + 1)
    inside = _inside(before, zone).astype(np.intp), _inside(after, zone).astype(np.intp)
    for first in range(0, len(digits), AT_ONCE):
        for fitted in _fit(digits[first : first + AT_ONCE], before, after):
            _add(total, fitted, zone, inside)
    return total


def _add(total: Array, fitted: Fitted, zone: Span, inside: tuple[Array, Array]) -> None:
    """Add the log-likelihood ratio of a digit, if it distinguishes the pieces."""
    bits, here = len(fitted.order.lags), fitted.order.joined[zone[0] : zone[1]]
    missing = None if fitted.order.missing is None else fitted.order.missing[zone[0] : zone[1]]
    digit, context = (here & 1).astype(np.intp), (here >> 1).astype(np.intp)
    # One flat index into laws of shape (2, 2, 2^bits): whether the law was fitted to the step, the digit, the context.
    before, after = (((2 * own + digit) << bits) | context for own in inside)
    first, second = (law[-1].ravel().take(at) for law, at in zip(fitted.laws, (before, after), strict=True))
    # In single precision sums over 10^5 steps would lose the digits that distinguish neighbouring places.
    ratio = first.astype(np.float64) - second
    if missing is not None:
        ratio[missing] = 0.0
    if ratio @ (inside[0] - inside[1]) > 0.0:
        total[1:] += np.cumsum(ratio)
        _restart(total, fitted, after, second, missing)


def _fit(digits: list[list[ContextOrder]], before: Sequence[Span], after: Sequence[Span]) -> list[Fitted]:
    """For each digit the order with the most evidence in both pieces together, and its laws."""
    listed = [(digit, order) for digit, orders in enumerate(digits) for order in orders]
    best: dict[int, tuple[float, ContextOrder, Trees, int]] = {}
    for depth in dict.fromkeys(len(order.lags) for _, order in listed):
        rows = [(digit, order) for digit, order in listed if len(order.lags) == depth]
        trees = grow([_taken(order, side) for _, order in rows for side in (before, after)], depth)
        evidence = trees.evidence.reshape(-1, 2).sum(axis=1).tolist()
        for row, (digit, order) in enumerate(rows):
            if digit not in best or evidence[row] > best[digit][0]:
                best[digit] = evidence[row], order, trees, row
    return _laws_of([best[digit] for digit in range(len(digits))])


def _laws_of(chosen: list[tuple[float, ContextOrder, Trees, int]]) -> list[Fitted]:
    """The laws of the chosen trees, those that were grown together predicted together."""
    laws: dict[int, tuple[list[Array], list[Array]]] = {}
    for trees in {id(trees): trees for _, _, trees, _ in chosen}.values():
        places = [place for place, one in enumerate(chosen) if one[2] is trees]
        found = predictions(trees.chosen([2 * chosen[place][3] + side for place in places for side in (0, 1)]))
        for at, place in enumerate(places):
            laws[place] = [level[2 * at] for level in found], [level[2 * at + 1] for level in found]
    return [Fitted(order=order, laws=laws[place]) for place, (_, order, _, _) in enumerate(chosen)]


def _restart(total: Array, fitted: Fitted, steps: Array, known: Array, missing: Array | None) -> None:
    """Put contexts that start at the change in place of whole ones, for the first steps after each place.

    Args:
        total: what is added to, at each place.
        fitted: the digit.
        steps: for each step where its whole context stands in the law after the change; without its last bits it is
            where the shorter one stands.
        known: what the whole contexts predict.
        missing: where the digit is missing.
    """
    lags = fitted.order.lags
    for since in range(max(lags, default=0)):
        unknown = sum(lag > since for lag in lags)
        law = fitted.laws[1][len(lags) - unknown].ravel()
        # Lags never fall along a context: its last bits are those from before the change, and a shift takes them off.
        gained = law.take(steps[since:] >> unknown) - known[since:]
        if missing is not None:
            gained[missing[since:]] = 0.0
        total[: len(steps) - since] += gained


def _taken(order: ContextOrder, pieces: Sequence[Span]) -> Array:
    taken = np.concatenate([order.joined[start:end] for start, end in pieces])
    if order.missing is None:
        return taken
    return np.asarray(taken[~np.concatenate([order.missing[start:end] for start, end in pieces])])


def _inside(pieces: Sequence[Span], zone: Span) -> Array:
    """Which steps of the zone lie in one of the pieces."""
    inside = np.zeros(zone[1] - zone[0], dtype=bool)
    for start, end in pieces:
        inside[max(start - zone[0], 0) : max(end - zone[0], 0)] = True
    return inside


def _orders(channels: list[QuantizedChannel], place: int, digit: int, bits: int) -> list[ContextOrder]:
    """The orders of the past for one digit: near and finely, by quarters, and far back by halves."""
    channel = channels[place]
    target = (channel.codes >> (channel.depth - digit)) & 1
    present = [(place, finer, 0) for finer in range(1, digit)]
    # Of other channels only earlier ones: the product over all digits is then one law of all channels.
    present += [(other, 1, 0) for other in range(max(0, place - 3), place)]
    fine = range(1, channel.depth + 1)
    pasts = [(NEAR, [(place, finer, lag) for lag in range(1, NEAR + 1) for finer in fine])]
    if digit <= 2 < channel.depth:
        pasts.append((NEAR, [(place, finer, lag) for lag in range(1, NEAR + 1) for finer in (1, 2)]))
    if digit == 1 < channel.depth:
        pasts.append((FAR, [(place, 1, lag) for lag in range(1, FAR + 1)]))
    orders = []
    for most, past in pasts:
        chosen = (present + past)[: min(most, bits)]
        joined = _context(channels, chosen) * 2 + target
        lags = tuple(lag for _, _, lag in chosen)
        orders.append(ContextOrder(joined=joined, missing=channel.missing, lags=lags))
    return orders


def _context(channels: list[QuantizedChannel], order: list[tuple[int, int, int]]) -> Array:
    """The bits (channel, digit, lag) of the past and present at each step, the first of them highest."""
    # FAR bits and the digit that the caller appends are 13, so 16 are enough.
    context: Array = np.zeros(len(channels[0].codes), dtype=np.uint16)
    for place, digit, lag in order:
        channel = channels[place]
        bit = (channel.codes >> (channel.depth - digit)) & 1
        context = context << 1
        context[lag:] |= bit[: len(bit) - lag]
    return context


REACH = 1 << 16
"""Steps at either side of the guess where the place is looked for, at least; laws are learnt from twice as many."""
ROUNDS = 3
"""How often the laws are fitted to the pieces that the place before gave, at most."""
DOUBT = 0.001
"""The laws are not fitted to the places that hold all but this share of the posterior: whichever piece such a step is
not of, the law of that piece would learn it by heart."""
BESIDE = 8
"""Nor to this many steps on either side of those."""


class Located(NamedTuple):
    """A place with its confidence set."""

    place: int
    """The median of the posterior."""
    low: int
    """The first place of the set."""
    high: int
    """The greatest place of the set, inclusive."""


def locate(
    digits: list[list[ContextOrder]],
    window: Span,
    guess: int,
    *,
    margin: int,
    confidence: float,
    others: Others = ((), ()),
    rounds: int = ROUNDS,
) -> Located:
    """The place of the one change in ``window``.

    Args:
        digits: from `digits_of`.
        window: where the piece before the change starts and the piece after it ends.
        guess: a place near which the change lies.
        margin: how far from the ends of the window the change must stay, at least 1.
        confidence: the share of the posterior in the confidence set.
        others: further pieces of the same processes as the piece before and as the piece after.
        rounds: how often the laws are fitted at most.
    """
    reach = max(REACH, len(digits[0][0].joined) // 20)
    start, end = max(window[0], guess - 2 * reach), min(window[1], guess + 2 * reach)
    first = max(window[0] + margin, guess - reach)
    last = min(window[1] - margin, guess + reach)
    # As long as the pieces of the window at most, or the time of a round would grow with the stream.
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
        # Each law keeps at least half of its own side to be fitted to.
        gap = max(first + low - wider, (start + place) // 2), min(first + high + wider, (place + end + 1) // 2)
        # The same gap gives the same laws, and these the same place.
        if gap == last_gap:
            break
    low, high = _hull(posterior, confidence)
    # The median of a skewed posterior may lie outside its smallest set.
    return Located(place=place, low=min(first + low, place), high=max(first + high, place))


def _hull(posterior: Array, share: float) -> tuple[int, int]:
    """The hull of the smallest set of places that holds this share of the posterior."""
    order = np.argsort(-posterior, kind="stable")
    taken = order[: int(np.searchsorted(np.cumsum(posterior[order]), share)) + 1]
    return int(taken.min()), int(taken.max())
