"""In which order a model reads its corpora: fixed before the first step, a function of the recipe and the seed alone.

Documents longer than the context are cut into pieces. Each corpus is a ring of its pieces, shuffled anew for every
turn; a stage takes from each ring as many tokens as its share says, and mixes what it took.

Shapes: P pieces of a corpus, N pieces of the whole training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.experiments.pretraining.heldout import Mask
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.tokens import TokenizedCorpus

    Places = np.ndarray[Any, np.dtype[np.int64]]

_MOST_PIECES = 2**31


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of one corpus: from a place in its token file, so many tokens that are read and predicted from."""

    starts_P: Places
    lengths_P: Places
    """Tokens to predict: one less than the tokens of the piece."""

    begins_P: Mask
    """Whether a piece is the beginning of its document."""


@dataclass(frozen=True, slots=True)
class Order:
    """The pieces in the order in which they are read."""

    corpus_N: np.ndarray[Any, np.dtype[np.int16]]
    piece_N: Places
    lengths_N: Places
    stages: tuple[int, ...]
    """How many pieces each stage has."""


def cut_pieces(corpus: TokenizedCorpus, seen_D: Mask, context: int) -> Pieces:
    """The seen documents, each in pieces of at most ``context`` tokens to predict.

    A piece begins with the last token of the one before it, so that every token but a document's first is predicted
    once.
    """
    starts_D, stops_D = corpus.starts[seen_D], np.asarray(corpus.file.ends)[seen_D]
    targets_D = stops_D - starts_D - 1
    counts_D = np.maximum(-(-targets_D // context), 0)
    which = np.repeat(np.arange(len(starts_D)), counts_D)
    first_D = np.cumsum(counts_D) - counts_D
    part = np.arange(len(which)) - first_D[which]
    starts = starts_D[which] + part * context
    return Pieces(starts, np.minimum(context, stops_D[which] - 1 - starts), part == 0)


def plan_order(pieces: Mapping[str, Pieces], recipe: Recipe) -> Order:
    """Which piece is read when.

    Args:
        pieces: by corpus, in the order of the recipe.
        recipe: says the stages, or the passes, and how many tokens in all.
    """
    names = list(pieces)
    rings = [_Ring(pieces[name], [recipe.seed, place], recipe) for place, name in enumerate(names)]
    corpus_parts, piece_parts = [], []
    for place, wanted in enumerate(_wanted(pieces, recipe)):
        taken = [ring.take(tokens) for ring, tokens in zip(rings, wanted, strict=True)]
        corpus = np.repeat(np.arange(len(names), dtype=np.int16), [len(part) for part in taken])
        piece = np.concatenate(taken)
        if recipe.training.order == "shuffled":
            mixed = np.random.default_rng([recipe.seed, place, 1]).permutation(len(piece))
            corpus, piece = corpus[mixed], piece[mixed]
        corpus_parts.append(corpus)
        piece_parts.append(piece)
    corpus_N, piece_N = np.concatenate(corpus_parts), np.concatenate(piece_parts)
    lengths_N = np.zeros(len(piece_N), dtype=np.int64)
    for place, name in enumerate(names):
        lengths_N[corpus_N == place] = pieces[name].lengths_P[piece_N[corpus_N == place]]
    return Order(corpus_N, piece_N, lengths_N, tuple(map(len, piece_parts)))


def _wanted(pieces: Mapping[str, Pieces], recipe: Recipe) -> list[list[float]]:
    """For each stage, the tokens that are taken of each corpus."""
    if recipe.stages:
        stages = [
            [stage.tokens * stage.shares.get(name, 0.0) / sum(stage.shares.values()) for name in pieces]
            for stage in recipe.stages
        ]
    else:
        stages = [[corpus.passes * float(pieces[corpus.name].lengths_P.sum()) for corpus in recipe.corpus]]
    if recipe.training.tokens is None:
        return stages
    scale = recipe.training.tokens / sum(map(sum, stages))
    return [[tokens * scale for tokens in stage] for stage in stages]


class _Ring:
    """The pieces of a corpus without end, shuffled anew each turn unless the order is given."""

    def __init__(self, pieces: Pieces, seed: Sequence[int], recipe: Recipe) -> None:
        self._lengths_P, self._seed = pieces.lengths_P, list(seed)
        self._shuffled = recipe.training.order == "shuffled"
        self._turn, self._rest = 0, np.zeros(0, dtype=np.int64)

    def take(self, tokens: float) -> Places:
        """The next pieces that hold about so many tokens: the last is taken where more than half of it is wanted."""
        taken: list[Places] = [np.zeros(0, dtype=np.int64)]
        for part in self._parts():
            reach = np.cumsum(self._lengths_P[part])
            count = int(np.searchsorted(reach - self._lengths_P[part] / 2, tokens))
            taken.append(part[:count])
            tokens -= float(reach[count - 1]) if count else 0.0
            if count < len(part):
                self._rest = part[count:]
                break
            if sum(map(len, taken)) > _MOST_PIECES:
                raise DataError("the recipe asks for more than 2 billion pieces of text; lower its tokens or passes")
        return np.concatenate(taken)

    def _parts(self) -> Iterator[Places]:
        """What is left of this turn, and then whole turns."""
        rest, self._rest = self._rest, np.zeros(0, dtype=np.int64)
        if len(rest):
            yield rest
        while True:
            places = np.arange(len(self._lengths_P), dtype=np.int64)
            if self._shuffled:
                places = np.random.default_rng([*self._seed, self._turn, 2]).permutation(places)
            self._turn += 1
            yield places
