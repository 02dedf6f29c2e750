"""Teacher-forced scoring of rows: one forward pass gives the verdict on every target token of an item.

A greedy decoder that has emitted the target so far emits the next target token iff it is the argmax given the target so
far, which is just what one pass over prompt and target shows. So exact match needs no decoding. Rows are scored whole,
or incrementally, in growing windows, up to their first wrong token. Verdicts and likelihoods come from the same pass
(`score_batch`), so that what is proved of the one path holds for the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import torch

from shoal.evaluation.batching import ScoringRow, fill_batches, pad_batch, scored_places, shared_opening, split_row
from shoal.evaluation.head import (
    Float64Scorer,
    LogitBlock,
    PositionScores,
    find_rivals,
    full_blocks,
    head_blocks,
    near_ties,
    score_positions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shoal.evaluation.results import Status
    from shoal.models import FactoredModel
    from shoal.progress import Progress


_FULL_LOGITS_BYTES = 256 * 2**20
"""Of the logits of a batch, in float32, where a model cannot be factored into body and head and makes them all."""

_GRAVEST_FIRST: tuple[Status, ...] = ("nan", "tie", "near-tie")


@dataclass(frozen=True, slots=True)
class SpanScore:
    """The verdict on the target tokens of a row from its start to its stop (or to its first wrong one)."""

    row: ScoringRow

    margins: tuple[float, ...]
    """Target logit minus best other logit."""

    right: int
    """How many of the tokens are the argmax."""

    wrong_at: int | None
    """Position in the target of the first token that is not the argmax."""

    greedy_id: int | None
    """The argmax there; None where logits are not numbers."""

    log_likelihood: float
    """Σ log p(target) in nats."""

    status: Status


class Scorer:
    """Scores rows with one model; what is costly to make, the float64 copy above all, is made once."""

    def __init__(self, factored: FactoredModel, token_budget: int) -> None:
        self._factored = factored
        self._precise = Float64Scorer(factored)
        self._budget = batch_budget(factored, token_budget)

    def score(self, rows: Iterable[ScoringRow], on_batch: Callable[[int], None] | None = None) -> list[SpanScore]:
        """Score rows, each with an item of its own, in batches; the order of the spans is not that of the rows.

        Args:
            rows: what to score.
            on_batch: called after each batch with the number of its rows.
        """
        lengths, wholes = self._factored.lengths, {row.item: row for row in rows}
        pieces = [piece for row in wholes.values() for piece in split_row(row, lengths)]
        found: dict[int, list[SpanScore]] = {}
        for batch in fill_batches(pieces, self._budget, lengths):
            for span in self._score_batch(batch):
                found.setdefault(span.row.item, []).append(span)
            if on_batch is not None:
                on_batch(sum(piece.stop == wholes[piece.item].stop for piece in batch))
        return [join_spans(wholes[item], spans) for item, spans in found.items()]

    def _score_batch(self, batch: list[ScoringRow]) -> list[SpanScore]:
        factored = self._factored
        blocks, target_N, scores = score_batch(factored, batch)
        wrong = _first_wrong_places(batch, scores.right_N.tolist())
        greedy = self._greedy_at(wrong, blocks, target_N, scores)
        verdicts = _Verdicts(scores, near_ties(scores.target_N, scores.best_other_N, factored.model.dtype))
        spans, first = [], 0
        for row, place, greedy_id in zip(batch, wrong, greedy, strict=True):
            last = first + row.stop - row.start
            # Behind the first wrong token nothing changes the verdict, so that a near-tie there is not worth float64.
            decisive = slice(first, last if place is None else place + 1)
            if any(verdicts.near[decisive]):
                spans.append(self._recheck(row))
            else:
                at = None if place is None else place - first
                spans.append(verdicts.span(row, slice(first, last), at, greedy_id, "clear"))
            first = last
        return spans

    def _greedy_at(
        self, wrong: list[int | None], blocks: LogitBlock, target_N: torch.Tensor, scores: PositionScores
    ) -> list[int | None]:
        """The argmax at each row's first wrong token."""
        wrong_N = torch.tensor([place for place in wrong if place is not None], dtype=torch.long)
        found = iter(find_rivals(blocks, target_N, scores.home_N, wrong_N, self._factored.vocabulary).tolist())
        return [None if place is None else next(found) for place in wrong]

    def _recheck(self, row: ScoringRow) -> SpanScore:
        """A row that rounding decides, by itself in float64."""
        _, where_N, target_N = scored_places([row])
        scores, greedy_N = self._precise.score(list(row.ids[: row.fed]), where_N, target_N)
        # Found again: the near-tie may resolve either way, so that another token may be the first wrong one.
        (wrong,) = _first_wrong_places([row], scores.right_N.tolist())
        decisive = slice(None if wrong is None else wrong + 1)
        tie = bool((scores.target_N[decisive] == scores.best_other_N[decisive]).any())
        greedy_id = None if wrong is None else int(greedy_N[wrong])
        verdicts = _Verdicts(scores, torch.zeros_like(scores.right_N))
        return verdicts.span(row, slice(None), wrong, greedy_id, "tie" if tie else "near-tie")


