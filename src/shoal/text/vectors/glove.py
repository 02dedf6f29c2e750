"""GloVe: word vectors whose dot products approach the logarithms of co-occurrence counts.

For words i and j that occur together X_ij times, ``f(X_ij) (w_i · c_j + b_i + b'_j - log X_ij)²`` is made small, summed
over all pairs with X_ij > 0, where ``f(x) = min(1, (x / x_max)^(3/4))``. AdaGrad goes through the pairs one by one in
an order that is drawn once; a word's vector is the sum w_i + c_i.

Source: Pennington, Socher and Manning (2014), EMNLP, eq. 8 and 9, section 4.2; Duchi, Hazan and Singer (2011), JMLR
12:2121-2159 (AdaGrad).

Cost: counting takes ``window`` passes over the corpus in NumPy, a block of the text at a time, and memory for the pairs
that differ; fitting takes O(pairs · dimension) per pass, compiled by Numba, on one thread, so that equal seeds give
equal vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import MissingExtraError, UsageError
from shoal.text.vectors.wordvectors import WordVectors

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from shoal.progress import Progress
    from shoal.text.vectors.corpus import WordCorpus

_BLOCK = 1_000_000
"""Words of the corpus whose pairs are held in memory at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GloveSettings:
    """How GloVe learns."""

    dimension: int = 100
    window: int = 10
    x_max: float = 3.0
    """Pairs that occur together this often or more weigh alike. The paper's 100 is for billions of words; of the pairs
    in a few million words nine in ten stay below 3, and would hardly count."""

    alpha: float = 0.75
    """The power of the weights below ``x_max`` (the paper's)."""

    rate: float = 0.05
    """AdaGrad's (the paper's)."""

    passes: int = 25
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.dimension, self.window, self.passes) < 1 or min(self.x_max, self.rate) <= 0:
            raise UsageError(
                "GloVe needs a dimension, a window and passes of at least 1, x_max and a rate above 0, not "
                f"{self.dimension}, {self.window}, {self.passes}, {self.x_max} and {self.rate}"
            )


def train_glove(
    corpus: WordCorpus, settings: GloveSettings | None = None, *, progress: Progress | None = None
) -> WordVectors:
    """Train GloVe on a corpus.

    Args:
        corpus: the words as ids.
        settings: how to learn.
        progress: called with (what, done, total).

    Raises:
        MissingExtraError: without Numba.
    """
    settings = settings or GloveSettings()
    counts_VV = count_cooccurrences(corpus, window=settings.window, progress=progress)
    return WordVectors(words=corpus.words, matrix=fit_glove(counts_VV, settings, progress=progress)[0])


def count_cooccurrences(corpus: WordCorpus, *, window: int = 10, progress: Progress | None = None) -> csr_matrix:
    """Count pairs within sentences, on both sides.

    Args:
        corpus: the words as ids.
        window: the largest distance.
        progress: called with (what, done, total).

    Returns:
        V × V, symmetric, float32: the sum of 1 / distance over all occurrences of a pair.
    """
    from scipy.sparse import coo_matrix, csr_matrix

    size = len(corpus.words)
    sentence = np.repeat(np.arange(len(corpus.sentence_ends), dtype=np.int32), np.diff(corpus.sentence_ends, prepend=0))
    total = csr_matrix((size, size), dtype=np.float32)
    for start in range(0, len(corpus.ids), _BLOCK):
        # A block counts the pairs whose left word is in it, so that each pair is counted once.
        stop = start + _BLOCK + window
        ids, own = corpus.ids[start:stop], sentence[start:stop]
        lefts, rights, weights = [], [], []
        for distance in range(1, window + 1):
            count = max(0, min(_BLOCK, len(ids) - distance))
            near = own[:count] == own[distance : distance + count]
            lefts.append(ids[:count][near])
            rights.append(ids[distance : distance + count][near])
            weights.append(np.full(len(lefts[-1]), 1.0 / distance, dtype=np.float32))
        pairs = (np.concatenate(weights), (np.concatenate(lefts), np.concatenate(rights)))
        total = total + coo_matrix(pairs, shape=(size, size)).tocsr()
        if progress is not None:
            progress("co-occurrences", min(start + _BLOCK, len(corpus.ids)), len(corpus.ids))
    return (total + total.T).tocsr()


def fit_glove(
    counts_VV: csr_matrix, settings: GloveSettings, *, progress: Progress | None = None
) -> tuple[NDArray[Any], list[float]]:
    """Fit vectors to co-occurrence counts.

    Args:
        counts_VV: symmetric, none negative.
        settings: how to learn.
        progress: called with (what, done, total).

    Returns:
        The vectors (V × dimension, float32), and the mean weighted squared error of each pass while it went.

    Raises:
        MissingExtraError: without Numba.
    """
    try:
        from shoal.text.vectors.glove_kernel import run_pass
    except ImportError as error:
        raise MissingExtraError("vectors", "GloVe") from error
    random = np.random.default_rng(settings.seed)
    pairs = counts_VV.tocoo()
    order = random.permutation(pairs.nnz)
    rows, columns = pairs.row[order].astype(np.int32), pairs.col[order].astype(np.int32)
    counts = pairs.data[order].astype(np.float64)
    logs = np.log(counts).astype(np.float32)
    weights = np.minimum(1.0, (counts / settings.x_max) ** settings.alpha).astype(np.float32)
    size, width = counts_VV.shape[0], settings.dimension
    # One array per side: the vector and, in the last column, the bias; a second one for the sums of squared gradients.
    sides = [((random.random((size, width + 1)) - 0.5) / width).astype(np.float32) for _ in range(2)]
    # Sums of squares that begin at 1, as in the authors' program: the first step is then the rate times the gradient.
    squares = [np.ones((size, width + 1), dtype=np.float32) for _ in range(2)]
    errors = []
    for done in range(settings.passes):
        total = run_pass(rows, columns, logs, weights, *sides, *squares, np.float32(settings.rate))
        errors.append(total / max(1, len(rows)))
        if progress is not None:
            progress("GloVe", done + 1, settings.passes)
    return sides[0][:, :width] + sides[1][:, :width], errors
