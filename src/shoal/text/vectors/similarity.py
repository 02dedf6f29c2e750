"""Word vectors judged by people's judgements of similarity: the rank correlation over the pairs that are known.

Source of the measure: Spearman (1904); intervals by the bootstrap over pairs (Efron and Tibshirani 1993, section 13.3).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.statistics import check_confidence, percentile_interval, resampled_places
from shoal.textfiles import numbered_lines, read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.text.vectors.wordvectors import WordVectors

_DRAWS = 1000
_FEWEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPairs:
    """Pairs of words with people's scores."""

    name: str
    pairs: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityScore:
    """How the cosines of vectors rank pairs, beside people."""

    name: str
    pairs: int
    known: int
    """Pairs of which both words have a vector; the others do not count."""

    spearman: float | None
    """Of the known pairs; None where there are fewer than ten."""

    low: float | None
    high: float | None

    @property
    def coverage(self) -> float:
        """The share of pairs that are known."""
        return self.known / self.pairs

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "coverage": self.coverage}


def read_pairs(file: str | Path) -> WordPairs:
    """Read lines of word, word, score between tabs or blanks; words become lower-case.

    Raises:
        DataError: a line that is not so, or no line at all.
    """
    file = Path(file)
    pairs = []
    for number, line in numbered_lines(read_text(file)):
        try:
            first, second, score = line.split()
            pairs.append((first.lower(), second.lower(), float(score)))
        except ValueError as error:
            raise DataError(f"{file}, line {number}: expected two words and a number, not {line!r}") from error
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
            draws = resampled_places(len(scores), draws=_DRAWS, seed=seed)
            drawn = np.array([rank_correlation(cosines[draw], scores[draw]) for draw in draws])
            low, high = percentile_interval(drawn, confidence)
        found.append(
            SimilarityScore(
                name=each.name, pairs=len(each.pairs), known=len(known), spearman=spearman, low=low, high=high
            )
        )
    return found


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rho, ties at their mean rank; 0 where one side does not vary."""
    from scipy.stats import rankdata

    ranks = [rankdata(side) - (len(side) + 1) / 2 for side in (first, second)]
    scale = float(np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1])))
    return float(ranks[0] @ ranks[1]) / scale if scale else 0.0