def join_spans(row: ScoringRow, spans: Sequence[SpanScore]) -> SpanScore:
    """The verdict on a row from those on its parts; a first wrong token hides what follows.

    Args:
        row: the whole row.
        spans: the verdicts on its parts, in any order; at least one.
    """
    if len(spans) == 1:
        return spans[0] if spans[0].row is row else replace(spans[0], row=row)
    parts = sorted(spans, key=lambda span: span.row.start)
    wrong = next((part for part in parts if part.wrong_at is not None), parts[-1])
    statuses = {part.status for part in parts[: parts.index(wrong) + 1]}
    return SpanScore(
        row=row,
        margins=tuple(margin for part in parts for margin in part.margins),
        right=sum(part.right for part in parts),
        wrong_at=wrong.wrong_at,
        greedy_id=wrong.greedy_id,
        log_likelihood=math.fsum(part.log_likelihood for part in parts),
        status=next((status for status in _GRAVEST_FIRST if status in statuses), "clear"),
    )


def batch_budget(factored: FactoredModel, token_budget: int) -> int:
    """The tokens of a batch: one row where padding matters, fewer where all logits of a batch are made.

    Args:
        factored: the model.
        token_budget: the tokens of a batch, padding included, that the caller allows.
    """
    budget = token_budget if factored.padding == "right" else 1
    return budget if factored.head is not None else min(budget, max(1, _FULL_LOGITS_BYTES // (4 * factored.vocabulary)))


class _Verdicts:
    """Scores of a batch as plain lists, which are read item by item far faster than tensors."""

    def __init__(self, scores: PositionScores, near_N: torch.Tensor) -> None:
        self.margins = (scores.target_N - scores.best_other_N).tolist()
        self.right = scores.right_N.tolist()
        self.near = near_N.tolist()
        self.log_likelihoods = (scores.target_N - scores.log_normalizer_N).tolist()

    def span(
        self, row: ScoringRow, place: slice, wrong: int | None, greedy_id: int | None, status: Status
    ) -> SpanScore:
        """The part of the batch that belongs to one row; ``wrong`` counts from the row's start."""
        margins, log_likelihoods = self.margins[place], self.log_likelihoods[place]
        # Such a token is never right, so that the first wrong one is the only place to look for it.
        if wrong is not None and not math.isfinite(margins[wrong] + log_likelihoods[wrong]):
            status, greedy_id = "nan", None
        return SpanScore(
            row=row,
            margins=tuple(margins),
            right=sum(self.right[place]),
            wrong_at=None if wrong is None else row.start + wrong,
            greedy_id=greedy_id,
            log_likelihood=math.fsum(log_likelihoods),
            status=status,
        )


def _first_wrong_places(batch: list[ScoringRow], right: list[bool]) -> list[int | None]:
    """For each row, the place in the batch's N positions of its first wrong token."""
    places: list[int | None] = []
    first = 0
    for row in batch:
        last = first + row.stop - row.start
        try:
            places.append(right.index(False, first, last))
        except ValueError:
            places.append(None)
        first = last
    return places


class BatchScores(NamedTuple):
    """The N scored positions of a batch, row after row."""

    blocks: LogitBlock
    """Gives logits of positions again."""

    target_N: torch.Tensor
    scores: PositionScores


def score_batch(factored: FactoredModel, batch: list[ScoringRow]) -> BatchScores:
    """Read a batch, and apply the head to its scored positions only.

    Args:
        factored: the model, in evaluation mode.
        batch: as `fill_batches` makes it.
    """
    device = factored.model.device
    ids_BL = pad_batch(batch, device)
    which_N, where_N, target_N = (part.to(device) for part in scored_places(batch))
    if factored.head is None:
        blocks = full_blocks(factored.full_logits(ids_BL)[which_N, where_N])
    else:
        shared = shared_opening(batch)
        blocks = head_blocks(factored.head, factored.hidden(ids_BL, shared)[which_N, where_N - shared])
    return BatchScores(blocks, target_N, score_positions(blocks, target_N, factored.vocabulary))


_FIRST_WINDOW = 1
"""Tokens. Most models that fail do so at the first token of the answer."""
_GROWTH = 8


def score_whole(scorer: Scorer, rows: list[ScoringRow], progress: Progress) -> list[SpanScore]:
    """Score every target token of every row, in the order of the rows.

    Args:
        scorer: of the model.
        rows: with items 0, 1, ... in order.
        progress: called with (what, done, total).
    """
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress("scoring", done, len(rows))

    return sorted(scorer.score(rows, count), key=lambda span: span.row.item)


def score_to_divergence(scorer: Scorer, rows: list[ScoringRow], progress: Progress) -> list[SpanScore]:
    """Score each row incrementally, up to its first wrong token, in the order of the rows.

    Targets are read in windows of 1, 8, 64, ... tokens, each time from the prompt on; since windows grow eightfold, a
    row that is right to its end costs at most a seventh more than in one pass, and one that fails at once its prompt.

    Args:
        scorer: of the model.
        rows: with different items.
        progress: called with (what, done, total).
    """
    verdicts: dict[int, list[SpanScore]] = {row.item: [] for row in rows}
    going, reach = rows, _FIRST_WINDOW
    while going:
        windows = [
            ScoringRow(row.item, row.ids, row.boundary, _scored(verdicts[row.item]), min(reach, row.stop))
            for row in going
        ]
        for span in scorer.score(windows):
            verdicts[span.row.item].append(span)
        going = [row for row in going if _open(verdicts[row.item], row)]
        reach *= _GROWTH
        progress("scoring", len(rows) - len(going), len(rows))
    return [join_spans(row, verdicts[row.item]) for row in rows]


def _scored(spans: list[SpanScore]) -> int:
    return spans[-1].row.stop if spans else 0


def _open(spans: list[SpanScore], row: ScoringRow) -> bool:
    return spans[-1].wrong_at is None and spans[-1].row.stop < row.stop
