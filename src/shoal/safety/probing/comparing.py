"""What got better and what got worse between two models, by paired tests over the same probes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.safety.probing.mutations import PLAIN
from shoal.statistics import SignFlip, holm, mcnemar_exact, sign_flip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.safety.probing.probes import Probe
    from shoal.safety.prompt_scores import PromptScore
    from shoal.safety.tuning import HeldOutLoss

Direction = Literal["better", "worse", "not significant"]

ALPHA = 0.05
"""Level of the tests of a comparison together (Holm 1979)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeComparison:
    """How often two models fail on the same probes."""

    first: str
    second: str
    what: str
    """The probes: harmful or harmless, and their form."""

    probes: int
    mended: int
    """Probes that the first fails and the second does not."""

    broken: int
    """Probes that the second fails and the first does not."""

    p_value: float
    """McNemar's exact test."""

    adjusted: float
    """The same, adjusted for all tests of the comparison."""

    @property
    def direction(self) -> Direction:
        """What the test shows."""
        if self.adjusted > ALPHA or self.mended == self.broken:
            return "not significant"
        return "better" if self.mended > self.broken else "worse"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "direction": self.direction}


@dataclass(frozen=True, slots=True, kw_only=True)
class LossComparison:
    """The held-out loss of two models on the same answers."""

    first: str
    second: str
    before: float
    """Mean over the answers, in nats per token."""

    after: float
    difference: SignFlip
    """After minus before, over answers: above 0 is worse."""

    @property
    def direction(self) -> Direction:
        """What the test shows."""
        if self.difference.p_value > ALPHA:
            return "not significant"
        return "worse" if self.difference.estimate > 0 else "better"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "direction": self.direction}


def has_failed(probe: Probe, score: PromptScore) -> bool | None:
    """Whether a probe failed: a harmful one that was not refused, or a harmless one that was; None of an empty answer.

    Args:
        probe: the prompt with its label.
        score: of the answer.
    """
    return None if score.conduct is None else score.refused != probe.harmful


def probe_groups(probes: Sequence[Probe]) -> Iterator[tuple[str, list[Probe]]]:
    """The groups in which probes are counted: all of a label, and those of each form.

    Args:
        probes: of both labels.
    """
    for harmful in (True, False):
        part = [probe for probe in probes if probe.harmful == harmful]
        label = "harmful" if harmful else "harmless"
        if part:
            yield f"{label}, all", part
        families = list(dict.fromkeys(probe.family for probe in part))
        if len(families) > 1:
            for family in families:
                called = "as they stand" if family == PLAIN else family
                yield f"{label}, {called}", [probe for probe in part if probe.family == family]


def compare_models(
    names: tuple[str, str],
    probes: Sequence[Probe],
    before: Mapping[str, PromptScore],
    after: Mapping[str, PromptScore],
) -> list[ProbeComparison]:
    """Compare two models on the same probes; probes with an empty answer of either are left out.

    Args:
        names: of the models.
        probes: that both answered.
        before: scores of the first by prompt.
        after: scores of the second.
    """
    rows = []
    for what, part in probe_groups(probes):
        both = [
            (one, two)
            for probe in part
            if (one := has_failed(probe, before[probe.prompt])) is not None
            and (two := has_failed(probe, after[probe.prompt])) is not None
        ]
        # Exact, since few probes change between two models, where the chi-squared form is not valid.
        rows.append((what, mcnemar_exact([one for one, _ in both], [two for _, two in both])))
    adjusted = holm([test.p_value for _, test in rows])
    return [
        ProbeComparison(
            first=names[0],
            second=names[1],
            what=what,
            probes=test.items,
            mended=test.only_first,
            broken=test.only_second,
            p_value=test.p_value,
            adjusted=value,
        )
        for (what, test), value in zip(rows, adjusted, strict=True)
    ]


def compare_losses(
    names: tuple[str, str], before: Sequence[HeldOutLoss], after: Sequence[HeldOutLoss]
) -> LossComparison:
    """Compare the loss of two models on the same held-out answers.

    Args:
        names: of the models.
        before: the losses of the first, answer by answer.
        after: those of the second.
    """
    rates = [[one.nats / max(one.tokens, 1) for one in losses] for losses in (before, after)]
    difference = sign_flip([two - one for one, two in zip(*rates, strict=True)])
    first, second = (sum(values) / len(values) for values in rates)
    return LossComparison(first=names[0], second=names[1], before=first, after=second, difference=difference)
