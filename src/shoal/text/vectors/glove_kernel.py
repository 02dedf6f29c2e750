"""The inner loop of GloVe, compiled; importing this needs Numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


# fastmath lets the sum over the dimensions be taken in parts, without which the loop is not vectorized.
@numba.njit(fastmath=True, cache=True)
def run_pass(
    rows: NDArray[Any],
    columns: NDArray[Any],
    logs: NDArray[Any],
    weights: NDArray[Any],
    words: NDArray[Any],
    contexts: NDArray[Any],
    word_squares: NDArray[Any],
    context_squares: NDArray[Any],
    rate: float,
) -> float:
    """Go through all pairs once, updating in place; returns the sum of weighted squared errors on the way.

    Args:
        rows: the first word of each pair, shape (pairs,).
        columns: the second, shape (pairs,).
        logs: log counts, shape (pairs,).
        weights: f(count), shape (pairs,).
        words: vectors with the bias in the last column, shape (V, D + 1); changed.
        contexts: the same of the other side; changed.
        word_squares: AdaGrad's sums of squared gradients, shape (V, D + 1); changed.
        context_squares: the same of the other side; changed.
        rate: AdaGrad's.
    """
    width = words.shape[1] - 1
    total = 0.0
    for pair in range(len(rows)):
        word, context = words[rows[pair]], contexts[columns[pair]]
        word_square, context_square = word_squares[rows[pair]], context_squares[columns[pair]]
        error = word[width] + context[width] - logs[pair]
        for place in range(width):
            error += word[place] * context[place]
        pull = weights[pair] * error
        total += pull * error
        for place in range(width):
            to_word, to_context = pull * context[place], pull * word[place]
            word[place] -= rate * to_word / np.sqrt(word_square[place])
            context[place] -= rate * to_context / np.sqrt(context_square[place])
            word_square[place] += to_word * to_word
            context_square[place] += to_context * to_context
        word[width] -= rate * pull / np.sqrt(word_square[width])
        context[width] -= rate * pull / np.sqrt(context_square[width])
        word_square[width] += pull * pull
        context_square[width] += pull * pull
    return total
