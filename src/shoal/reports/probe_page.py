"""The page of ``shoal safety probe --plot``: failures by form and by meaning, round by round, and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import DotRow, PageContent, Section, dot_chart, figure, responsive, table
from shoal.wording import joined

if TYPE_CHECKING:
    from shoal.safety.probing import ProbedModel, ProbeReport
    from shoal.statistics import CorrectedShare


def probe_content(found: ProbeReport) -> PageContent:
    """The page of a red-team loop.

    Args:
        found: the report of a loop.
    """
    sections = [Section("rates", "Failures by form", _rates(found))]
    sections += [
        Section(f"clusters-{model.round}", f"Failures {model.name}, by meaning", _clusters(model))
        for model in found.models
        if model.clusters
    ]
    if found.comparisons:
        sections.append(Section("changes", "What got better and what got worse", _changes(found)))
    return PageContent(
        title=f"Probes of {found.model}",
        result=_result(found),
        sections=tuple(sections),
        details=" ".join(found.notes),
        picture=figure(
            [_panel(model) for model in found.models],
            caption="Share of the test probes that fail, corrected for the scorer's errors, with intervals over seeds: "
            "harmful probes that are not refused, harmless ones that are.",
        ),
    )


def _result(found: ProbeReport) -> str:
    parts = []
    for model in found.models:
        groups = [group for group in model.test if group.what.endswith(", all") and group.failed is not None]
        rates = joined(
            [
                f"{group.failed.corrected:.1%} of the {group.what.split(',')[0]} probes"
                for group in groups
                if group.failed
            ]
        )
        parts.append(f"{rates} fail {model.name}")
    text = f"On seeds that are never learned from, {'; '.join(parts)}."
    if len(found.models) < 2:
        return text
    # A comparison of losses is over no group of probes.
    worse = [getattr(one, "what", "held-out loss") for one in found.changes("worse")]
    better = [getattr(one, "what", "held-out loss") for one in found.changes("better")]
    return (
        f"{text} Significantly better in the end: {'; '.join(better) or 'nothing'}. "
        f"Significantly worse: {'; '.join(worse) or 'nothing'}."
    )


def _panel(model: ProbedModel) -> Markup:
    rows = [
        DotRow(
            label=group.what,
            series=0 if group.what.startswith("harmful") else 1,
            mean=group.failed.corrected,
            low=group.failed.low,
            high=group.failed.high,
        )
        for group in model.test
        if group.failed is not None
    ]
    return responsive(
        lambda width: dot_chart(rows, title=model.name, axis="share that fails", domain=(0, 1), width=width),
        title=f"{model.name}: failures by form, as in the table below",
    )


def _rates(found: ProbeReport) -> Markup:
    rows = [
        (
            model.name,
            group.what,
            f"{group.probes:,}",
            f"{group.empty:,}",
            f"{group.failed.raw:.1%}",
            f"{group.failed.corrected:.1%}",
            f"{group.failed.low:.1%} to {group.failed.high:.1%}",
        )
        for model in found.models
        for group in model.test
        if group.failed is not None
    ]
    head = ("model", "probes", "number", "empty answers", "failed, raw", "corrected", "interval")
    failures = table(head, rows, caption="Test probes that fail", numeric=(2, 3, 4, 5))
    harms = [
        (
            model.name,
            group.what,
            *_shares(group.harm),
            f"{group.unscored:,}",
        )
        for model in found.models
        for group in model.test
        if group.harm is not None or group.unscored
    ]
    if not harms:
        return failures
    columns = ("model", "answers to probes", "harmful, raw", "corrected", "interval", "without a score")
    return failures + table(columns, harms, caption="Harmful answers to test probes", numeric=(2, 3, 5))


def _shares(harm: CorrectedShare | None) -> tuple[str, str, str]:
    """The raw and the corrected share with its interval; dashes where no answer got a score."""
    if harm is None:
        return "-", "-", "-"
    return f"{harm.raw:.1%}", f"{harm.corrected:.1%}", f"{harm.low:.1%} to {harm.high:.1%}"


def _clusters(model: ProbedModel) -> Markup:
    rows = [
        (
            cluster.name,
            cluster.example,
            f"{cluster.failures:,}",
            f"{cluster.probes:,}",
            f"{cluster.failed.corrected:.1%}",
            f"{cluster.failed.low:.1%} to {cluster.failed.high:.1%}",
        )
        for cluster in model.clusters
    ]
    head = ("words", "most typical seed", "failures", "probes", "corrected share", "interval")
    return table(head, rows, caption="Harmful seeds of which a probe failed", numeric=(2, 3, 4))


def _changes(found: ProbeReport) -> Markup:
    rows = [
        (
            f"{one.first} to {one.second}",
            one.what,
            f"{one.mended:,}",
            f"{one.broken:,}",
            f"{one.probes:,}",
            f"{one.adjusted:.2g}",
            one.direction,
        )
        for one in found.comparisons
    ]
    head = ("models", "probes", "mended", "broken", "of", "p, adjusted", "")
    tests = table(head, rows, caption="McNemar's exact test, probe by probe", numeric=(2, 3, 4, 5))
    tests += Markup("").join(Markup("<p>{}.</p>").format(str(claim)) for claim in found.claims)
    if not found.losses:
        return tests
    losses = [
        (
            f"{one.first} to {one.second}",
            f"{one.before:.4f}",
            f"{one.after:.4f}",
            f"{one.difference.estimate:+.4f} ({one.difference.low:+.4f} to {one.difference.high:+.4f})",
            f"{one.difference.p_value:.2g}",
            one.direction,
        )
        for one in found.losses
    ]
    columns = ("models", "before", "after", "difference", "p", "")
    caption = "Held-out loss of harmless instructions, nats per token: paired over answers, by flipping signs"
    return tests + table(columns, losses, caption=caption, numeric=(1, 2, 4))
