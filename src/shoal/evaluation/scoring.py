"""Teacher-forced scoring of rows: one forward pass gives the verdict on every target token of an item.

A greedy decoder that has said the target so far says the next target token iff it is the argmax given the target so
far, which is just what one pass over prompt and target shows. So exact match needs no decoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from shoal.evaluation.batches import Row, fill_batches, pad_batch, scored_places
from shoal.evaluation.head import LogitBlock, PositionScores, find_rivals, full_blocks, head_blocks, score_positions
from shoal.evaluation.nearties import PreciseScorer, near_ties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shoal.evaluation.scores import Status
    from shoal.models.anatomy import Anatomy

_FULL_LOGITS_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Stretch:
    """The verdict on the target tokens of a row from its start to its stop (or to its first wrong one)."""

    row: Row

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
    """Scores rows with one model; keeps what is costly to make."""

    def __init__(self, anatomy: Anatomy, token_budget: int) -> None:
        self._anatomy = anatomy
        self._precise = PreciseScorer(anatomy)
        self._budget = token_budget if anatomy.padding == "right" else 1
        if anatomy.head is None:
            self._budget = min(self._budget, max(1, _FULL_LOGITS_BYTES // (4 * anatomy.vocabulary)))

    def score(self, rows: Iterable[Row], on_batch: Callable[[int], None] | None = None) -> list[Stretch]:
        """Score rows in batches; the stretches come in the order of the batches, not of the rows.

        Args:
            rows: what to score.
            on_batch: called after each batch with the number of its rows.
        """
        stretches: list[Stretch] = []
        for batch in fill_batches(rows, self._budget):
            stretches.extend(self._score_batch(batch))
            if on_batch is not None:
                on_batch(len(batch))
        return stretches

    def _score_batch(self, batch: list[Row]) -> list[Stretch]:
        anatomy = self._anatomy
        device = anatomy.model.device
        ids_BL = pad_batch(batch, device)
        which_N, where_N, target_N = (part.to(device) for part in scored_places(batch))
        if anatomy.head is None:
            blocks = full_blocks(anatomy.full_logits(ids_BL)[which_N, where_N])
        else:
            blocks = head_blocks(anatomy.head, anatomy.body(ids_BL)[which_N, where_N])
        scores = score_positions(blocks, target_N, anatomy.vocabulary)
        near_N = near_ties(scores.target_N, scores.best_other_N, anatomy.model.dtype)
        greedy = self._greedy_at_divergence(batch, blocks, target_N, scores)
        stretches = []
        first = 0
        for row, greedy_id in zip(batch, greedy, strict=True):
            place = slice(first, first + row.stop - row.start)
            stretches.append(self._stretch(row, scores.part(place), near_N[place], greedy_id))
            first = place.stop
        return stretches

    def _greedy_at_divergence(
        self, batch: list[Row], blocks: LogitBlock, target_N: torch.Tensor, scores: PositionScores
    ) -> list[int | None]:
        """The argmax at each row's first wrong token."""
        rows, first = [], 0
        for row in batch:
            last = first + row.stop - row.start
            wrong = (~scores.right_N[first:last]).nonzero()
            rows.append(first + int(wrong[0]) if len(wrong) else None)
            first = last
        asked = [row for row in rows if row is not None]
        found = iter(
            find_rivals(blocks, target_N, scores.home_N, torch.tensor(asked), self._anatomy.vocabulary).tolist()
        )
        return [None if row is None else next(found) for row in rows]

    def _stretch(self, row: Row, scores: PositionScores, near_N: torch.Tensor, greedy_id: int | None) -> Stretch:
        """One row's verdict, in float64 where rounding decides it."""
        status: Status = "clear"
        wrong = _first_wrong(scores.right_N)
        if bool(near_N[: None if wrong is None else wrong + 1].any()):
            scores, greedy_N = self._recheck(row)
            wrong = _first_wrong(scores.right_N)
            greedy_id = None if wrong is None else int(greedy_N[wrong])
            decisive = slice(None if wrong is None else wrong + 1)
            tie = bool((scores.target_N[decisive] == scores.best_other_N[decisive]).any())
            status = "tie" if tie else "near-tie"
        margin_N = scores.target_N - scores.best_other_N
        if wrong is not None and not bool(margin_N[wrong].isfinite() & scores.log_normalizer_N[wrong].isfinite()):
            status, greedy_id = "nan", None
        return Stretch(
            row=row,
            margins=tuple(margin_N.tolist()),
            right=int(scores.right_N.sum()),
            wrong_at=None if wrong is None else row.start + wrong,
            greedy_id=greedy_id,
            log_likelihood=float((scores.target_N - scores.log_normalizer_N).sum()),
            status=status,
        )

    def _recheck(self, row: Row) -> tuple[PositionScores, torch.Tensor]:
        _, where_N, target_N = scored_places([row])
        return self._precise.score(list(row.ids[: row.fed]), where_N, target_N)


def _first_wrong(right_N: torch.Tensor) -> int | None:
    wrong = (~right_N).nonzero()
    return int(wrong[0]) if len(wrong) else None
