"""Word vectors judged by analogies: a is to b as c is to which word?

Source: Mikolov et al. (2013), arXiv:1301.3781, section 4; the answer is the word nearest to b - a + c by cosine, those
three words left out (3CosAdd, Levy and Goldberg 2014, CoNLL, eq. 2).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.textfiles import numbered_lines, read_text

if TYPE_CHECKING:
    from shoal.text.vectors.wordvectors import WordVectors

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

    @property
    def share(self) -> float | None:
        """Right answers among the known questions."""
        return self.right / self.known if self.known else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "share": self.share}


def read_analogies(file: str | Path) -> Analogies:
    """Read questions of four words a line, under headings that begin with a colon; words become lower-case.

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
        raise DataError(f"{file} holds no question; give a file with four words a line")
    return Analogies(sections={name: tuple(questions) for name, questions in sections.items()})


def judge_analogies(vectors: WordVectors, analogies: Analogies) -> list[AnalogyScore]:
    """Answer every question; the last row is the whole."""
    unit = vectors.unit()
    scores = []
    for name, questions in analogies.sections.items():
        known = np.array(
            [[vectors.places[word] for word in each] for each in questions if set(each) <= vectors.places.keys()],
            dtype=np.int64,
        ).reshape(-1, 4)
        right = sum(_right(unit, known[start : start + _BATCH]) for start in range(0, len(known), _BATCH))
        scores.append(AnalogyScore(name=name, questions=len(questions), known=len(known), right=right))
    total = {field: sum(getattr(score, field) for score in scores) for field in ("questions", "known", "right")}
    return [*scores, AnalogyScore(name="all", **total)]


def _right(unit: np.ndarray, known_Q4: np.ndarray) -> int:
    """How many of a batch of questions are answered by their fourth word."""
    first, second, third, fourth = known_Q4.T
    closeness_QV = (unit[second] - unit[first] + unit[third]) @ unit.T
    rows = np.arange(len(known_Q4))
    for given in (first, second, third):
        closeness_QV[rows, given] = -np.inf
    return int((closeness_QV.argmax(axis=1) == fourth).sum())
