"""Batches of whole documents from several token files, each gone through a number of times.

Every document of a file is seen once a pass, in a new order; files are mixed evenly over the whole training. A step
holds documents up to its number of tokens, and no document sees another. One that is longer than the context is cut
into pieces that overlap by the token that the later piece begins with, so that every token but a document's first is
predicted once a pass. The order is a function of the seed, the files and the settings alone, and a step of its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError, UsageError
from shoal.training.batches import Batch, Document, digest_of
from shoal.training.filling import fill_bins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.training.batches import IntArray
    from shoal.training.settings import TrainSettings
    from shoal.training.tokenfile import TokenFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """A token file and how often it is gone through."""

    file: TokenFile
    passes: float = 1.0
    """Passes an epoch of the training; a part of one is allowed."""
    name: str = "documents"
    """What an error message calls it."""


class PackedDocuments:
    """Whole documents, packed into steps of a number of tokens.

    Cost: 24 bytes a piece and pass, and the time of `fill_bins` once.
    """

    def __init__(self, portions: Sequence[Portion], settings: TrainSettings, *, context: int) -> None:
        self._portions = tuple(portions)
        _refuse_unusable(self._portions)
        self._longest = min(context, settings.batch_tokens)
        pieces = [_pieces(portion.file, self._longest) for portion in self._portions]
        self._pieces_N3 = np.concatenate(
            [np.column_stack([np.full(len(rows), place), rows]) for place, rows in enumerate(pieces)]
        )
        counts = [len(rows) for rows in pieces]
        passes = [portion.passes * settings.epochs for portion in self._portions]
        order = mixed_order(counts, passes, settings.seed)
        sizes = self._pieces_N3[:, 2][order].tolist()
        bins = list(fill_bins(enumerate(sizes), settings.batch_tokens))
        self._bins = np.concatenate([order[chosen] for chosen in bins])
        self._ends = np.cumsum([len(chosen) for chosen in bins])
        self.steps = len(bins)
        self.tokens = sum(sizes)
        self.efficiency = self.tokens / (self.steps * settings.batch_tokens)
        """Share of the places of all steps that hold a token."""
        self.digest = digest_of(
            [np.frombuffer(bytes.fromhex(portion.file.digest), np.uint8) for portion in self._portions],
            [context, *np.asarray([portion.passes for portion in self._portions]).view(np.int64).tolist()],
        )

    def batch(self, step: int) -> Batch:
        """The documents of a step."""
        start = int(self._ends[step - 1]) if step else 0
        rows = self._pieces_N3[self._bins[start : int(self._ends[step])]].tolist()
        return Batch(tuple(self._document(*row) for row in rows), self._name(rows))

    def _document(self, portion: int, start: int, size: int) -> Document:
        ids = self._portions[portion].file.tokens[start : start + size + 1]
        return Document(ids.astype(np.int64), 1)

    def _name(self, rows: list[list[int]]) -> str:
        told = []
        for portion, start, _ in rows[:8]:
            place = int(np.searchsorted(self._portions[portion].file.ends, start, side="right"))
            told.append(f"{self._portions[portion].name} {place}")
        return ", ".join(told) + (", ..." if len(rows) > 8 else "")


def mixed_order(counts: Sequence[int], passes: Sequence[float], seed: int) -> IntArray:
    """The places of pieces, file after file, in the order of training: each pass a permutation, files mixed evenly."""
    places, moments = [], []
    first = 0
    for number, (count, times) in enumerate(zip(counts, passes, strict=True)):
        total = max(1, round(times * count))
        rounds = [np.random.default_rng([seed, number, k]).permutation(count) for k in range(-(-total // count))]
        places.append(np.concatenate(rounds)[:total] + first)
        moments.append((np.arange(total) + np.random.default_rng([seed, number]).random(total)) / total)
        first += count
    order: IntArray = np.concatenate(places)[np.argsort(np.concatenate(moments), kind="stable")]
    return order


def _pieces(file: TokenFile, longest: int) -> IntArray:
    """Start and number of predicted tokens of each piece (N × 2)."""
    lengths = file.lengths - 1
    starts = file.ends - file.lengths
    counts = -(-lengths // longest)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    offsets = number * longest
    sizes = np.minimum(np.repeat(lengths, counts) - offsets, longest)
    return np.column_stack([np.repeat(starts, counts) + offsets, sizes])


def _refuse_unusable(portions: Sequence[Portion]) -> None:
    if not portions:
        raise DataError("there are no documents to train on; give at least one token file")
    for portion in portions:
        if not portion.passes > 0:
            raise UsageError(f"{portion.name}: passes = {portion.passes}; give a number above 0, or leave the file out")
        if int(portion.file.lengths.max()) < 2:
            raise DataError(f"{portion.name}: every document is a single token, so there is nothing to predict")
