"""Programs against the answers of one model: which of them make the answers shorter than the null does."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.candidates import race_of
from shoal.attribution.programs.copying import ConstantAnswer
from shoal.attribution.programs.null import (
    completion_noise,
    mixture_bits,
    program_noise,
    sampled_mixture_bits,
    sequential_noise,
)
from shoal.attribution.programs.tables import fit_tables

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

_SAMPLED = 12
"""Of these the bits are found by sampling; those of the others are bounds, some bits too many."""

_WEIGHTS = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97])
"""Weights of a program in the mixture by which those that are scored in full are chosen."""

_MIN_WEIGHT = 0.02
"""Answers of an item with less weight are left out: they cost time and move no bit."""

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
    """Programs by items: whether the program applies and its answer is neither the rule's nor that of one added."""

    follows: NDArray[np.bool_] = field(init=False)
    """Of these: the model's answer is the program's, or is not right where a partial program has none."""

    _parts: NDArray[np.float64] = field(init=False)
    """Answers by parts of the null: those found, the rule, the named explanations, the noises."""

    _noise: NDArray[np.float64] = field(init=False)
    """The probability of each answer under the noises alone, in the shares that the wrong answers before suggest."""

    _items: NDArray[np.intp] = field(init=False)
    """The item of each answer: an item may have several, with weights by the model's probabilities."""

    _weights: NDArray[np.float64] = field(init=False)
    _row_hits: NDArray[np.bool_] = field(init=False)
    """Programs by answers: whether the program gives the answer."""

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
        self.bits = np.concatenate([library.bits, own_bits, *(each.bits(library.context) for each in tables)])
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
        self._prepare_race()

    def _prepare_race(self) -> None:
        """The answers that each item may have with their weights, in an order that is none of the model's."""
        prompts = [each.prompt for each in self.answers]
        # By a hash, so that the order does not follow the lengths of the items either.
        order = sorted(range(len(prompts)), key=lambda row: hashlib.blake2b(prompts[row].encode()).digest())
        table = self.table.answers
        races = [
            (row, text, weight) for row in order for text, weight in race_of(self.answers[row], table[row]).items()
        ]
        races = [each for each in races if each[2] >= _MIN_WEIGHT]
        texts = [text for _, text, _ in races]
        self._items = np.array([row for row, _, _ in races])
        weights = np.array([weight for _, _, weight in races])
        self._weights = weights / np.bincount(self._items, weights)[self._items]
        numbers = self.library.texts.row(texts)
        self._row_hits = self.outputs[:, self._items] == numbers
        known = [self.library.texts.row(self.table.column(name))[self._items] == numbers for name in self.table.names]
        completions = completion_noise(texts, self.library.context.completions)
        noises = np.column_stack([completions, program_noise(self._row_hits, self.bits)])
        self._parts = np.column_stack([*(each.astype(float) for each in known), noises])
        # Right answers are the rule's, and teach nothing of how the model errs.
        right = self.library.texts.row([each.expected for each in self.answers])[self._items]
        self._noise = sequential_noise(noises, self._items, self._weights * (numbers != right))

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
        """Tables of the answers, and of those that are not right: where the rule has a share, these are the rest."""
        labels = self.library.context.labels
        if not labels:
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
        # The next one must be followed where it is neither the rule nor this program, or it is this one in disguise.
        new = self.outputs != self.outputs[program]
        self.differs = self.differs & new
        self.follows = self.follows & new

    def _likely(self, programs: NDArray[np.intp]) -> NDArray[np.float64]:
        """Programs by items: the probability of the answer; where a program does not apply, it is that of noise."""
        applies = self.outputs[programs][:, self._items] >= 0
        return np.where(applies, self._row_hits[programs], self._noise[None, :])

    def expected_follows(self, program: int) -> float:
        """On how many items that differ from the rule the model follows a program, by its probabilities.

        Args:
            program: its row of `outputs`.
        """
        # Where a partial program has no answer, greedy answers alone show that the model is not right.
        partial = self.follows[program] & ~self.hits[program]
        given = self._row_hits[program] & self.differs[program][self._items]
        return float(self._weights @ given + partial.sum())

    def bits_saved(self) -> list[tuple[int, float]]:
        """The programs that look best with the bits that each saves, its code length taken off; the best first."""
        chosen = self._promising()
        likely = self._likely(chosen)
        bits = mixture_bits(self._parts, likely, weights=self._weights)
        for place in np.argsort(bits + self.bits[chosen])[:_SAMPLED]:
            bits[place] = sampled_mixture_bits(self._parts, likely[place], weights=self._weights)
        saved = sampled_mixture_bits(self._parts, weights=self._weights) - bits - self.bits[chosen]
        found = zip(chosen.tolist(), saved.tolist(), strict=True)
        return sorted(found, key=lambda each: -each[1])

    def _promising(self) -> NDArray[np.intp]:
        """The programs that save most when they are mixed with what the null expects of each answer."""
        parts = self._parts
        weights = np.full(parts.shape[1], 1 / parts.shape[1])
        for _ in range(30):  # expectation maximisation; the filter needs no more than the first digits
            joint = parts * weights + 1e-300
            weights = self._weights @ (joint / joint.sum(axis=1, keepdims=True)) / len(self.answers)
        expected = np.maximum(parts @ weights, 1e-300)
        gains = np.log2(1 - _WEIGHTS[:, None] + _WEIGHTS[:, None] / expected)
        losses = np.log2(1 - _WEIGHTS)[:, None]
        change = ((gains - losses) * self._weights).T.astype(np.float32)
        saved = self._row_hits.astype(np.float32) @ change + losses.T * len(self.answers)
        score = saved.max(axis=1) - self.bits
        return np.argsort(-score, kind="stable")[:_SCORED]
