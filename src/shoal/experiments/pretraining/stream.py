"""The batches of a pretraining: pieces of documents from the memory-mapped tokens, in the planned order.

The pieces of a stage are laid into steps that are full (`shoal.training.filling`). No piece sees another: the loop
gives each its own positions and attention.

Shapes: N pieces of the whole training.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError
from shoal.training import Batch, Document, fill_bins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments.pretraining.order import Order, Pieces, Places
    from shoal.experiments.pretraining.tokens import TokenizedCorpus


class PieceStream:
    """A `BatchSource` over several corpora."""

    def __init__(
        self,
        corpora: Mapping[str, TokenizedCorpus],
        pieces: Mapping[str, Pieces],
        order: Order,
        *,
        batch_tokens: int,
        bare: float,
        seed: int,
    ) -> None:
        """Prepare.

        Args:
            corpora: by name.
            pieces: of each corpus, in the same order.
            order: in which they are read.
            batch_tokens: tokens to predict in a step.
            bare: share of the beginnings of documents that are read without what stands before a text.
            seed: chooses those.

        Raises:
            DataError: there is nothing to train on.
        """
        if not len(order.piece_N):
            raise DataError("the recipe leaves no token to train on; raise training.tokens, the passes or the text")
        self._names, self._corpora, self._pieces = list(corpora), list(corpora.values()), list(pieces.values())
        self._order = order
        self._bins_N, self._ends = _bins(order, batch_tokens)
        self.steps, self.tokens = len(self._ends), int(order.lengths_N.sum())
        self.efficiency = self.tokens / (self.steps * batch_tokens)
        """Share of the places of all steps that hold a token."""
        self._bare_N = np.random.default_rng([seed, 3]).random(len(order.piece_N)) < bare
        self.digest = self._identity()

    def batch(self, step: int) -> Batch:
        """The pieces of a step."""
        start = int(self._ends[step - 1]) if step else 0
        places = self._bins_N[start : int(self._ends[step])].tolist()
        told = [self._name(place) for place in places[:8]] + (["..."] if len(places) > 8 else [])
        return Batch(tuple(self._document(place) for place in places), f"batch {step + 1}: {', '.join(told)}")

    def _document(self, place: int) -> Document:
        which = int(self._order.corpus_N[place])
        corpus, pieces, piece = self._corpora[which], self._pieces[which], int(self._order.piece_N[place])
        start = int(pieces.starts_P[piece])
        stop = start + int(pieces.lengths_P[piece]) + 1
        boundary = 1
        if pieces.begins_P[piece]:
            if bool(self._bare_N[place]) and stop - start > corpus.opening + 1:
                start += corpus.opening
            else:
                boundary = corpus.opening
        return Document(np.asarray(corpus.file.tokens[start:stop], dtype=np.int64), boundary)

    def _name(self, place: int) -> str:
        """The document of a piece, by its corpus and its place there."""
        which = int(self._order.corpus_N[place])
        start = int(self._pieces[which].starts_P[int(self._order.piece_N[place])])
        return f"{self._names[which]} {int(np.searchsorted(self._corpora[which].file.ends, start, side='right'))}"

    def _identity(self) -> str:
        state = hashlib.sha256()
        for corpus, pieces in zip(self._corpora, self._pieces, strict=True):
            state.update(corpus.file.digest.encode())
            state.update(np.ascontiguousarray(pieces.starts_P).data)
        for array in (self._order.corpus_N, self._order.piece_N, self._bins_N, self._ends, self._bare_N):
            state.update(np.ascontiguousarray(array).data)
        return state.hexdigest()


def _bins(order: Order, batch_tokens: int) -> tuple[Places, Places]:
    """The places of all pieces step after step, and where each step ends."""
    bins: list[Places] = []
    first = 0
    for count in order.stages:
        lengths = order.lengths_N[first : first + count].tolist()
        bins += [np.asarray(chosen) + first for chosen in fill_bins(enumerate(lengths), batch_tokens)]
        first += count
    return np.concatenate(bins), np.cumsum([len(chosen) for chosen in bins])
