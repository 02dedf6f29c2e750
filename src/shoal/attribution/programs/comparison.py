"""Programs against the answers of one model: which of them make the answers shorter than the null does."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.programs.copying import AnswerTable, ConstantAnswer
from shoal.attribution.programs.null import completion_noise, mixture_bits, program_noise
from shoal.attribution.programs.program import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shoal.attribution.answers import ItemAnswer
    from shoal.attribution.candidates import CandidateTable
    from shoal.attribution.programs.library import ProgramLibrary
    from shoal.attribution.programs.program import Program

_SCORED = 400
"""Programs that are scored in full; the others cannot save as much by a bound that is quick to compute."""

_WEIGHTS = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97])
"""Weights of a program in the mixture by which those that are scored in full are chosen."""

_CONSTANTS = 3
"""Of the model's own commonest answers are tried as constant answers."""

_MAX_LABELS = 12
"""Tables are tried where the seen completions are labels: at most so many different ones."""


@dataclass(slots=True)
class ProgramComparison:
    """The programs of a library, and those fitted to the answers, on the items of one model."""

    library: ProgramLibrary
    answers: Sequence[ItemAnswer]
    table: CandidateTable
    programs: list[Program] = field(init=False)
    bits: NDArray[np.float64] = field(init=False)
    outputs: NDArray[np.int32] = field(init=False)
    hits: NDArray[np.bool_] = field(init=False)
    """Programs by items: whether the model's answer is the program's."""

    differs: NDArray[np.bool_] = field(init=False)
    """Programs by items: whether the program applies and its answer is not the rule's."""

    follows: NDArray[np.bool_] = field(init=False)
    """Of these: the model's answer is the program's, or is not right where a partial program has none."""

    _parts: NDArray[np.float64] = field(init=False)
    """Items by parts of the null: the rule, the named explanations, those found, the two noises."""

    _order: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        library, number = self.library, self.library.texts.__getitem__
        # An answer that does not end is no completion: no program gives it.
        given = np.array([number(each.answer if each.ends else f"{each.answer}\0") for each in self.answers], np.int32)
        right = np.array([number(each.expected) for each in self.answers], np.int32)
        fitted = list(self._fitted(given, right))
        rows = [library.texts.row(each.answers(library.batch)) for each in fitted]
        self.programs = [*library.programs, *fitted]
        self.bits = np.concatenate([library.bits, [each.bits(library.context) for each in fitted]])
        self.outputs = np.concatenate([library.outputs, np.array(rows, np.int32).reshape(-1, len(given))])
        self.hits = self.outputs == given
        partial = np.array([each.partial for each in self.programs])
        applies = self.outputs >= 0
        self.differs = (self.outputs != right) & (applies | partial[:, None])
        self.follows = self.differs & (self.hits | (~applies & (given != right)))
        known = [library.texts.row(self.table.column(name)) == given for name in self.table.names]
        completions = self.library.context.completions
        noises = [
            completion_noise([each.answer for each in self.answers], completions),
            program_noise(self.hits, self.bits),
        ]
        self._parts = np.array([*known, *noises], dtype=float).T
        digests = [hashlib.blake2b(each.prompt.encode(), digest_size=8).digest() for each in self.answers]
        # The order of the items is none of the model's: by a hash, so that it does not follow their lengths either.
        self._order = np.array(sorted(range(len(digests)), key=digests.__getitem__))

    def _fitted(self, given: NDArray[np.int32], right: NDArray[np.int32]) -> Iterator[Program]:
        """Programs that are made of the model's own answers: constants and tables."""
        texts = [each.answer for each in self.answers]
        yield from (ConstantAnswer(text) for text, _ in Counter(texts).most_common(_CONSTANTS) if text)
        labels = set(self.library.context.completions)
        if not 2 <= len(labels) <= _MAX_LABELS:
            return
        wrong = given != right
        for key in self.library.keys:
            values = keys(self.library.batch, key)
            for rows in (range(len(texts)), np.flatnonzero(wrong)):
                counts: dict[object, Counter[str]] = {}
                for row in rows:
                    if texts[row] in labels and values[row] is not None:
                        counts.setdefault(values[row], Counter())[texts[row]] += 1
                if len(counts) > 1:
                    entries = tuple((value, found.most_common(1)[0][0]) for value, found in counts.items())
                    yield AnswerTable(key, tuple(sorted(entries, key=str)))

    def add(self, program: int) -> None:
        """Make a program one of the named explanations.

        Args:
            program: its place in `programs`.
        """
        self._parts = np.column_stack([self._likely(np.array([program]))[0], self._parts])

    def _likely(self, programs: NDArray[np.intp]) -> NDArray[np.float64]:
        """Programs by items: the probability of the answer; where a program does not apply, chance has its place."""
        return np.where(self.outputs[programs] >= 0, self.hits[programs], self._parts[:, -2][None, :])

    def null_bits(self) -> float:
        """Bits of the answers without a further program."""
        return float(mixture_bits(self._parts[self._order])[0])

    def bits_saved(self) -> list[tuple[int, float]]:
        """The programs that look best with the bits that each saves, its code length taken off; the best first."""
        chosen = self._promising()
        likely = self._likely(chosen)
        saved = self.null_bits() - mixture_bits(self._parts[self._order], likely[:, self._order]) - self.bits[chosen]
        return sorted(((int(place), float(value)) for place, value in zip(chosen, saved, strict=True)), key=_best)

    def _promising(self) -> NDArray[np.intp]:
        """The programs that save most when they are mixed with what the null expects of each answer."""
        parts = self._parts
        weights = np.full(parts.shape[1], 1 / parts.shape[1])
        for _ in range(30):  # expectation maximisation; the filter needs no more than the first digits
            joint = parts * weights + 1e-300
            weights = (joint / joint.sum(axis=1, keepdims=True)).mean(axis=0)
        expected = np.maximum(parts @ weights, 1e-300)
        gains = np.log2(1 - _WEIGHTS[:, None] + _WEIGHTS[:, None] / expected)
        losses = np.log2(1 - _WEIGHTS)[:, None]
        saved = (self.hits.astype(np.float32) @ (gains - losses).T.astype(np.float32)) + losses.T * len(expected)
        score = saved.max(axis=1) - self.bits
        return np.argsort(-score, kind="stable")[:_SCORED]


def _best(found: tuple[int, float]) -> float:
    return -found[1]
