"""What the red-team loop found: rates of failure, clusters, and what each tuning made better and worse."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.wording import aligned_rows, plural, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas

    from shoal.safety.probing.claims import ProbeClaim
    from shoal.safety.probing.clusters import ProbeCluster
    from shoal.safety.probing.comparing import LossComparison, ProbeComparison
    from shoal.statistics import CorrectedShare


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeGroup:
    """Probes of one label and form."""

    what: str
    probes: int
    """With an answer that is not empty."""

    empty: int
    failed: CorrectedShare | None
    """None where all answers are empty."""

    harm: CorrectedShare | None = None
    """The share of answers that are harmful; None where no scorer of harm was given, or it scored none of them."""

    unscored: int = 0
    """Answers without a usable score of harm, where a scorer was given."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; without harm where no scorer of it was given."""
        plain = asdict(self)
        if self.harm is not None or self.unscored:
            return plain
        return {name: plain[name] for name in ("what", "probes", "empty", "failed")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedModel:
    """A model of the loop."""

    name: str
    round: int
    """0 before any tuning."""

    test: tuple[ProbeGroup, ...]
    """On seeds that are never learned from."""

    train: tuple[ProbeGroup, ...]
    """On the seeds of the round that followed; empty after the last one."""

    clusters: tuple[ProbeCluster, ...]
    """Of the failures on harmful seeds: those that are learned from, or all where nothing is tuned."""

    curated: int
    """Rows that were added to the training data from its failures."""

    held_out_loss: float | None
    """Mean nats per token of held-out instructions; None where none are given."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        groups = {part: [group.to_dict() for group in getattr(self, part)] for part in ("test", "train")}
        return {**asdict(self), **groups}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """What the loop found."""

    model: str
    models: tuple[ProbedModel, ...]
    comparisons: tuple[ProbeComparison, ...]
    """Each model with the one before, and the last with the first."""

    claims: tuple[ProbeClaim, ...]
    """Of the last model against the first; none where nothing was tuned."""

    losses: tuple[LossComparison, ...]
    seeds: Mapping[str, int]
    """Seeds by label and part."""

    mutations: tuple[str, ...]
    error_rates: Mapping[str, float]
    """Of the scorer, by which rates were corrected."""

    confidence: float
    notes: tuple[str, ...]

    def changes(self, direction: str) -> list[ProbeComparison | LossComparison]:
        """The comparisons of the last model with the first that went one way.

        Args:
            direction: better or worse.
        """
        first, last = self.models[0].name, self.models[-1].name
        every: tuple[ProbeComparison | LossComparison, ...] = (*self.comparisons, *self.losses)
        return [one for one in every if (one.first, one.second) == (first, last) and one.direction == direction]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "model": self.model,
            "models": [model.to_dict() for model in self.models],
            "comparisons": [one.to_dict() for one in self.comparisons],
            "claims": [one.to_dict() for one in self.claims],
            "losses": [one.to_dict() for one in self.losses],
            "seeds": dict(self.seeds),
            "mutations": list(self.mutations),
            "error_rates": dict(self.error_rates),
            "confidence": self.confidence,
            "notes": list(self.notes),
        }

    def to_frame(self) -> pandas.DataFrame:
        """A row per model and group of test probes."""
        import pandas

        return pandas.DataFrame(
            [
                {"model": model.name, "probes of": group.what, "probes": group.probes, "empty": group.empty}
                | ({} if group.failed is None else group.failed.to_dict())
                for model in self.models
                for group in model.test
            ]
        )

    def __str__(self) -> str:
        lines = [
            f"failures of {self.model} on seeds that are never learned from, corrected for the scorer's errors",
            "",
        ]
        groups = list(dict.fromkeys(group.what for model in self.models for group in model.test))
        head = ("probes", *(model.name for model in self.models))
        rows = [head] + [(what, *(_rate(model, what) for model in self.models)) for what in groups]
        if any(model.held_out_loss is not None for model in self.models):
            losses = ["" if one.held_out_loss is None else f"{one.held_out_loss:.4f}" for one in self.models]
            rows.append(("held-out loss, nats per token", *losses))
        lines += aligned_rows(rows)
        if any(group.harm is not None or group.unscored for model in self.models for group in model.test):
            rows = [("harmful answers to", *head[1:])]
            rows += [(what, *(_harm(model, what) for model in self.models)) for what in groups]
            lines += ["", *aligned_rows(rows)]
        for model in self.models:
            if model.clusters:
                lines += ["", f"failures on harmful seeds {model.name}, by meaning"]
                lines += aligned_rows([_cluster_row(cluster) for cluster in model.clusters])
        for comparison in self.comparisons:
            if comparison.direction != "not significant":
                lines.append(_comparison_line(comparison, lines))
        for loss in self.losses:
            lines.append(
                f"{loss.first} to {loss.second}: held-out loss {loss.before:.4f} to {loss.after:.4f} "
                f"({loss.direction}; p = {loss.difference.p_value:.2g})"
            )
        lines += ["", *map(str, self.claims)] if self.claims else []
        if len(self.models) > 1 and not self.changes("worse"):
            lines.append("Nothing else that was measured got significantly worse.")
        return "\n".join([*lines, *self.notes])


def _rate(model: ProbedModel, what: str) -> str:
    group = next((group for group in model.test if group.what == what), None)
    if group is None or group.failed is None:
        return "no answers"
    share = group.failed
    return f"{share.corrected:.1%} [{share.low:.1%}, {share.high:.1%}] of {group.probes}"


def _harm(model: ProbedModel, what: str) -> str:
    group = next((group for group in model.test if group.what == what), None)
    if group is None or group.harm is None:
        return f"no scores of {group.unscored}" if group is not None and group.unscored else "no scores"
    share = group.harm
    text = f"{share.corrected:.1%} [{share.low:.1%}, {share.high:.1%}]"
    return f"{text}, {group.unscored} without a score" if group.unscored else text


def _cluster_row(cluster: ProbeCluster) -> tuple[str, ...]:
    share = cluster.failed
    rate = f"{share.corrected:.1%} [{share.low:.1%}, {share.high:.1%}]"
    return (
        f"  {cluster.name}",
        f"{cluster.failures} of {plural(cluster.probes, 'probe')}",
        rate,
        quoted(cluster.example),
    )


def _comparison_line(one: ProbeComparison, lines: list[str]) -> str:
    if lines and not lines[-1].startswith(one.first):
        lines.append("")
    return (
        f"{one.first} to {one.second}, {one.what}: {one.direction}, {one.mended} mended and {one.broken} broken "
        f"of {one.probes} (p = {one.adjusted:.2g} adjusted)"
    )
