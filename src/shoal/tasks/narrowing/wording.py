"""The narrowness report in readable lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoal.tasks.narrowing.cycles import Cycles
    from shoal.tasks.narrowing.lengths import Lengths
    from shoal.tasks.narrowing.neighbours import Neighbours
    from shoal.tasks.narrowing.prefixes import PrefixLeakage
    from shoal.tasks.narrowing.report import Narrowness


def narrowness_text(report: Narrowness) -> str:
    """The report as lines of text, the conclusion at the end."""
    lines = [
        f"Narrowness of {report.held_out} held-out beside {report.seen} seen examples (tokens: {report.tokens})",
        f"  prompts seen word for word: {report.repeated_prompts} of {report.held_out}",
        *_prefix_lines(report.prefixes),
        _neighbours_line(report.neighbours),
        _cycles_line(report.cycles),
        _lengths_line(report.lengths),
    ]
    if report.rule:
        lines.append(f"  rule: right on {report.rule.right} of {report.rule.items}")
    if report.shortcuts:
        scores = ", ".join(f"{score.name} {score.right}" for score in report.shortcuts)
        lines.append(f"  shortcuts, right of {report.shortcuts[0].items}: {scores}")
    return "\n".join([*lines, "Conclusion", *(f"  {sentence}." for sentence in report.conclusion)])


def _prefix_lines(prefixes: PrefixLeakage) -> list[str]:
    """What the seen completions hold of the held-out ones."""
    return [
        (
            f"  completions: {prefixes.known} known, {prefixes.prefixes} prefixes and {prefixes.suffixes} ends of "
            f"seen ones; {prefixes.prefix_share:.1%} of a completion, on average, is the beginning of a seen one"
        ),
        (
            f"  next tokens, {prefixes.positions}: {prefixes.determined:.1%} determined by seen completions, "
            f"{prefixes.contradicted:.1%} contradicted, {prefixes.ambiguous:.1%} ambiguous, "
            f"{prefixes.unseen:.1%} unseen; {prefixes.tested:.1%} test anything"
        ),
    ]


def _neighbours_line(neighbours: Neighbours) -> str:
    """How near the prompts are."""
    return (
        f"  nearest prompts, {neighbours.items} held-out beside {neighbours.seen} seen: {neighbours.steps:.1f} tokens "
        f"away (distance {neighbours.distance:.3f}); the neighbour's completion is right on {neighbours.copy_right}, "
        f"and on {neighbours.copy_token_accuracy:.1%} of tokens"
    )


def _lengths_line(lengths: Lengths) -> str:
    """What lies beyond the seen lengths."""
    return (
        f"  lengths: {lengths.longer} of {lengths.items} completions longer than any seen one "
        f"({lengths.longest_held_out} against {lengths.longest_seen} tokens); "
        f"{lengths.beyond_context:.1%} of positions beyond the seen context"
    )


def _cycles_line(cycles: Cycles) -> str:
    """The periods that were found."""
    tokens = "none" if cycles.token_period is None else str(cycles.token_period)
    if cycles.token_period is not None:
        tokens += f" (seen ends at phases {', '.join(map(str, cycles.seen_phases))})"
    split = "none" if cycles.split_period is None else str(cycles.split_period)
    return f"  periods by {cycles.order}: tokens {tokens}; split {split}; longest gap {cycles.longest_gap}"
