"""Markov chains over a few symbols."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.generators.sample import Sample, Seed, concatenate
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    Matrix = tuple[tuple[float, ...], ...]

STICKY = ((0.7, 0.3), (0.3, 0.7))
RESTLESS = ((0.3, 0.7), (0.7, 0.3))


def markov(
    lengths: Sequence[int] = (1500, 3500), matrices: Sequence[Matrix] = (STICKY, RESTLESS), *, seed: Seed = 0
) -> Sample:
    """Chains of symbols 0..k-1, each piece with its own transition matrix and a stationary start.

    Args:
        lengths: The lengths of the pieces.
        matrices: For each piece, rows of probabilities: ``matrix[a][b]`` is that of ``b`` after ``a``.
        seed: A seed, or the generator to draw from.

    Raises:
        UsageError: A matrix is not square, or a row is not a distribution.
    """
    for matrix in matrices:
        table = np.asarray(matrix, dtype=float)
        square = table.ndim == 2 and table.shape[0] == table.shape[1]
        if not square or table.min() < 0 or not np.allclose(table.sum(axis=1), 1.0):
            raise UsageError(f"a transition matrix is square and each of its rows adds up to 1; got {matrix}")
    return concatenate(lengths, matrices, seed, _chain)


def _chain(length: int, matrix: Matrix, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    last = len(matrix) - 1
    bounds = np.cumsum(matrix, axis=1).tolist()
    state = int(generator.choice(len(matrix), p=_stationary(np.asarray(matrix))))
    states = []
    for draw in generator.random(length).tolist():
        states.append(state)
        state = min(bisect_right(bounds[state], draw), last)
    return np.array(states)


def _stationary(matrix: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The distribution pi with pi P = pi and sum 1, by least squares."""
    size = len(matrix)
    system = np.vstack([matrix.T - np.eye(size), np.ones(size)])
    solution = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
    clipped = np.clip(solution, 0.0, None)
    return np.asarray(clipped / clipped.sum())
