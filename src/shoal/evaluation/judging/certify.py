"""The proof of a judge: stories damaged by a known dose must get marks in the order of the dose.

Every story is judged whole and at three doses of three kinds of damage. For each kind, Page's exact test asks whether
the marks of its dimension fall with the dose; the drop has its exact interval, over stories; and the drops of all
dimensions are set beside each other, so that a judge who lowers everything at once is told from one who sees what is
wrong. The level is shared by the kinds (Bonferroni), so that a judge who marks at random is said to see anything at
all at most once in twenty certificates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.evaluation.judging.certificate import DamageFinding, JudgeCertificate, Sight
from shoal.evaluation.judging.damage import DAMAGES, DOSES, Damaged, damaged_pieces
from shoal.evaluation.judging.rubric import DIMENSIONS
from shoal.evaluation.judging.trend import Trend, falling_trend
from shoal.statistics import fewest_seeds, sign_flip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.evaluation.judging.rubric import Judgement, Piece

    Judge = Callable[[Sequence[Piece]], Sequence[Judgement | None]]
    Marks = dict[tuple[int, str, float], Judgement]

SMALLEST_DROP = 0.5
"""Marks: a smaller drop from the undamaged story to the fully damaged one does not count as seeing."""


_CONFIDENCE = 1 - 0.05 / len(DAMAGES)
"""Of each kind's interval, the level .05 of the certificate being shared by the kinds."""

PATIENCE = 10
"""Pieces: a judge that has no usable answer to so many is not asked about the others."""


def certify_judge(
    judge: Judge, *, name: str = "judge", stories: int = 12, seed: int = 0, doses: Sequence[float] = DOSES
) -> JudgeCertificate:
    """Prove a judge on damage of known doses.

    Args:
        judge: a callable that takes pieces and gives a judgement of each, or None where it gives none.
        name: what the certificate calls it.
        stories: how many; 10 pieces are judged of each. A judge without a usable answer to the first 10 pieces is asked
            no more.
        seed: of the stories and the damage.
        doses: of each kind of damage, rising, above 0 and at most 1.

    Raises:
        UsageError: there are too few stories, or the doses are not as said.
        EndpointError: the judge is at an endpoint that failed for good; what it answered is kept.
    """
    check_stories(stories)
    pieces = damaged_pieces(stories, seed=seed, doses=doses)
    judged = _judged(judge, pieces)
    pieces = pieces[: len(judged)]
    marks = _marks(pieces, judged)
    return JudgeCertificate(
        judge=name,
        findings=tuple(_finding(damage, marks, stories, doses, _CONFIDENCE) for damage in DAMAGES),
        doses=tuple(doses),
        stories=stories,
        pieces=len(pieces),
        useless=sum(one is None for one in judged),
        seed=seed,
        confidence=_CONFIDENCE,
        smallest_drop=SMALLEST_DROP,
    )


def check_stories(stories: int) -> None:
    """Refuse a number of stories that no judge could be proved on.

    Raises:
        UsageError: there are too few.
    """
    fewest = fewest_seeds(alpha=1 - _CONFIDENCE)
    if stories < fewest:
        raise UsageError(f"{stories} stories prove nothing of a judge; give {fewest} or more")


def _judged(judge: Judge, pieces: Sequence[Damaged]) -> list[Judgement | None]:
    """The judgements of all pieces, or of the first ones alone where none of those was of use."""
    first = list(judge([part.piece for part in pieces[:PATIENCE]]))
    if all(one is None for one in first):
        return first
    return first + list(judge([part.piece for part in pieces[PATIENCE:]]))


def _marks(pieces: Sequence[Damaged], judged: Sequence[Judgement | None]) -> Marks:
    """Judgements by story, damage and dose; an undamaged story stands under each kind at dose 0."""
    found: Marks = {}
    for part, one in zip(pieces, judged, strict=True):
        if one is not None:
            for damage in DAMAGES if part.dose == 0 else (part.damage,):
                found[part.story, damage, part.dose] = one
    return found


def _finding(damage: str, marks: Marks, stories: int, doses: Sequence[float], confidence: float) -> DamageFinding:
    steps = (0.0, *doses)
    whole = [story for story in range(stories) if all((story, damage, dose) in marks for dose in steps)]
    if len(whole) < fewest_seeds(alpha=1 - confidence):
        return DamageFinding(
            damage=damage, sight="cannot tell", trend=None, seen_from=None, drops={}, specific=False, leaks=()
        )
    rows = {name: [[marks[story, damage, dose].mark(name) for dose in steps] for story in whole] for name in DIMENSIONS}
    trend = falling_trend(rows[damage], confidence=confidence)
    drops = {
        name: sign_flip([row[0] - row[-1] for row in of_one], confidence=confidence) for name, of_one in rows.items()
    }
    others = [name for name in DIMENSIONS if name != damage]
    return DamageFinding(
        damage=damage,
        sight=_sight(trend, confidence),
        trend=trend,
        seen_from=_seen_from(rows[damage], doses, confidence),
        drops=drops,
        specific=all(_more(rows[damage], rows[name], confidence) for name in others),
        leaks=tuple(name for name in others if drops[name].low > 0),
    )


def _sight(trend: Trend, confidence: float) -> Sight:
    if trend.p_value <= 1 - confidence and trend.drop.low > 0 and trend.drop.estimate >= SMALLEST_DROP:
        return "sees"
    return "blind" if trend.drop.high < SMALLEST_DROP else "cannot tell"


def _seen_from(rows: Sequence[Sequence[int]], doses: Sequence[float], confidence: float) -> float | None:
    """The lowest dose from which on every dose is told from none."""
    found = None
    for place, dose in reversed(list(enumerate(doses, start=1))):
        if sign_flip([row[0] - row[place] for row in rows], confidence=confidence).low <= 0:
            break
        found = dose
    return found


def _more(own: Sequence[Sequence[int]], other: Sequence[Sequence[int]], confidence: float) -> bool:
    """Whether one dimension drops more than the other, over stories."""
    excess = [(mine[0] - mine[-1]) - (its[0] - its[-1]) for mine, its in zip(own, other, strict=True)]
    return sign_flip(excess, confidence=confidence).low > 0
