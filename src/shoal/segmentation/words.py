"""Words alone, no model: segments in which the same stems come back.

A segment draws its words from a distribution of its own, which is drawn from a Dirichlet distribution around that of
the document; both are summed out, which leaves the Dirichlet-multinomial (Pólya) probability of the segment's counts.
The prior is proportional to the words' frequencies in the document, so a word that is everywhere says little.

By the chain rule a token's probability is (α p_w + r) / (α + N), with r earlier tokens of its word among the N of the
segment. Pairing each token with each earlier one of its word turns the sum of these logarithms into a sum over pairs
that lie within the segment, which two cumulative sums give for all segments at once: O(n² + pairs) in all.

Source: Utiyama and Isahara (2001), ACL, section 2, for text as segments with word distributions of their own;
Eisenstein and Barzilay (2008), EMNLP, section 3, for summing the distributions out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.special import gammaln

from shoal.segmentation.features import Features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The channel that counts stems."""

    language: str = "english"
    """What the Snowball stemmer calls the language."""

    name: str = "words"

    def features(self, sentences: Sequence[str]) -> Features:
        """How often each stem is in each sentence."""
        import snowballstemmer

        stemmer = snowballstemmer.stemmer(self.language)
        codes: dict[str, int] = {}
        rows, columns = [], []
        for row, sentence in enumerate(sentences):
            for stem in stemmer.stemWords(_WORD.findall(sentence.lower())):
                rows.append(row)
                columns.append(codes.setdefault(stem, len(codes)))
        shape = (len(sentences), max(1, len(codes)))
        return Features(counts=sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr())


class WordEvidence:
    """The Dirichlet-multinomial evidence of every segment, for any concentration of the prior."""

    def __init__(self, counts: Any) -> None:
        table = sparse.coo_array(counts)
        times = table.data.astype(np.intp)
        self._places = np.repeat(table.coords[0], times)
        self._words = np.repeat(table.coords[1], times)
        self._sentences = int(table.shape[0])
        self._share = np.bincount(self._words, minlength=table.shape[1]) / max(1, len(self._words))
        self._pairs = _repetitions(self._words, self._places)

    def scores(self, concentration: float) -> NDArray[np.float64]:
        """The log evidence of the segment from i to j (not included) at [i, j]; n + 1 by n + 1, 0 below the diagonal.

        Args:
            concentration: α, in tokens: how many of a segment's tokens weigh as much as the document's distribution.
        """
        size = self._sentences
        earlier, later, rank, word = self._pairs
        weight = concentration * self._share[word] + rank
        gains = np.log(weight / (weight - 1))
        pairs = np.bincount(earlier * size + later, gains, minlength=size * size).reshape(size, size)
        scores = np.zeros((size + 1, size + 1))
        scores[:-1, 1:] = pairs[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)
        first = np.log(concentration * self._share[self._words])
        tokens, alone = (
            np.concatenate([[0.0], np.cumsum(np.bincount(self._places, part, minlength=size))])
            for part in (np.ones(len(first)), first)
        )
        lengths = np.maximum(tokens[None, :] - tokens[:, None], 0.0)
        scores += alone[None, :] - alone[:, None] + gammaln(concentration) - gammaln(concentration + lengths)
        return np.triu(scores, 1)


def _repetitions(words: NDArray[np.intp], places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Each pair of tokens of one word: earlier and later sentence, how many tokens apart, the word (4 × pairs)."""
    order = np.lexsort((places, words))
    words, places = words[order], places[order]
    found = [np.empty((4, 0), dtype=np.intp)]
    for rank in range(1, len(words)):
        first = np.flatnonzero(words[:-rank] == words[rank:])
        if not len(first):
            break
        found.append(np.stack([places[first], places[first + rank], np.full(len(first), rank), words[first]]))
    return np.concatenate(found, axis=1)
