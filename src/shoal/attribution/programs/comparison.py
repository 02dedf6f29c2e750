"""Programs against the answers of one model: which of them make the answers shorter than the null does."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.programs.copying import AnswerTable, ConstantAnswer
from shoal.attribution.programs.null import completion_noise, mixture_bits, program_noise
from shoal.attribution.programs.tables import MAX_LABELS, fit_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.attribution.answers import ItemAnswer
    from shoal.attribution.candidates import CandidateTable
    from shoal.attribution.programs.library import ProgramLibrary
    from shoal.attribution.programs.program import Program
    from shoal.attribution.programs.tables import FittedTables

_SCORED = 400
"""Programs that are scored in full; the others cannot save as much by a bound that is quick to compute."""

_WEIGHTS = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97])
"""Weights of a program in the mixture by which those that are scored in full are chosen."""

_CONSTANTS = 3
"""Of the model's own commonest answers are tried as constant answers."""


@dataclass(slots=True)
class ProgramComparison:
    """The programs of a library, and those fitted to the answers, on the items of one model."""

    library: ProgramLibrary
    answers: Sequence[ItemAnswer]
    table: CandidateTable
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
    _made: list[Program] = field(init=False)
    _tables_by_place: list[tuple[FittedTables, int]] = field(init=False)
    """What comes after the programs that are made: tables are made into programs when they are shown."""

    def __post_init__(self) -> None:
        library, number = self.library, self.library.texts.__getitem__
        # An answer that does not end is no completion: no program gives it.
        given = np.array([number(each.answer if each.ends else f"{each.answer}\0") for each in self.answers], np.int32)
        right = np.array([number(each.expected) for each in self.answers], np.int32)
        constants = [ConstantAnswer(text) for text in self._commonest()]
        tables = self._tables(given, right)
        self._made = [*library.programs, *constants]
        self._tables_by_place = [(table, place) for table in tables for place in range(len(table.outputs))]
        own_bits = [each.bits(library.context) for each in constants]
        self.bits = np.concatenate([library.bits, own_bits, *(each.bits(AnswerTable.share) for each in tables)])
        answers = [library.texts.row(each.answers(library.batch)) for each in constants]
        numbers = [library.texts.row([None, *each.labels])[each.outputs + 1] for each in tables]
        size = len(given)
        self.outputs = np.concatenate([library.outputs, np.array(answers, np.int32).reshape(-1, size), *numbers])
        self.hits = self.outputs == given
        partial = np.zeros(len(self.outputs), bool)
        partial[: len(self._made)] = [each.partial for each in self._made]
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

    def program(self, place: int) -> Program:
        """The program at a place.

        Args:
            place: a row of `outputs`.
        """
        if place < len(self._made):
            return self._made[place]
        table, row = self._tables_by_place[place - len(self._made)]
        return table.program(row)

    def _commonest(self) -> list[str]:
        """The model's own commonest answers, which may be constant ones."""
        texts = Counter(each.answer for each in self.answers if each.answer)
        return [text for text, _ in texts.most_common(_CONSTANTS)]

    def _tables(self, given: NDArray[np.int32], right: NDArray[np.int32]) -> list[FittedTables]:
        """Tables of the answers, and of those that are not right: where the rule has its share, these are the others."""
        labels = sorted(set(self.library.context.completions))
        if not 2 <= len(labels) <= MAX_LABELS:
            return []
        places = {number: place for place, number in enumerate(self.library.texts.row(labels).tolist())}
        answers = np.array([places.get(number, -1) for number in given.tolist()], np.int32)
        wrong = np.where(given != right, answers, -1).astype(np.int32)
        return [fit_tables(self.library.keys, labels, each) for each in (answers, wrong)]

    def add(self, program: int) -> None:
        """Make a program one of the named explanations.

        Args:
            program: its row of `outputs`.
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
