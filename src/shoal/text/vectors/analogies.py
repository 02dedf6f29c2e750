"""Evaluation of word vectors by analogies: a is to b as c is to which word (Mikolov et al. 2013, arXiv:1301.3781).

The answer is the word whose cosines with the words of the question are best combined, by a sum (3CosAdd: the nearest to
b - a + c) or by a product (3CosMul: Levy and Goldberg 2014, CoNLL, eq. 4). Both leave the words of the question out.
That is a large part of why it works: with them allowed, the answer is mostly one of them (Linzen 2016,
arXiv:1606.07736), so that this number is given too.

Shapes: Q questions, V words.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.statistics import StudentTest, check_confidence, two_way_se, wilson_interval
from shoal.text.vectors.queries import combine_cosines
from shoal.textfiles import numbered_lines, read_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.text.vectors.wordvectors import WordVectors

# A batch's closeness to 100,000 words takes 200 MB.
_BATCH = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Analogies:
    """Questions of four words, by section."""

    sections: dict[str, tuple[tuple[str, str, str, str], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalogyScore:
    """Questions answered, in one section or over all."""

    name: str
    questions: int
    known: int
    """Questions of which all four words have a vector; the others do not count."""

    right: int
    """By 3CosAdd."""

    right_by_product: int | None = None
    """By 3CosMul."""

    right_without_exclusion: int | None = None
    """By 3CosAdd where the words of the question may be answers too."""

    low: float | None = None
    """Ends of the interval of `share`; None where the known questions have fewer than two pairs on either side."""

    high: float | None = None

    @property
    def share(self) -> float | None:
        """Right answers among the known questions, by 3CosAdd."""
        return self.right / self.known if self.known else None

    def __str__(self) -> str:
        """One line: the share of right answers with its interval, the other ways to answer, and the coverage."""
        share = "none is known" if self.share is None else f"{self.share:.1%} right"
        interval = "" if self.low is None or self.high is None else f" [{self.low:.1%}, {self.high:.1%}]"
        others = ""
        if self.known and self.right_by_product is not None and self.right_without_exclusion is not None:
            product, allowed = self.right_by_product / self.known, self.right_without_exclusion / self.known
            others = f"  ({product:.1%} by 3CosMul; {allowed:.1%} with the question's words allowed)"
        return f"{self.name:22}  {share + interval:24}  {self.known} of {self.questions} questions known{others}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "share": self.share}


def read_analogies(file: str | Path) -> Analogies:
    """Read questions of four words per line, under headings that begin with a colon; words become lower-case.

    Raises:
        DataError: a line that is neither, or no question at all.
    """
    file = Path(file)
    sections: dict[str, list[tuple[str, str, str, str]]] = {}
    heading = file.stem
    for number, line in numbered_lines(read_text(file)):
        if line.startswith(":"):
            heading = line[1:].strip()
        elif words := line.lower().split():
            if len(words) != 4:
                raise DataError(f"{file}, line {number}: expected four words, not {line!r}")
            sections.setdefault(heading, []).append((words[0], words[1], words[2], words[3]))
    if not sections:
        raise DataError(f"{file} holds no question; give a file with four words per line")
    return Analogies(sections={name: tuple(questions) for name, questions in sections.items()})


def judge_analogies(vectors: WordVectors, analogies: Analogies, *, confidence: float = 0.95) -> list[AnalogyScore]:
    """Answer every question; the last row is the whole.

    The questions of a set combine few pairs of words, so that they are clustered in two ways, by their first and by
    their second pair; the intervals take that into account (Cameron, Gelbach and Miller 2011).

    Args:
        vectors: the words with their vectors.
        analogies: the questions, by section.
        confidence: of the intervals.
    """
    check_confidence(confidence)
    unit = vectors.unit()
    scores, every = [], []
    for name, questions in analogies.sections.items():
        known = np.array(
            [[vectors.places[word] for word in each] for each in questions if set(each) <= vectors.places.keys()],
            dtype=np.int64,
        ).reshape(-1, 4)
        right_Q3 = np.concatenate(
            [np.zeros((0, 3), bool), *(_right(unit, known[at : at + _BATCH]) for at in range(0, len(known), _BATCH))]
        )
        every.append((known, right_Q3))
        scores.append(_score(name, len(questions), known, right_Q3, confidence))
    known, right_Q3 = (np.concatenate([parts[side] for parts in every]) for side in (0, 1))
    return [*scores, _score("all", sum(score.questions for score in scores), known, right_Q3, confidence)]


def _score(
    name: str, questions: int, known_Q4: NDArray[np.int64], right_Q3: NDArray[np.bool_], confidence: float
) -> AnalogyScore:
    sums = right_Q3.sum(axis=0).tolist()
    low, high = _interval(known_Q4, right_Q3[:, 0].astype(float), confidence)
    return AnalogyScore(
        name=name,
        questions=questions,
        known=len(known_Q4),
        right=sums[0],
        right_by_product=sums[1],
        right_without_exclusion=sums[2],
        low=low,
        high=high,
    )


def _interval(
    known_Q4: NDArray[np.int64], right_Q: NDArray[np.float64], confidence: float
) -> tuple[float, float] | tuple[None, None]:
    """Of the share of right answers, by Student's t over pairs; Wilson's over the pairs where all answers are alike."""
    firsts, seconds = ([tuple(pair) for pair in known_Q4[:, side].tolist()] for side in ([0, 1], [2, 3]))
    clusters = min(len(set(firsts)), len(set(seconds)))
    if clusters < 2:
        return None, None
    share = float(right_Q.mean())
    if share in (0.0, 1.0):
        interval = wilson_interval(round(share) * clusters, clusters, confidence=confidence)
        return interval.low, interval.high
    error = two_way_se(((right_Q - share) / len(right_Q)).tolist(), firsts, seconds)
    low, high = StudentTest(estimate=share, standard_error=error, freedom=clusters - 1).interval(confidence)
    return max(0.0, low), min(1.0, high)


def _right(unit: NDArray[Any], known_Q4: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of a batch of questions are answered by their fourth word: by 3CosAdd, 3CosMul, and without exclusion."""
    first, second, third, fourth = known_Q4.T
    cosines = [unit[words] @ unit.T for words in (second, third, first)]
    found = []
    for product in (False, True):
        closeness_QV = combine_cosines(cosines[:2], cosines[2:], product=product)
        if not product:
            # Before any word is left out.
            allowed = closeness_QV.argmax(axis=1) == fourth
        rows = np.arange(len(known_Q4))
        for given in (first, second, third):
            closeness_QV[rows, given] = -np.inf
        found.append(closeness_QV.argmax(axis=1) == fourth)
    return np.stack([*found, allowed], axis=1)
