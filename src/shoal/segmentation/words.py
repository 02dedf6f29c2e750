"""Words alone, no model: segments in which the same stems come back.

A segment's next token is drawn from what the segment has said so far and from the language at large: with a share p_w
of running English, and r the earlier tokens of its word among the N of the segment, it is w with probability
(α p_w + r) / (α + N), the chain rule of a Dirichlet-multinomial (Pólya) distribution. Earlier tokens fade: a sentence
back each counts ``memory`` times as much, so that a text that wanders slowly, or comes back to a word at once and then
drops it, is not cut. A cut makes the segment forget; it pays where what was said before does not come back. How large α
is, each document says itself (`concentration`).

That p_w is the language's and not the document's matters: measured against itself, a document of one subject has no
reason to stay whole. Only the most common words take the document's own frequencies, which are its style.

Adding each token's logarithm step by step turns the evidence into a sum over pairs of sentences that share a word and
lie within the segment, which two cumulative sums give for all segments at once: O(n² + pairs).

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

from shoal.segmentation.background import language_shares
from shoal.segmentation.features import Features
from shoal.text import stem_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The channel that counts stems."""

    language: str = "english"
    """What the Snowball stemmer calls the language. For another one than English no shares of the language are known,
    and the document's own frequencies take their place."""

    name: str = "words"

    def features(self, sentences: Sequence[str]) -> Features:
        """How often each stem is in each sentence.

        Raises:
            UnknownNameError: a language that Snowball has no stemmer for.
        """
        codes: dict[str, int] = {}
        rows, columns = [], []
        for row, sentence in enumerate(sentences):
            for stem in stem_all(WORD.findall(sentence), self.language):
                rows.append(row)
                columns.append(codes.setdefault(stem, len(codes)))
        shape = (len(sentences), max(1, len(codes)))
        counts = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()
        return Features(counts=counts, background=language_shares(self.language, list(codes)))


class WordEvidence:
    """The evidence of every segment, for any concentration and any memory.

    Args:
        counts: how often each word is in each sentence (n sentences by V words).
        background: the share of each word in the language (V); by default the square root of its share of the document,
            which is between the document's own distribution and one that knows nothing.
    """

    def __init__(self, counts: Any, background: NDArray[np.float64] | None = None) -> None:
        table = sparse.coo_array(counts)
        table.sum_duplicates()
        order = np.lexsort(table.coords)
        self._places, self._words = (part.astype(np.intp)[order] for part in table.coords)
        self._times = table.data[order].astype(np.float64)
        self._sentences, words = (int(size) for size in table.shape)
        own = np.bincount(self._words, self._times, minlength=words).astype(np.float64)
        self._share = _flattened(own) if background is None else _with_own_style(background, own)

    def scores(self, concentration: float, memory: float = 1.0) -> NDArray[np.float64]:
        """The log evidence of the segment from i to j (not included) at [i, j]; n + 1 by n + 1, 0 below the diagonal.

        Args:
            concentration: α, in tokens: how many of a segment's tokens weigh as much as the language.
            memory: how much of a token's weight is left a sentence later, within (0, 1].
        """
        scores = self._repeated(concentration, memory)
        scores -= self._normalizers(concentration, memory)
        alone = self._times * np.log(concentration * self._own_shares())
        first = np.bincount(self._places, alone, minlength=self._sentences)
        summed = np.concatenate([[0.0], np.cumsum(first)])
        return np.triu(scores + summed[None, :] - summed[:, None], 1)

    def _own_shares(self) -> NDArray[np.float64]:
        shares: NDArray[np.float64] = self._share[self._words]
        return shares

    def _repeated(self, concentration: float, memory: float) -> NDArray[np.float64]:
        """What the earlier tokens of its word add to each token, summed over the tokens of each segment.

        A word's tokens in one sentence are taken together, Σ log(x + r) over r < c being ln Γ(x + c) - ln Γ(x), so that
        the cost hangs on the sentences in which a word stands and not on how often it stands there.
        """
        size, words, places, times = self._sentences, self._words, self._places, self._times
        heard = concentration * self._own_shares()
        known = _log_rising(heard, times)
        pairs = np.zeros(size * size)
        pairs[:: size + 1] = np.bincount(places, known - times * np.log(heard), minlength=size)
        for apart in range(1, len(words)):
            earlier = np.flatnonzero(words[:-apart] == words[apart:])
            if not len(earlier):
                break
            later = earlier + apart
            heard[later] += times[earlier] * memory ** (places[later] - places[earlier])
            now = _log_rising(heard[later], times[later])
            np.add.at(pairs, places[earlier] * size + places[later], now - known[later])
            known[later] = now
        scores = np.zeros((size + 1, size + 1))
        scores[:-1, 1:] = pairs.reshape(size, size)[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)
        return scores

    def _normalizers(self, concentration: float, memory: float) -> NDArray[np.float64]:
        """Σ log(α + N) over the tokens of each segment, with N the faded number of tokens before."""
        size = self._sentences
        tokens = np.bincount(self._places, self._times, minlength=size)
        heard = np.zeros(size)
        steps = np.zeros((size + 1, size + 1))
        for place in range(size):
            open_ = slice(0, place + 1)
            said = concentration + heard[open_]
            steps[open_, place + 1] = gammaln(said + tokens[place]) - gammaln(said)
            heard[open_] = memory * (heard[open_] + tokens[place])
        return steps.cumsum(axis=1)


def _log_rising(start: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of start (start + 1) ... (start + times - 1); most words stand once, where no Γ is needed."""
    found = np.log(start)
    often = times > 1
    found[often] = gammaln(start[often] + times[often]) - gammaln(start[often])
    return found


_STYLE_SHARE = 3e-3
"""Words that make up more of the language than this are of style rather than of a subject: some fifty."""

_STYLE_TOKENS = 300.0
"""How many tokens of the document weigh as much as the language in the shares of words of style."""


def _with_own_style(background: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    adapted = (own + _STYLE_TOKENS * background) / (own.sum() + _STYLE_TOKENS)
    return np.where(background > _STYLE_SHARE, adapted, background)


def _flattened(own: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = np.sqrt(own) / max(1.0, float(np.sqrt(own).sum()))
    return shares
