"""Whether right answers are more than guessing: the exact distribution of the number that guessing gets right.

Each item has a probability of its own (one of four choices, two of five), so that the number of right ones has the
Poisson-binomial distribution, which is computed by adding one item after the other (Hong 2013, Computational
Statistics & Data Analysis 59:41-51, section 2.5).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def guessing_p_value(right: int, chances: Sequence[float]) -> float:
    """The two-sided p-value of a number of right answers where every item is guessed: twice the smaller tail.

    Args:
        right: how many items are right.
        chances: the probability of each item to be guessed right.
    """
    shares = _distribution(chances)
    below, above = float(shares[: right + 1].sum()), float(shares[right:].sum())
    return min(1.0, 2 * min(below, above))


def _distribution(chances: Sequence[float]) -> NDArray[np.float64]:
    """The probability of each number of right guesses, from 0 to all."""
    import numpy as np

    found = np.ones(1)
    # Items of one probability at once: a task has a handful of different ones.
    for chance, count in sorted(Counter(chances).items()):
        found = np.convolve(found, _binomial(count, chance))
    return found


def _binomial(count: int, chance: float) -> NDArray[np.float64]:
    """The probability of each number of successes; by `scipy.special`, since `scipy.stats` takes seconds to import."""
    import numpy as np
    from scipy.special import gammaln, xlog1py, xlogy

    hits = np.arange(count + 1)
    ways = gammaln(count + 1) - gammaln(hits + 1) - gammaln(count - hits + 1)
    probabilities: NDArray[np.float64] = np.exp(ways + xlogy(hits, chance) + xlog1py(count - hits, -chance))
    return probabilities
