"""What a certificate says of a judge: for each kind of damage whether it is seen, from which dose on, and where."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from shoal.evaluation.judging.trend import Trend
    from shoal.statistics import SignFlip

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
