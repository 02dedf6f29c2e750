"""Streams whose changes are known: what the engine is tested and measured on.

Every generator takes the lengths of the pieces and a seed (or a NumPy ``Generator``) and returns a `Sample`: the values
and the true places. Each piece is an independent draw of a stationary ergodic process. A new generator is one function
that gives `concatenate` the drawing of one piece.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Matrix = tuple[tuple[float, ...], ...]

Seed = int | np.random.Generator
Setting = TypeVar("Setting")

BETAS = (0.452341643253462432, 0.6345354645623456234234)
"""Two angles of rotations, as shares of a turn."""

STICKY = ((0.7, 0.3), (0.3, 0.7))
RESTLESS = ((0.3, 0.7), (0.7, 0.3))
"""Transition matrices with the same stationary law: only pairs of symbols differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A stream whose changes are known."""

    values: np.ndarray[Any, Any]
    """The stream, of shape (n,): numbers, or integer symbols."""
    places: tuple[int, ...]
    """The index of the first element of each piece after the first one."""
    processes: tuple[int, ...]
    """Which process each piece was drawn from, numbered as they first appear; equal settings are one process."""


def concatenate(
    lengths: Sequence[int],
    settings: Sequence[Setting],
    seed: Seed,
    draw: Callable[[int, Setting, np.random.Generator], np.ndarray[Any, Any]],
) -> Sample:
    """Draw one piece for each length and setting, in order, and join them.

    Args:
        lengths: the length of each piece; at least one, all positive.
        settings: the setting of each piece, passed to ``draw``.
        seed: a seed, or the generator to draw from.
        draw: draws a piece from its length, its setting and a generator.

    Raises:
        UsageError: there are no pieces, a length is not positive, or lengths and settings differ in number.
    """
    if not lengths or min(lengths) < 1:
        raise UsageError(f"lengths of pieces must be positive, and there must be one or more; got {tuple(lengths)}")
    if len(lengths) != len(settings):
        raise UsageError(f"{len(lengths)} lengths but {len(settings)} settings were given; give one for each piece")
    generator = np.random.default_rng(seed)
    pieces = [draw(length, setting, generator) for length, setting in zip(lengths, settings, strict=True)]
    # By their text: a setting may be a list or an array, which has no hash.
    distinct = list(dict.fromkeys(map(repr, settings)))
    return Sample(
        values=np.concatenate(pieces),
        places=tuple(int(place) for place in np.cumsum(lengths)[:-1]),
        processes=tuple(distinct.index(repr(setting)) for setting in settings),
    )


def uniform_pieces(
    lengths: Sequence[int] = (2000, 4500, 1500), lows: Sequence[float] = (0.0, 0.1, 0.0), *, seed: Seed = 0
) -> Sample:
    """Uniform numbers on [low, low + 1), with another low in each piece.

    Args:
        lengths: the length of each piece.
        lows: the low of each piece.
        seed: a seed, or the generator to draw from.
    """
    return concatenate(lengths, lows, seed, lambda length, low, generator: generator.uniform(low, low + 1.0, length))


def bernoulli(lengths: Sequence[int] = (1500, 3500), shares: Sequence[float] = (0.3, 0.5), *, seed: Seed = 0) -> Sample:
    """Bernoulli draws: ones with another share in each piece.

    Args:
        lengths: the length of each piece.
        shares: the probability of a one in each piece.
        seed: a seed, or the generator to draw from.

    Raises:
        UsageError: a share is outside [0, 1].
    """
    if any(not 0.0 <= share <= 1.0 for share in shares):
        raise UsageError(f"shares of ones must lie from 0 to 1; got {tuple(shares)}")
    return concatenate(
        lengths, shares, seed, lambda length, share, generator: (generator.random(length) < share).astype(int)
    )


def autoregressive(
    lengths: Sequence[int] = (1500, 3500), coefficients: Sequence[float] = (0.0, 0.5), *, seed: Seed = 0
) -> Sample:
    """x_t = phi x_{t-1} + sqrt(1 - phi^2) e_t: every marginal is standard normal, only the memory changes.

    Args:
        lengths: the length of each piece.
        coefficients: phi of each piece, inside (-1, 1).
        seed: a seed, or the generator to draw from.

    Raises:
        UsageError: a coefficient is outside (-1, 1), where no stationary process exists.
    """
    if any(not -1.0 < coefficient < 1.0 for coefficient in coefficients):
        raise UsageError(f"coefficients must lie between -1 and 1; got {tuple(coefficients)}")
    return concatenate(lengths, coefficients, seed, _autoregression)


def moving_average(
    lengths: Sequence[int] = (1500, 3500),
    weights: Sequence[tuple[float, ...]] = ((1.0,), (1.0, 0.8)),
    *,
    seed: Seed = 0,
) -> Sample:
    """x_t = w_0 e_t + w_1 e_{t-1} + ..., scaled to variance 1: only the memory changes.

    Args:
        lengths: the length of each piece.
        weights: w of each piece.
        seed: a seed, or the generator to draw from.

    Raises:
        UsageError: the weights of a piece are empty or all zero.
    """
    if any(not any(row) for row in weights):
        raise UsageError("each piece needs a weight that is not zero")
    return concatenate(lengths, weights, seed, _average)


def markov(
    lengths: Sequence[int] = (1500, 3500), matrices: Sequence[Matrix] = (STICKY, RESTLESS), *, seed: Seed = 0
) -> Sample:
    """Chains of symbols 0..k-1, each piece with its own transition matrix and a stationary start.

    Args:
        lengths: the lengths of the pieces.
        matrices: for each piece, rows of probabilities: ``matrix[a][b]`` is that of ``b`` after ``a``.
        seed: a seed, or the generator to draw from.

    Raises:
        UsageError: a matrix is not square, or a row is not a distribution.
    """
    for matrix in matrices:
        table = np.asarray(matrix, dtype=float)
        square = table.ndim == 2 and table.shape[0] == table.shape[1]
        if not square or table.min() < 0 or not np.allclose(table.sum(axis=1), 1.0):
            raise UsageError(f"a transition matrix is square and each of its rows adds up to 1; got {matrix}")
    return concatenate(lengths, matrices, seed, _chain)


def hidden_parity(
    lag: int = 2,
    lengths: Sequence[int] = (1500, 3500),
    noises: Sequence[float] = (0.5, 0.1),
    *,
    seed: Seed = 0,
) -> Sample:
    """Bits that are the parity of the ``lag`` bits before, flipped with some probability, under uniform numbers.

    b_t = b_{t-1} + ... + b_{t-lag} + e_t (mod 2) and x_t = (b_t + u_t) / 2 with u_t uniform on [0, 1). Whatever the
    probability of e_t = 1, every word of up to ``lag`` values is uniform; words of ``lag`` + 1 values are uniform only
    where it is one half. So a change of that probability leaves the law of all shorter words as it was.

    Args:
        lag: how many bits the parity is taken of, at least 1.
        lengths: the lengths of the pieces.
        noises: the probability of a flip in each piece; one half is independent bits.
        seed: a seed, or the generator to draw from.

    Raises:
        UsageError: the lag is below 1 or a probability outside [0, 1].
    """
    if lag < 1:
        raise UsageError(f"the lag of a parity is at least 1; got {lag}")
    if any(not 0.0 <= noise <= 1.0 for noise in noises):
        raise UsageError(f"probabilities of a flip must lie from 0 to 1; got {tuple(noises)}")
    return concatenate(lengths, noises, seed, lambda length, noise, generator: _parity(length, lag, noise, generator))


def rotation(lengths: Sequence[int] = (1500, 3500), betas: Sequence[float] = BETAS, *, seed: Seed = 0) -> Sample:
    """Irrational rotations of the circle: numbers in [0, 1), each piece with its own angle and a fresh uniform start.

    r_t = r_{t-1} + beta (mod 1) with r_0 uniform is stationary and ergodic for every irrational beta, not mixing, and
    every marginal is uniform: only words of two values and more differ between two rotations.

    Args:
        lengths: the length of each piece.
        betas: the angle of each piece, as a share of a turn.
        seed: a seed, or the generator to draw from.
    """
    return concatenate(lengths, betas, seed, _turn)


def hidden_rotation(lengths: Sequence[int] = (1500, 3500), betas: Sequence[float] = BETAS, *, seed: Seed = 0) -> Sample:
    """Rotations seen through rounding and noise: 0.9 round(r_t) + U(0, 1), with r_t as in `rotation`.

    The experiments of Khaleghi and Ryabko (NIPS 2012; ICML 2014) segment streams of this kind.

    Args:
        lengths: the length of each piece.
        betas: the angle of each piece, as a share of a turn.
        seed: a seed, or the generator to draw from.
    """
    return concatenate(lengths, betas, seed, _hidden)


def _autoregression(length: int, coefficient: float, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    noise = generator.normal(size=length)
    # The first step has the stationary variance, 1, so no values need to be thrown away at the start.
    noise[1:] *= math.sqrt(1.0 - coefficient**2)
    values, before = [], 0.0
    for step in noise.tolist():
        before = coefficient * before + step
        values.append(before)
    return np.array(values)


def _average(length: int, weights: tuple[float, ...], generator: np.random.Generator) -> np.ndarray[Any, Any]:
    # Some steps more, so that the first values have a whole past, too.
    noise = generator.normal(size=length + len(weights) - 1)
    return np.convolve(noise, np.asarray(weights) / np.linalg.norm(weights), mode="valid")


def _chain(length: int, matrix: Matrix, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    last = len(matrix) - 1
    bounds = np.cumsum(matrix, axis=1).tolist()
    state = int(generator.choice(len(matrix), p=_stationary(np.asarray(matrix))))
    states = []
    for draw in generator.random(length).tolist():
        states.append(state)
        # In floats a row may add up to a little less than 1, and the draw may lie above that.
        state = min(bisect_right(bounds[state], draw), last)
    return np.array(states)


def _stationary(matrix: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The distribution pi with pi P = pi and sum 1, by least squares."""
    size = len(matrix)
    system = np.vstack([matrix.T - np.eye(size), np.ones(size)])
    solution = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
    # Least squares may leave a share just below 0, which `Generator.choice` refuses.
    clipped = np.clip(solution, 0.0, None)
    return np.asarray(clipped / clipped.sum())


def _parity(length: int, lag: int, noise: float, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    # Independent bits are the stationary law of any ``lag`` bits in a row.
    bits = generator.integers(0, 2, lag).tolist()
    parity = sum(bits) % 2
    for flip in (generator.random(length) < noise).tolist():
        bit = parity ^ flip
        parity ^= bits[-lag] ^ bit
        bits.append(bit)
    return (np.array(bits[lag:]) + generator.random(length)) / 2.0


def _turn(length: int, beta: float, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    # One product per step: the rounding of a running sum would grow along the piece.
    return np.asarray((generator.random() + beta * np.arange(length)) % 1.0)


def _hidden(length: int, beta: float, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    return 0.9 * np.round(_turn(length, beta, generator)) + generator.random(length)
