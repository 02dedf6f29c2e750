"""How much likelier each step of a stream is under the law of one piece than under another's.

A code is predicted digit by digit: p(x_t | past) is the product over digits j of p(digit j | digits before j, past).
Each digit has a few context trees that look at the past in different orders (far back at the first digit alone, or
near and finely), and the one with the most evidence is used. So a law with a long memory of coarse symbols (a hidden
rotation), one with fine memory of the last value (a rotation), and one with none (independent draws, where the fine
digits are a histogram) are all fitted by the same model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.trees import grow, predictions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes.channels import Channel

Array = np.ndarray[Any, Any]
Piece = tuple[int, int]

FAR = 12
"""Bits of the context that looks far back."""
NEAR = 10
"""Bits of the contexts that look finely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digit:
    """One digit of one channel with its contexts."""

    joined: tuple[Array, ...]
    """For each order of the past: 2 * context + digit at each step, of shape (n,)."""
    depths: tuple[int, ...]
    """The bits of a context in each order."""


def digits_of(channels: list[Channel], length: int) -> list[Digit]:
    """Every digit of every channel, with the orders of the past that its trees may look at."""
    bits = max(1, length.bit_length() - 3)
    return [
        _digit(channels, place, digit, bits)
        for place, channel in enumerate(channels)
        for digit in range(1, channel.depth + 1)
    ]


def log_ratio(digits: list[Digit], before: Sequence[Piece], after: Sequence[Piece], zone: Piece) -> Array:
    """The log-ratio log p_before(x_t | past) - log p_after(x_t | past) for each step t of ``zone``.

    A step that a law was fitted to is taken out of it (leave one out), so that a law is not kinder to its own steps. A
    digit that does not tell the two apart, judged on steps it was not fitted to, is left out.

    Args:
        digits: From `digits_of`.
        before: The pieces ``[start, end)`` that the law before the change is fitted to.
        after: Those of the law after it.
        zone: The steps that are wanted; it starts among the steps before and ends among those after.
    """
    start, end = zone
    total = np.zeros(end - start)
    inside_before, inside_after = _inside(before, zone), _inside(after, zone)
    for digit in digits:
        total += _of_digit(digit, before, after, zone, inside_before, inside_after)
    return total


def _of_digit(
    digit: Digit, before: Sequence[Piece], after: Sequence[Piece], zone: Piece, in_before: Array, in_after: Array
) -> Array:
    """One digit's share of `log_ratio`."""
    grown = [
        (grow(_taken(joined, before), depth), grow(_taken(joined, after), depth), joined)
        for joined, depth in zip(digit.joined, digit.depths, strict=True)
    ]
    first, second, joined = max(grown, key=lambda trees: trees[0].evidence + trees[1].evidence)
    here = joined[zone[0] : zone[1]]
    ratio = predictions(first)[in_before.astype(np.intp), here] - predictions(second)[in_after.astype(np.intp), here]
    gain = ratio[in_before].sum() - ratio[in_after].sum()
    return ratio if gain > 0.0 else np.zeros(len(ratio))


def _taken(joined: Array, pieces: Sequence[Piece]) -> Array:
    return np.concatenate([joined[start:end] for start, end in pieces])


def _inside(pieces: Sequence[Piece], zone: Piece) -> Array:
    """Which steps of the zone lie in one of the pieces."""
    inside = np.zeros(zone[1] - zone[0], dtype=bool)
    for start, end in pieces:
        inside[max(start - zone[0], 0) : max(end - zone[0], 0)] = True
    return inside


def _digit(channels: list[Channel], place: int, digit: int, bits: int) -> Digit:
    channel = channels[place]
    present = [(place, place_of, 0) for place_of in range(1, digit)]
    present += [(other, 1, 0) for other in range(max(0, place - 3), place)]
    near = [(place, fine, lag) for lag in range(1, NEAR) for fine in range(1, max(1, min(channel.depth, NEAR)) + 1)]
    orders = [(present + near)[: min(NEAR, bits)]]
    if digit <= 2 and channel.depth > 1:
        halves = [(place, fine, lag) for lag in range(1, NEAR) for fine in (1, 2)]
        orders.append((present + halves)[: min(NEAR, bits)])
    if digit == 1:
        orders.append((present + [(place, 1, lag) for lag in range(1, FAR + 1)])[: min(FAR, bits)])
    target = (channel.codes >> (channel.depth - digit)) & 1
    return Digit(
        joined=tuple(_context(channels, order) * 2 + target for order in orders),
        depths=tuple(len(order) for order in orders),
    )


def _context(channels: list[Channel], order: list[tuple[int, int, int]]) -> Array:
    """The bits (channel, digit, lag) of the past and present at each step, the first of them highest."""
    context: Array = np.zeros(len(channels[0].codes), dtype=np.uint16)
    for place, digit, lag in order:
        channel = channels[place]
        bit = (channel.codes >> (channel.depth - digit)) & 1
        context = context << 1
        context[lag:] |= bit[: len(bit) - lag]
    return context
