"""How much likelier each step of a stream is under the law of one piece than under another's.

A code is predicted digit by digit: p(x_t | past) is the product over digits j of p(digit j | digits before j, past).
Each digit has a few context trees that look at the past in different orders (far back at the first digit alone, or
near and finely), and the one with the most evidence is used. So a law with a long memory of coarse symbols (a hidden
rotation), one with fine memory of the last value (a rotation), and one with none (independent draws, where the fine
digits are a histogram) are all fitted by the same model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.trees import grow, predictions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes.channels import Channel
    from shoal.changes.trees import Trees

Array = np.ndarray[Any, Any]
Piece = tuple[int, int]

FAR = 12
"""Bits of the context that looks far back."""
NEAR = 10
"""Bits of the contexts that look finely."""
AT_ONCE = 8
"""Digits whose trees are grown together, which bounds the memory that streams of many channels take."""


class Order(NamedTuple):
    """One order in which the past of a digit is looked at."""

    joined: Array
    """2 * context + digit at each step, of shape (n,)."""
    missing: Array | None
    """Where the digit is missing, of shape (n,); nothing is learnt from it there, nor said of it. None: nowhere."""
    lags: tuple[int, ...]
    """How many steps back each bit of a context lies, the first split first; never falling."""


class Fitted(NamedTuple):
    """One digit under the laws of both pieces."""

    order: Order
    """The order of the past with the most evidence."""
    laws: tuple[list[Array], list[Array]]
    """What is predicted before and after the change, by bits of context: each of shape (2, 2, 2^bits)."""


def digits_of(channels: list[Channel], length: int) -> list[list[Order]]:
    """For every digit of every channel, the orders of the past that its trees may look at."""
    bits = max(1, length.bit_length() - 3)
    return [
        _orders(channels, place, digit, bits)
        for place, channel in enumerate(channels)
        for digit in range(1, channel.depth + 1)
    ]


def split_likelihoods(digits: list[list[Order]], before: Sequence[Piece], after: Sequence[Piece], zone: Piece) -> Array:
    """The log-likelihood of a change at each place of ``zone``, its end included, up to a constant.

    At a change at t, steps before t are owed p_before(x_u | past) and steps from t on p_after(x_u | x_t, ..., x_{u-1}):
    what came before a change says nothing about what comes after it, so contexts start anew there.

    A step that a law was fitted to is taken out of it (leave one out), so that a law is not kinder to its own steps. A
    digit that does not tell the two apart, judged on steps it was not fitted to, is left out.

    Args:
        digits: From `digits_of`.
        before: The pieces ``[start, end)`` that the law before the change is fitted to.
        after: Those of the law after it.
        zone: The steps that are looked at; it starts among the steps before and ends among those after.
    """
    total = np.zeros(zone[1] - zone[0] + 1)
    inside = _inside(before, zone).astype(np.intp), _inside(after, zone).astype(np.intp)
    for first in range(0, len(digits), AT_ONCE):
        for fitted in _fit(digits[first : first + AT_ONCE], before, after):
            _add(total, fitted, zone, inside)
    return total


def _add(total: Array, fitted: Fitted, zone: Piece, inside: tuple[Array, Array]) -> None:
    """Add what a digit says, if it tells the pieces apart."""
    bits, here = len(fitted.order.lags), fitted.order.joined[zone[0] : zone[1]]
    missing = None if fitted.order.missing is None else fitted.order.missing[zone[0] : zone[1]]
    digit, context = (here & 1).astype(np.intp), (here >> 1).astype(np.intp)
    before, after = (((2 * own + digit) << bits) | context for own in inside)
    first, second = (law[-1].ravel().take(at) for law, at in zip(fitted.laws, (before, after), strict=True))
    ratio = first.astype(np.float64) - second
    if missing is not None:
        ratio[missing] = 0.0
    if ratio @ (inside[0] - inside[1]) > 0.0:
        total[1:] += np.cumsum(ratio)
        _start_anew(total, fitted, after, second, missing)


def _fit(digits: list[list[Order]], before: Sequence[Piece], after: Sequence[Piece]) -> list[Fitted]:
    """For each digit the order with the most evidence in both pieces together, and its laws."""
    listed = [(digit, order) for digit, orders in enumerate(digits) for order in orders]
    best: dict[int, tuple[float, Order, Trees, int]] = {}
    for depth in dict.fromkeys(len(order.lags) for _, order in listed):
        rows = [(digit, order) for digit, order in listed if len(order.lags) == depth]
        trees = grow([_taken(order, side) for _, order in rows for side in (before, after)], depth)
        evidence = trees.evidence.reshape(-1, 2).sum(axis=1).tolist()
        for row, (digit, order) in enumerate(rows):
            if digit not in best or evidence[row] > best[digit][0]:
                best[digit] = evidence[row], order, trees, row
    return _laws_of([best[digit] for digit in range(len(digits))])


def _laws_of(chosen: list[tuple[float, Order, Trees, int]]) -> list[Fitted]:
    """The laws of the chosen trees, those that were grown together predicted together."""
    laws: dict[int, tuple[list[Array], list[Array]]] = {}
    for trees in {id(trees): trees for _, _, trees, _ in chosen}.values():
        places = [place for place, one in enumerate(chosen) if one[2] is trees]
        found = predictions(trees.chosen([2 * chosen[place][3] + side for place in places for side in (0, 1)]))
        for at, place in enumerate(places):
            laws[place] = [level[2 * at] for level in found], [level[2 * at + 1] for level in found]
    return [Fitted(order=order, laws=laws[place]) for place, (_, order, _, _) in enumerate(chosen)]


def _start_anew(total: Array, fitted: Fitted, steps: Array, known: Array, missing: Array | None) -> None:
    """Put contexts that start at the change in place of whole ones, for the first steps after each place.

    Args:
        total: What is added to, at each place.
        fitted: The digit.
        steps: For each step where its whole context stands in the law after the change; without its last bits it is
            where the shorter one stands.
        known: What the whole contexts predict.
        missing: Where the digit is missing.
    """
    lags = fitted.order.lags
    for since in range(max(lags, default=0)):
        unknown = sum(lag > since for lag in lags)
        law = fitted.laws[1][len(lags) - unknown].ravel()
        gained = law.take(steps[since:] >> unknown) - known[since:]
        if missing is not None:
            gained[missing[since:]] = 0.0
        total[: len(steps) - since] += gained


def _taken(order: Order, pieces: Sequence[Piece]) -> Array:
    taken = np.concatenate([order.joined[start:end] for start, end in pieces])
    if order.missing is None:
        return taken
    return np.asarray(taken[~np.concatenate([order.missing[start:end] for start, end in pieces])])


def _inside(pieces: Sequence[Piece], zone: Piece) -> Array:
    """Which steps of the zone lie in one of the pieces."""
    inside = np.zeros(zone[1] - zone[0], dtype=bool)
    for start, end in pieces:
        inside[max(start - zone[0], 0) : max(end - zone[0], 0)] = True
    return inside


def _orders(channels: list[Channel], place: int, digit: int, bits: int) -> list[Order]:
    """The orders of the past for one digit: near and finely, by quarters, and far back by halves."""
    channel = channels[place]
    target = (channel.codes >> (channel.depth - digit)) & 1
    present = [(place, finer, 0) for finer in range(1, digit)]
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
        orders.append(Order(joined=joined, missing=channel.missing, lags=lags))
    return orders


def _context(channels: list[Channel], order: list[tuple[int, int, int]]) -> Array:
    """The bits (channel, digit, lag) of the past and present at each step, the first of them highest."""
    context: Array = np.zeros(len(channels[0].codes), dtype=np.uint16)
    for place, digit, lag in order:
        channel = channels[place]
        bit = (channel.codes >> (channel.depth - digit)) & 1
        context = context << 1
        context[lag:] |= bit[: len(bit) - lag]
    return context
