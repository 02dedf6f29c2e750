"""The certificate of a judge: stories perturbed by a known severity must get marks in the order of the severity.

Every story is judged whole and at three severities of three perturbations. For each, Page's exact test finds whether
the marks of its dimension fall with the severity; the drop has its exact interval, over stories; and the drops of all
dimensions are compared, so that a judge who lowers everything at once is distinguished from one who sees what is wrong.
The level is shared by the perturbations (Bonferroni), so that a judge who marks at random is called sensitive to
anything at all at most once in twenty certificates.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import UsageError
from shoal.evaluation.judging.llm_judge import DIMENSIONS
from shoal.evaluation.judging.page_trend import Trend, falling_trend
from shoal.evaluation.judging.perturbed_stories import DAMAGES, DOSES, Damaged, damaged_pieces
from shoal.statistics import fewest_seeds, sign_flip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.evaluation.judging.llm_judge import Judgement, Piece
    from shoal.evaluation.judging.page_trend import Trend
    from shoal.statistics import SignFlip

    Judge = Callable[[Sequence[Piece]], Sequence[Judgement | None]]
    Marks = dict[tuple[int, str, float], Judgement]


Sight = Literal["sees", "blind", "cannot tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DamageFinding:
    """One kind of damage."""

    damage: str
    sight: Sight
    """``sees``: the marks of its own dimension fall with the dose (p at most the level shared by the kinds) and the
    drop's interval lies above 0. ``blind``: the drop is below the smallest that matters. ``cannot tell``: neither."""

    trend: Trend | None
    """Of the dimension that should suffer; None where too few stories have all of their marks."""

    seen_from: float | None
    """The lowest dose whose marks lie below those of the undamaged stories, as do those of all higher doses."""

    drops: dict[str, SignFlip]
    """The drop at the highest dose in every dimension."""

    specific: bool
    """Whether its own dimension suffers more than each other one, with an interval above 0."""

    leaks: tuple[str, ...]
    """Other dimensions whose marks fall as well, with an interval above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeCertificate:
    """What a judge can and cannot see."""

    judge: str
    findings: tuple[DamageFinding, ...]
    doses: tuple[float, ...]
    stories: int
    pieces: int
    """That the judge was asked about."""

    useless: int
    """Pieces of which the judge gave no usable answer."""

    seed: int
    confidence: float
    smallest_drop: float
    """What counts as a drop, in marks."""

    @property
    def passed(self) -> bool:
        """Whether every kind of damage is seen."""
        return all(finding.sight == "sees" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {**asdict(self), "passed": self.passed}

    def to_text(self) -> str:
        """The certificate as lines for a person."""
        verdict = "sees all damage" if self.passed else "does not see all damage"
        lines = [
            f"judge {self.judge}: {verdict}",
            f"{self.stories} stories, {self.pieces} pieces, {self.useless} without a usable answer",
        ]
        if self.useless == self.pieces:
            return "\n".join([*lines, "it answers in no form that can be read, so that nothing is known of its sight"])
        for finding in self.findings:
            lines += _lines(finding, self.doses)
        unproved = "creativity and age are not proved: no damage of a known dose is made to them"
        return "\n".join([*lines, unproved])


def _lines(finding: DamageFinding, doses: tuple[float, ...]) -> list[str]:
    if finding.trend is None:
        return [f"{finding.damage}: {finding.sight}, since too few stories have all of their marks"]
    trend, drop = finding.trend, finding.trend.drop
    seen = "at no dose by itself" if finding.seen_from is None else f"from dose {finding.seen_from:g} on"
    marks = ", ".join(f"{dose:g}: {mean:.1f}" for dose, mean in zip((0.0, *doses), trend.means, strict=True))
    leaks = f"; also lowered: {', '.join(finding.leaks)}" if finding.leaks else ""
    head = f"{finding.damage}: {finding.sight}, {seen}; drop {drop.estimate:.2f} [{drop.low:.2f}, {drop.high:.2f}], "
    return [
        head + f"p {trend.p_value:.2g}, {trend.in_order:.0%} of pairs in order, {trend.stories} stories",
        f"  marks by dose  {marks}",
        f"  {'its own dimension suffers most' if finding.specific else 'not told from other damage'}{leaks}",
    ]


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
