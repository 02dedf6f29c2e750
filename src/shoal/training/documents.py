"""Batches of whole documents from the token files of several corpora, in an order that is fixed before the first step.

Documents longer than the context are cut into pieces. Each corpus is a ring of its pieces, shuffled for every turn; a
stage of the training takes from each ring as many tokens as it wants of that corpus, and mixes what it took. The pieces
of a stage are packed into steps that are nearly full (`fill_bins`). Where a stage reads a corpus several times, its
passes are mixed, so that a document may come again at once; with the order ``fresh`` each pass is a stage of its own,
in an order and steps of its own. No piece sees another: the loop gives each its own
positions and attention. The order is a function of the seed, the files and the arguments alone, and a batch one of its
number, so that a training that is resumed needs no state of its data.

Cost: 19 bytes per piece of the whole training, and one search in a sorted list for each piece.

Shapes: D documents of a corpus, P pieces of a corpus, N pieces of the whole training.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right, insort
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from shoal.errors import DataError, UsageError
from shoal.training.batches import Batch, Document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from shoal.training.batches import FloatArray
    from shoal.training.token_file import TokenFile

    _Wanted = list[list[float]]

    Places = np.ndarray[Any, np.dtype[np.int64]]
    Mask = np.ndarray[Any, np.dtype[np.bool_]]

DocumentOrder = Literal["shuffled", "fresh", "fixed", "given"]

# At 19 bytes each about 40 GB: beyond it the settings are a slip, and the machine would run out of memory first.
_MAX_PIECES = 2**31
# Documents among which the filling of a hole is sought. With 512, steps of 2,048 tokens of stories are more than
# 99% full; a longer queue would hold long documents back from the first steps.
_WAITING = 512
# Parts of the seeds, so that the draws for mixing, turning the rings and opening documents are independent.
_MIX, _TURN, _OPEN = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusShare:
    """The documents of one corpus, and how often they are read."""

    file: TokenFile
    name: str = "documents"
    """What error messages call it."""

    passes: float = 1.0
    """How often its documents are read where there are no stages; a part of a pass is allowed."""

    seen: Mask | None = None
    """Which documents may be read (D); None for all."""

    opening: int = 1
    """How many tokens stand before each text, such as the end token; they are read and not predicted. At least 1."""

    copies: Places | None = None
    """How often each document stands in a pass (D), as in a bootstrap sample; None for once."""

    weights: FloatArray | None = None
    """How much each token of the file counts in the loss, with a mean of 1; None for all alike."""


class Pieces(NamedTuple):
    """The pieces of one corpus."""

    starts_P: Places
    """Where each begins in the token file."""

    lengths_P: Places
    """Tokens to predict: one less than the tokens of the piece."""

    begins_P: Mask
    """Whether a piece is the beginning of its document."""

    documents_P: Places
    """The number of its document in the file."""


class _Order(NamedTuple):
    """The pieces in the order in which they are read."""

    corpus_N: np.ndarray[Any, np.dtype[np.int16]]
    piece_N: Places
    lengths_N: Places
    stages: tuple[int, ...]
    """How many pieces each stage has."""


def cut_pieces(file: TokenFile, seen_D: Mask | None, max_tokens: int, copies_D: Places | None = None) -> Pieces:
    """Cut documents into pieces that fit into the context.

    A piece begins with the last token of the one before it, so that every token but a document's first is predicted
    once.

    Args:
        file: the documents.
        seen_D: which of them are cut; None for all.
        max_tokens: the tokens to predict of a piece, at most.
        copies_D: how often each document stands among them; None for once.
    """
    stops_D = np.asarray(file.ends, dtype=np.int64)
    starts_D = np.asarray(file.ends - file.lengths, dtype=np.int64)
    numbers_D = np.arange(len(starts_D))
    if copies_D is not None:
        seen_D = np.ones(len(starts_D), dtype=bool) if seen_D is None else seen_D
        numbers_D = np.repeat(numbers_D, copies_D * seen_D)
    elif seen_D is not None:
        numbers_D = numbers_D[seen_D]
    starts_D, stops_D = starts_D[numbers_D], stops_D[numbers_D]
    counts_D = np.maximum(-(-(stops_D - starts_D - 1) // max_tokens), 0)
    which_P = np.repeat(np.arange(len(starts_D)), counts_D)
    first_D = np.cumsum(counts_D) - counts_D
    part_P = np.arange(len(which_P)) - first_D[which_P]
    starts_P = starts_D[which_P] + part_P * max_tokens
    lengths_P = np.minimum(max_tokens, stops_D[which_P] - 1 - starts_P)
    return Pieces(starts_P, lengths_P, part_P == 0, numbers_D[which_P])


class DocumentSource:
    """A `BatchSource` over the documents of several corpora.

    Args:
        corpora: what is read.
        context: the tokens to predict of a piece, at most; a longer document is cut.
        batch_tokens: the tokens to predict in a step, at most.
        seed: determines the order, and which documents are read without their opening.
        stages: for each stage, the tokens that are taken of each corpus by its name; None for one stage of ``passes``.
        tokens: tokens of the whole training, over all stages in their proportions; None for what stages or passes give.
        order: ``shuffled`` mixes all pieces of a stage, whichever pass they are of. ``fresh`` reads pass after pass,
            each shuffled and packed for itself: no piece comes again before all others of the most read corpus came.
            ``fixed`` reads pass after pass, all in the order and steps of the first. ``given`` shuffles nothing, corpus
            after corpus.
        bare: share of the documents that are read without their opening, as a prompt is.

    Raises:
        DataError: there is nothing to train on.
        UsageError: a corpus has no positive number of passes.
    """

    def __init__(
        self,
        corpora: Sequence[CorpusShare],
        *,
        context: int,
        batch_tokens: int,
        seed: int = 0,
        stages: Sequence[Mapping[str, float]] | None = None,
        tokens: int | None = None,
        order: DocumentOrder = "shuffled",
        bare: float = 0.0,
    ) -> None:
        _refuse_unusable(corpora)
        self._corpora = tuple(corpora)
        # A piece must fit into a step too, or no bin would take it.
        self._pieces = [
            cut_pieces(share.file, share.seen, min(context, batch_tokens), share.copies) for share in self._corpora
        ]
        for share, cut in zip(self._corpora, self._pieces, strict=True):
            if not len(cut.lengths_P):
                raise DataError(f"{share.name}: no document that may be read has a token to predict; give more text")
        wanted = _wanted_tokens(self._corpora, self._pieces, stages, tokens)
        _refuse_endless(wanted, self._pieces)
        if order in ("fresh", "fixed"):
            wanted = _passes(wanted, self._pieces)
        self._order = _plan_order(self._pieces, wanted, seed, order)
        if not len(self._order.piece_N):
            raise DataError("this leaves no token to train on; raise the tokens or the passes, or give more text")
        self._bins_N, self._ends = _pack_steps(self._order, batch_tokens)
        self.steps, self.tokens = len(self._ends), int(self._order.lengths_N.sum())
        self.efficiency = self.tokens / (self.steps * batch_tokens)
        """Share of the places of all steps that hold a token."""
        # Drawn at once, so that whether a piece is bare does not depend on which batches were read before.
        self._bare_N = np.random.default_rng([seed, _OPEN]).random(len(self._order.piece_N)) < bare
        self.digest = self._digest()

    def batch(self, step: int) -> Batch:
        """The pieces of a step.

        Args:
            step: counted from 0.
        """
        start = int(self._ends[step - 1]) if step else 0
        places = self._bins_N[start : int(self._ends[step])].tolist()
        names = [self._name(place) for place in places[:8]] + (["..."] if len(places) > 8 else [])
        return Batch(tuple(self._document(place) for place in places), f"batch {step + 1}: {', '.join(names)}")

    def starts_read(self, steps: int) -> dict[str, Places]:
        """Where the pieces begin that the first steps read, by corpus: places of its tokens, in order, each once.

        Args:
            steps: how many.
        """
        places = self._bins_N[: int(self._ends[steps - 1])] if steps else self._bins_N[:0]
        corpus, piece = self._order.corpus_N[places], self._order.piece_N[places]
        return {
            share.name: np.unique(cut.starts_P[piece[corpus == which]])
            for which, (share, cut) in enumerate(zip(self._corpora, self._pieces, strict=True))
        }

    def _document(self, place: int) -> Document:
        which = int(self._order.corpus_N[place])
        share, pieces, piece = self._corpora[which], self._pieces[which], int(self._order.piece_N[place])
        start = int(pieces.starts_P[piece])
        stop = start + int(pieces.lengths_P[piece]) + 1
        boundary = 1
        if pieces.begins_P[piece]:
            # A text whose first tokens are all its opening would leave nothing to predict without it.
            if bool(self._bare_N[place]) and stop - start > share.opening + 1:
                start += share.opening
            else:
                boundary = share.opening
        weights = None if share.weights is None else share.weights[start + boundary : stop]
        number = int(pieces.documents_P[piece])
        ids = np.asarray(share.file.tokens[start:stop], dtype=np.int64)
        return Document(ids, boundary, weights, source=share.name, number=number)

    def _name(self, place: int) -> str:
        """The document of a piece, by its corpus and its number there."""
        which = int(self._order.corpus_N[place])
        number = int(self._pieces[which].documents_P[int(self._order.piece_N[place])])
        return f"{self._corpora[which].name} {number}"

    def _digest(self) -> str:
        state = hashlib.sha256()
        for share, pieces in zip(self._corpora, self._pieces, strict=True):
            # The tokens of an opening are given and not learned.
            state.update(f"{share.file.digest} {share.opening}\n".encode())
            state.update(np.ascontiguousarray(pieces.starts_P).data)
            if share.weights is not None:
                state.update(np.ascontiguousarray(share.weights).data)
        for array in (self._order.corpus_N, self._order.piece_N, self._bins_N, self._ends, self._bare_N):
            state.update(np.ascontiguousarray(array).data)
        return state.hexdigest()


def fill_bins(sizes: Iterable[tuple[int, int]], capacity: int) -> Iterator[list[int]]:
    """Pack items of many sizes into bins of one size, in an order that is nearly the given one.

    A bin takes the next items while they fit; the hole that is left is filled by the largest of the items waiting (the
    next few hundred) that fits, again and again. So a bin is a fair sample of the order and full all the same.

    Args:
        sizes: name and size of each item in order; a size is at most ``capacity``.
        capacity: the size of a bin.

    Returns:
        The names of the items of each bin; every item is in one bin.
    """
    coming = iter(sizes)
    waiting: OrderedDict[int, int] = OrderedDict()
    by_size: list[tuple[int, int]] = []

    def refill() -> None:
        while len(waiting) < _WAITING and (found := next(coming, None)) is not None:
            waiting[found[0]] = found[1]
            insort(by_size, (found[1], found[0]))

    def take(name: int) -> int:
        size = waiting.pop(name)
        del by_size[bisect_right(by_size, (size, name)) - 1]
        return size

    refill()
    while waiting:
        taken, left = [], capacity
        # In order while it fits: filling by size from the start would sort the data by length.
        while waiting and next(iter(waiting.values())) <= left:
            name = next(iter(waiting))
            left -= take(name)
            taken.append(name)
            refill()
        while by_size and by_size[0][0] <= left:
            # 2**63 is above any name, so that items of exactly this size are found too.
            name = by_size[bisect_right(by_size, (left, 2**63)) - 1][1]
            left -= take(name)
            taken.append(name)
        refill()
        yield taken


def _wanted_tokens(
    corpora: Sequence[CorpusShare],
    pieces: Sequence[Pieces],
    stages: Sequence[Mapping[str, float]] | None,
    tokens: int | None,
) -> list[list[float]]:
    """For each stage, the tokens that are taken of each corpus."""
    if stages:
        wanted = [[stage.get(share.name, 0.0) for share in corpora] for stage in stages]
    else:
        wanted = [[share.passes * float(cut.lengths_P.sum()) for share, cut in zip(corpora, pieces, strict=True)]]
    if tokens is None:
        return wanted
    scale = tokens / sum(map(sum, wanted))
    return [[count * scale for count in stage] for stage in wanted]


def _refuse_endless(wanted: _Wanted, pieces: Sequence[Pieces]) -> None:
    """Before the first pass is laid out, since millions of passes of a small corpus would take hours to count."""
    total = sum(tokens / cut.lengths_P.mean() for stage in wanted for tokens, cut in zip(stage, pieces, strict=True))
    if total > _MAX_PIECES:
        raise DataError("these are more than 2 billion pieces of text; lower the tokens or the passes")


def _passes(wanted: _Wanted, pieces: Sequence[Pieces]) -> _Wanted:
    """Each stage in parts, in which the corpus that is read most often is read once; the others keep their share."""
    totals = [float(cut.lengths_P.sum()) for cut in pieces]
    parts: _Wanted = []
    for stage in wanted:
        times = max(tokens / total for tokens, total in zip(stage, totals, strict=True))
        # A rest of less than a thousandth of a pass is rounding.
        whole, rest = divmod(times + 1e-3, 1.0)
        shares = [1.0] * int(whole) + ([rest - 1e-3] if rest > 2e-3 else [])
        parts += [[tokens * share / times for tokens in stage] for share in shares or [times]]
    return parts


def _plan_order(pieces: Sequence[Pieces], wanted: Sequence[Sequence[float]], seed: int, order: DocumentOrder) -> _Order:
    shuffled = order != "given"
    rings = [_Ring(cut.lengths_P, [seed, place], order) for place, cut in enumerate(pieces)]
    corpus_parts, piece_parts = [], []
    for stage, tokens in enumerate(wanted):
        taken = [ring.take(count) for ring, count in zip(rings, tokens, strict=True)]
        # Few corpora, many pieces: two bytes in place of eight.
        corpus = np.repeat(np.arange(len(pieces), dtype=np.int16), [len(part) for part in taken])
        piece = np.concatenate(taken)
        if shuffled:
            draws = [seed, 0 if order == "fixed" else stage, _MIX]
            mixed = np.random.default_rng(draws).permutation(len(piece))
            corpus, piece = corpus[mixed], piece[mixed]
        corpus_parts.append(corpus)
        piece_parts.append(piece)
    corpus_N, piece_N = np.concatenate(corpus_parts), np.concatenate(piece_parts)
    lengths_N = np.zeros(len(piece_N), dtype=np.int64)
    for place, cut in enumerate(pieces):
        lengths_N[corpus_N == place] = cut.lengths_P[piece_N[corpus_N == place]]
    return _Order(corpus_N, piece_N, lengths_N, tuple(map(len, piece_parts)))


class _Ring:
    """The pieces of a corpus without end, shuffled for each turn unless the order is given or fixed."""

    def __init__(self, lengths_P: Places, seed: Sequence[int], order: DocumentOrder) -> None:
        self._lengths_P, self._seed, self._order = lengths_P, list(seed), order
        self._turn, self._rest = 0, np.zeros(0, dtype=np.int64)

    def take(self, tokens: float) -> Places:
        """The next pieces that hold about ``tokens``; the last is taken where more than half of it is wanted."""
        taken: list[Places] = [np.zeros(0, dtype=np.int64)]
        for part in self._parts():
            reach = np.cumsum(self._lengths_P[part])
            # Rounded to the nearest piece, so that the errors of many stages cancel instead of adding up.
            count = int(np.searchsorted(reach - self._lengths_P[part] / 2, tokens))
            taken.append(part[:count])
            tokens -= float(reach[count - 1]) if count else 0.0
            if count < len(part):
                self._rest = part[count:]
                break
        return np.concatenate(taken)

    def _parts(self) -> Iterator[Places]:
        """What is left of this turn, and then whole turns."""
        rest, self._rest = self._rest, np.zeros(0, dtype=np.int64)
        if len(rest):
            yield rest
        while True:
            places = np.arange(len(self._lengths_P), dtype=np.int64)
            if self._order != "given":
                turn = 0 if self._order == "fixed" else self._turn
                places = np.random.default_rng([*self._seed, turn, _TURN]).permutation(places)
            self._turn += 1
            yield places


def _pack_steps(order: _Order, batch_tokens: int) -> tuple[Places, Places]:
    """The places of all pieces step after step, and where each step ends; no step holds pieces of two stages."""
    bins: list[Places] = []
    first = 0
    for count in order.stages:
        lengths = order.lengths_N[first : first + count].tolist()
        bins += [np.asarray(chosen) + first for chosen in fill_bins(enumerate(lengths), batch_tokens)]
        first += count
    return np.concatenate(bins), np.cumsum([len(chosen) for chosen in bins])


def _refuse_unusable(corpora: Sequence[CorpusShare]) -> None:
    if not corpora:
        raise DataError("there are no documents to train on; give at least one corpus")
    for share in corpora:
        if not share.passes > 0:
            raise UsageError(f"{share.name}: passes = {share.passes}; give a number above 0, or leave the corpus out")
        for what, table, count in (
            ("copies", share.copies, len(share.file)),
            ("weights", share.weights, len(share.file.tokens)),
        ):
            if table is not None and (len(table) != count or (table < 0).any()):
                raise DataError(f"{share.name}: {what} must be {count} numbers of 0 or more, not {len(table)}")
        if share.opening < 1:
            raise UsageError(
                f"{share.name}: opening = {share.opening}; the first token of a document is never predicted"
            )
