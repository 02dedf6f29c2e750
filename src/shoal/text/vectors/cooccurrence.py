"""How often words occur near each other, each pair weighed by one over its distance.

Source: Pennington, Socher and Manning (2014), "GloVe: Global Vectors for Word Representation", EMNLP, section 4.2.

Cost: window passes over the corpus in NumPy; memory grows with the pairs that differ, a stretch of the text at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from shoal.progress import Progress
    from shoal.text.vectors.corpus import WordCorpus

_STRETCH = 1_000_000


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
    for start in range(0, len(corpus.ids), _STRETCH):
        # A stretch counts the pairs whose left word is in it.
        stop = start + _STRETCH + window
        ids, own = corpus.ids[start:stop], sentence[start:stop]
        lefts, rights, weights = [], [], []
        for distance in range(1, window + 1):
            count = max(0, min(_STRETCH, len(ids) - distance))
            near = own[:count] == own[distance : distance + count]
            lefts.append(ids[:count][near])
            rights.append(ids[distance : distance + count][near])
            weights.append(np.full(len(lefts[-1]), 1.0 / distance, dtype=np.float32))
        pairs = (np.concatenate(weights), (np.concatenate(lefts), np.concatenate(rights)))
        total = total + coo_matrix(pairs, shape=(size, size)).tocsr()
        if progress is not None:
            progress("co-occurrences", min(start + _STRETCH, len(corpus.ids)), len(corpus.ids))
    return (total + total.T).tocsr()
