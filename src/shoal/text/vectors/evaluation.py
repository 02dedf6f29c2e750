"""Evaluation of word vectors by people's judgements of similarity.

Similarity is the rank correlation (Spearman 1904) of cosines with people's scores over the pairs whose words are known,
with an interval by the bootstrap over pairs (Efron and Tibshirani 1993, section 13.3).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.statistics import check_confidence, percentile_ends, resampled_places
from shoal.textfiles import numbered_lines, read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.text.vectors.wordvectors import WordVectors

# Half of the usual number: each draw ranks all pairs again.
_DRAWS = 1000
_FEWEST = 10
"""Pairs; of fewer a rank correlation means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPairs:
    """Pairs of words with people's scores."""

    name: str
    pairs: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityScore:
    """How the cosines of vectors rank pairs, compared with people."""

    name: str
    pairs: int
    known: int
    """Pairs of which both words have a vector; the others do not count."""

    spearman: float | None
    """Of the known pairs; None where there are fewer than ten."""

    low: float | None
    """Ends of the interval; None where the pairs are too few or too alike for one."""

    high: float | None

    @property
    def coverage(self) -> float:
        """The share of pairs that are known."""
        return self.known / self.pairs

    def __str__(self) -> str:
        """One line: the correlation with its interval, and the coverage."""
        found = "too few pairs are known"
        if self.spearman is not None:
            known = self.low is not None and self.high is not None
            found = f"{self.spearman:.3f} " + (f"[{self.low:.3f}, {self.high:.3f}]" if known else "(no interval)")
        return f"{self.name:22}  {found:24}  {self.known} of {self.pairs} pairs known ({self.coverage:.0%})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "coverage": self.coverage}


def read_word_pairs(file: str | Path) -> WordPairs:
    """Read lines of word, word, score between tabs or blanks; words become lower-case.

    Raises:
        DataError: a line that is not so, or no line at all.
    """
    file = Path(file)
    pairs = []
    for number, line in numbered_lines(read_text(file)):
        try:
            first, second, score = line.split()
            value = float(score)
        except ValueError as error:
            raise DataError(f"{file}, line {number}: expected two words and a number, not {line!r}") from error
        # One score that is not finite would make the correlation of all of them no number.
        if not math.isfinite(value):
            raise DataError(f"{file}, line {number}: expected two words and a finite number, not {line!r}")
        pairs.append((first.lower(), second.lower(), value))
    if not pairs:
        raise DataError(f"{file} holds no pair of words; give a file with lines of word, word, score")
    return WordPairs(name=file.stem, pairs=tuple(pairs))


def judge_similarity(
    vectors: WordVectors, sets: Sequence[WordPairs], *, confidence: float = 0.95, seed: int = 0
) -> list[SimilarityScore]:
    """Correlate cosines with people's scores.

    Args:
        vectors: the words with their vectors.
        sets: the pairs.
        confidence: the confidence of the intervals.
        seed: of the bootstrap.
    """
    check_confidence(confidence)
    unit = vectors.unit()
    found = []
    for each in sets:
        known = [
            (vectors.places[a], vectors.places[b], score)
            for a, b, score in each.pairs
            if {a, b} <= vectors.places.keys()
        ]
        spearman = low = high = None
        if len(known) >= _FEWEST:
            firsts, seconds = (np.array([pair[side] for pair in known]) for side in (0, 1))
            scores = np.array([score for _, _, score in known])
            cosines = np.einsum("pd,pd->p", unit[firsts], unit[seconds])
            spearman = rank_correlation(cosines, scores)
            correlation = RankCorrelation(cosines, scores)
            drawn = np.array(
                [correlation.over(draw) for draw in resampled_places(len(scores), draws=_DRAWS, seed=seed)]
            )
            low, high = percentile_ends(drawn, units=len(known), confidence=confidence)
        found.append(
            SimilarityScore(
                name=each.name, pairs=len(each.pairs), known=len(known), spearman=spearman, low=low, high=high
            )
        )
    return found


def rank_correlation(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Spearman's rho, ties at their mean rank; 0 where one side does not vary.

    Args:
        first: values of shape (n,).
        second: values of shape (n,).
    """
    return RankCorrelation(first, second).over(np.arange(len(first)))


class RankCorrelation:
    """Spearman's rho over any sample of pairs, as a bootstrap takes thousands of: their values are sorted only once.

    `scipy.stats.spearmanr` gives the same numbers fifty times as slowly, and warns and gives NaN where a sample has one
    value only.

    Args:
        first: values of shape (n,).
        second: values of shape (n,).
    """

    def __init__(self, first: NDArray[Any], second: NDArray[Any]) -> None:
        self._sides = [np.unique(side, return_inverse=True) for side in (first, second)]

    def over(self, places: NDArray[np.int64]) -> float:
        """Spearman's rho of the pairs at these places, which may repeat; 0 where one side does not vary."""
        ranks = [self._ranks(values, group[places]) for values, group in self._sides]
        scale = float(np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1])))
        return float(ranks[0] @ ranks[1]) / scale if scale else 0.0

    @staticmethod
    def _ranks(values: NDArray[Any], group: NDArray[np.int64]) -> NDArray[np.float64]:
        """The mean rank of each value's ties, less the mean of all; what is not a number has no rank."""
        counts = np.bincount(group, minlength=len(values))
        ranks = np.cumsum(counts) - (counts - 1) / 2
        ranks[np.isnan(values)] = np.nan
        found: NDArray[np.float64] = ranks[group] - (len(group) + 1) / 2
        return found
