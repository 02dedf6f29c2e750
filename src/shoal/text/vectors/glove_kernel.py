"""The inner loop of GloVe, compiled; importing this needs Numba."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(fastmath=True, cache=True)
def run_pass(
    rows: np.ndarray,
    columns: np.ndarray,
    logs: np.ndarray,
    weights: np.ndarray,
    words: np.ndarray,
    contexts: np.ndarray,
    word_squares: np.ndarray,
    context_squares: np.ndarray,
    rate: float,
) -> float:
    """Go through all pairs once, in place; returns the sum of weighted squared errors met on the way."""
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
