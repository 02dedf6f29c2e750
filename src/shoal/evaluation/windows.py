"""Rows scored whole, or only up to their first wrong token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.evaluation.batches import Row
from shoal.evaluation.scoring import Scorer, Stretch, join_stretches

if TYPE_CHECKING:
    from shoal.progress import Progress

_FIRST_WINDOW = 1
_GROWTH = 8


def score_whole(scorer: Scorer, rows: list[Row], tell: Progress) -> list[Stretch]:
    """Every target token of every row, in the order of the rows."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        tell("scoring", done, len(rows))

    return sorted(scorer.score(rows, count), key=lambda stretch: stretch.row.item)


def score_to_divergence(scorer: Scorer, rows: list[Row], tell: Progress) -> list[Stretch]:
    """Each row up to its first wrong token, in the order of the rows.

    Targets are read in windows of 1, 8, 64, ... tokens, each time from the prompt on; since windows grow eightfold, a
    row that is right to its end costs at most a seventh more than in one pass, and one that fails at once its prompt.
    """
    verdicts: dict[int, list[Stretch]] = {row.item: [] for row in rows}
    going, reach = rows, _FIRST_WINDOW
    while going:
        windows = [
            Row(row.item, row.ids, row.boundary, _scored(verdicts[row.item]), min(reach, row.stop)) for row in going
        ]
        for stretch in scorer.score(windows):
            verdicts[stretch.row.item].append(stretch)
        going = [row for row in going if _open(verdicts[row.item], row)]
        reach *= _GROWTH
        tell("scoring", len(rows) - len(going), len(rows))
    return [join_stretches(row, verdicts[row.item]) for row in rows]


def _scored(stretches: list[Stretch]) -> int:
    return stretches[-1].row.stop if stretches else 0


def _open(stretches: list[Stretch], row: Row) -> bool:
    return stretches[-1].wrong_at is None and stretches[-1].row.stop < row.stop
