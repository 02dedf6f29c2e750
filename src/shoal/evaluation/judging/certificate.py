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
from shoal.evaluation.judging.perturbed_stories import PERTURBATIONS, SEVERITIES, PerturbedStory, make_perturbed_stories
from shoal.statistics import fewest_seeds, sign_flip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas

    from shoal.evaluation.judging.llm_judge import Judgement, Submission
    from shoal.evaluation.judging.page_trend import Trend
    from shoal.statistics import SignFlip

    Judge = Callable[[Sequence[Submission]], Sequence[Judgement | None]]
    Marks = dict[tuple[int, str, float], Judgement]


Sensitivity = Literal["sensitive", "insensitive", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbationFinding:
    """What was found of one perturbation."""

    perturbation: str
    sensitivity: Sensitivity
    """``sensitive``: the marks of its own dimension fall with the severity (p at most the level shared by the
    perturbations) and the drop's interval lies above 0. ``insensitive``: the drop is below the smallest that matters.
    ``undecided``: neither."""

    trend: Trend | None
    """Of the dimension that should suffer; None where too few stories have all of their marks."""

    detected_from: float | None
    """The lowest severity whose marks lie below those of the unperturbed stories, as do those of all higher ones."""

    drops: dict[str, SignFlip]
    """The drop at the highest severity in every dimension."""

    specific: bool
    """Whether its own dimension suffers more than each other one, with an interval above 0."""

    leaks: tuple[str, ...]
    """Other dimensions whose marks fall as well, with an interval above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeCertificate:
    """What a judge is sensitive to, and what not."""

    judge: str
    findings: tuple[PerturbationFinding, ...]
    severities: tuple[float, ...]
    stories: int
    submissions: int
    """That the judge was given."""

    unusable: int
    """Submissions of which the judge gave no usable answer."""

    seed: int
    confidence: float
    min_drop: float
    """What counts as a drop, in marks."""

    @property
    def passed(self) -> bool:
        """Whether the judge is sensitive to every perturbation."""
        return all(finding.sensitivity == "sensitive" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {**asdict(self), "passed": self.passed}

    def to_frame(self) -> pandas.DataFrame:
        """One row per perturbation: its sensitivity, drop with interval, p-value and what else falls."""
        import pandas

        rows = []
        for finding in self.findings:
            trend = finding.trend
            rows.append(
                {
                    "perturbation": finding.perturbation,
                    "sensitivity": finding.sensitivity,
                    "detected_from": finding.detected_from,
                    "drop_marks": None if trend is None else trend.drop.estimate,
                    "drop_low": None if trend is None else trend.drop.low,
                    "drop_high": None if trend is None else trend.drop.high,
                    "p_value": None if trend is None else trend.p_value,
                    "specific": finding.specific,
                    "leaks": ", ".join(finding.leaks),
                }
            )
        return pandas.DataFrame(rows)

    def __str__(self) -> str:
        """The certificate as lines for a person."""
        verdict = "is sensitive to every perturbation" if self.passed else "is not sensitive to every perturbation"
        lines = [
            f"judge {self.judge} {verdict}",
            f"{self.stories} stories, {self.submissions} submissions, {self.unusable} without a usable answer",
        ]
        if self.unusable == self.submissions:
            return "\n".join([*lines, "no answer has a form that can be read, so that its sensitivity is unknown"])
        for finding in self.findings:
            lines += _lines(finding, self.severities)
        return "\n".join(
            [*lines, "creativity and age are not certified: no perturbation of known severity exists for them"]
        )


def _lines(finding: PerturbationFinding, severities: tuple[float, ...]) -> list[str]:
    name = finding.perturbation
    if finding.trend is None:
        return [f"{name}: {finding.sensitivity}, since too few stories have all of their marks"]
    trend, drop = finding.trend, finding.trend.drop
    since = "at no severity by itself" if finding.detected_from is None else f"from severity {finding.detected_from:g}"
    steps = zip((0.0, *severities), trend.means, strict=True)
    marks = ", ".join(f"{severity:g}: {mean:.1f}" for severity, mean in steps)
    leaks = f"; also lowered: {', '.join(finding.leaks)}" if finding.leaks else ""
    own = "its own dimension falls most" if finding.specific else "its own dimension does not fall significantly more"
    interval = f"drop {drop.estimate:.2f} [{drop.low:.2f}, {drop.high:.2f}]"
    evidence = f"p {trend.p_value:.2g}, {trend.in_order:.0%} of pairs in order, {trend.stories} stories"
    return [
        f"{name}: {finding.sensitivity}, {since}; {interval}, {evidence}",
        f"  marks by severity  {marks}",
        f"  {own}{leaks}",
    ]


MIN_DROP = 0.5
"""Marks: a smaller drop from the unperturbed story to the fully perturbed one does not count as sensitivity."""


_CONFIDENCE = 1 - 0.05 / len(PERTURBATIONS)
"""Of each perturbation's interval, the level .05 of the certificate being shared by them."""

TRIAL_SUBMISSIONS = 10
"""A judge without a usable answer to these is not given the others, which may cost money."""


def certify_judge(
    judge: Judge, *, name: str = "judge", stories: int = 12, seed: int = 0, severities: Sequence[float] = SEVERITIES
) -> JudgeCertificate:
    """Certify a judge on perturbations of known severity.

    Args:
        judge: a callable that takes submissions and gives a judgement of each, or None where it gives none.
        name: of the judge in the certificate.
        stories: how many; 10 submissions are made of each. A judge without a usable answer to the first 10 submissions
            gets no more.
        seed: random seed of the stories and the perturbations.
        severities: of each perturbation, rising, above 0 and at most 1, six of them at most.

    Raises:
        UsageError: there are too few stories, the severities are not as described, or the judge does not give a
            judgement, or None, of each submission.
        EndpointError: the judge is at an endpoint that failed for good; what it answered is in its record.
    """
    check_stories(stories)
    perturbed = make_perturbed_stories(stories, seed=seed, severities=severities)
    judged = _judged(judge, perturbed)
    marks = _marks(perturbed[: len(judged)], judged)
    return JudgeCertificate(
        judge=name,
        findings=tuple(
            _finding(perturbation, marks, stories, severities, _CONFIDENCE) for perturbation in PERTURBATIONS
        ),
        severities=tuple(severities),
        stories=stories,
        submissions=len(judged),
        unusable=sum(one is None for one in judged),
        seed=seed,
        confidence=_CONFIDENCE,
        min_drop=MIN_DROP,
    )


def check_stories(stories: int) -> None:
    """Refuse a number of stories that could certify no judge.

    Raises:
        UsageError: there are too few.
    """
    fewest = fewest_seeds(alpha=1 - _CONFIDENCE)
    if stories < fewest:
        raise UsageError(f"{stories} stories certify no judge; give {fewest} or more")


def _judged(judge: Judge, perturbed: Sequence[PerturbedStory]) -> list[Judgement | None]:
    """The judgements of all submissions, or of the first ones alone where none of those was of use."""
    first = judged_by(judge, [part.submission for part in perturbed[:TRIAL_SUBMISSIONS]])
    if all(one is None for one in first):
        return first
    return first + judged_by(judge, [part.submission for part in perturbed[TRIAL_SUBMISSIONS:]])


def judged_by(judge: Judge, submissions: Sequence[Submission]) -> list[Judgement | None]:
    """What a judge gives of submissions: one judgement, or None, of each.

    Args:
        judge: as for `certify_judge`.
        submissions: what it is given.

    Raises:
        UsageError: it gives more or fewer.
    """
    found = list(judge(submissions))
    if len(found) != len(submissions):
        raise UsageError(
            f"the judge gave {len(found)} judgements of {len(submissions)} submissions; give one of each, or None"
        )
    return found


def _marks(perturbed: Sequence[PerturbedStory], judged: Sequence[Judgement | None]) -> Marks:
    """Judgements by story, perturbation and severity; an unperturbed story stands under each at severity 0."""
    found: Marks = {}
    for part, one in zip(perturbed, judged, strict=True):
        if one is not None:
            for perturbation in PERTURBATIONS if part.severity == 0 else (part.perturbation,):
                found[part.story, perturbation, part.severity] = one
    return found


def _finding(
    perturbation: str, marks: Marks, stories: int, severities: Sequence[float], confidence: float
) -> PerturbationFinding:
    steps = (0.0, *severities)
    # Page's test needs whole blocks: a story that lacks a mark is left out of this perturbation alone.
    whole = [story for story in range(stories) if all((story, perturbation, severity) in marks for severity in steps)]
    if len(whole) < fewest_seeds(alpha=1 - confidence):
        return PerturbationFinding(
            perturbation=perturbation,
            sensitivity="undecided",
            trend=None,
            detected_from=None,
            drops={},
            specific=False,
            leaks=(),
        )
    rows = {
        name: [[marks[story, perturbation, severity].mark(name) for severity in steps] for story in whole]
        for name in DIMENSIONS
    }
    trend = falling_trend(rows[perturbation], confidence=confidence)
    drops = {
        name: sign_flip([row[0] - row[-1] for row in of_one], confidence=confidence) for name, of_one in rows.items()
    }
    others = [name for name in DIMENSIONS if name != perturbation]
    return PerturbationFinding(
        perturbation=perturbation,
        sensitivity=_sensitivity(trend, confidence),
        trend=trend,
        detected_from=_detected_from(rows[perturbation], severities, confidence),
        drops=drops,
        specific=all(_more(rows[perturbation], rows[name], confidence) for name in others),
        leaks=tuple(name for name in others if drops[name].low > 0),
    )


def _sensitivity(trend: Trend, confidence: float) -> Sensitivity:
    # With enough stories a drop of a tenth of a mark is significant, hence the third condition.
    if trend.p_value <= 1 - confidence and trend.drop.low > 0 and trend.drop.estimate >= MIN_DROP:
        return "sensitive"
    # A drop that was merely not found is undecided; insensitivity needs an interval that excludes one that matters.
    return "insensitive" if trend.drop.high < MIN_DROP else "undecided"


def _detected_from(rows: Sequence[Sequence[int]], severities: Sequence[float], confidence: float) -> float | None:
    """The lowest severity from which on every one differs significantly from none."""
    found = None
    # From the top down, so that one lucky severity below an insensitive one does not count.
    for place, severity in reversed(list(enumerate(severities, start=1))):
        if sign_flip([row[0] - row[place] for row in rows], confidence=confidence).low <= 0:
            break
        found = severity
    return found


def _more(own: Sequence[Sequence[int]], other: Sequence[Sequence[int]], confidence: float) -> bool:
    """Whether one dimension drops more than the other, over stories."""
    # Within stories, since a judge's marks of one story rise and fall together.
    excess = [(mine[0] - mine[-1]) - (its[0] - its[-1]) for mine, its in zip(own, other, strict=True)]
    return sign_flip(excess, confidence=confidence).low > 0
