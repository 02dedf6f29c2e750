"""What a held-out part tests, concluded from the findings and from nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.tasks.narrowing.measurements import LengthComparison, NearestPrompts, ProgramScore
    from shoal.tasks.narrowing.repeats import Cycles, PrefixLeakage

Kind = Literal[
    "leaked",
    "answered by a shortcut",
    "choice among known answers",
    "where to stop",
    "where to begin",
    "extrapolation in length",
    "new text",
]
"""What a held-out part tests, from nothing at all to the most."""

_NEARLY_ALL = 0.9
"""The share of the items for which a finding must hold to be the main one; the rest may be the odd short item."""

_FEW_TOKENS = 0.05
"""The share of the tokens that may be undecided where only a boundary is called new."""


def conclude(
    repeated: int,
    prefixes: PrefixLeakage,
    neighbours: NearestPrompts,
    cycles: Cycles,
    lengths: LengthComparison,
    shortcuts: Sequence[ProgramScore],
) -> tuple[Kind, tuple[str, ...]]:
    """The kind of the held-out part and the sentences that explain it, the most important first.

    Args:
        repeated: held-out prompts that were seen word for word.
        prefixes: how much of the held-out completions occurs in the seen ones.
        neighbours: what copying the nearest prompt's completion gives.
        cycles: the periods of tokens and split.
        lengths: what lies beyond the seen lengths.
        shortcuts: what each shortcut answers.
    """
    kind, first = _main_finding(repeated, prefixes, neighbours, lengths, shortcuts)
    others = [
        _repeated(repeated, prefixes) if kind != "leaked" else "",
        _best_program(neighbours, shortcuts) if kind != "answered by a shortcut" else "",
        _mixture(kind, prefixes, lengths),
        _determined(kind, prefixes),
        _gap(kind, cycles),
        _phases(cycles),
    ]
    return kind, (first, *(sentence for sentence in others if sentence))


def _main_finding(
    repeated: int,
    prefixes: PrefixLeakage,
    neighbours: NearestPrompts,
    lengths: LengthComparison,
    shortcuts: Sequence[ProgramScore],
) -> tuple[Kind, str]:
    """The first finding that holds for nearly all items; what would make a test worthless comes first."""
    total = prefixes.items
    enough = _NEARLY_ALL * total
    name, right, items = _best(neighbours, shortcuts)
    if repeated >= enough:
        return "leaked", f"{_out_of(repeated, total)} held-out prompts were seen: this split tests memory alone"
    if right >= _NEARLY_ALL * items:
        finding = f"{name} is right on {_out_of(right, items)} held-out examples"
        return "answered by a shortcut", f"{finding}: this split tests nothing that it does not answer"
    if prefixes.known >= enough:
        finding = f"{_out_of(prefixes.known, total)} held-out completions were seen with other prompts"
        return "choice among known answers", f"{finding}: this split tests the choice among known answers"
    if prefixes.prefixes >= enough and prefixes.undecided <= _FEW_TOKENS:
        finding = f"{_out_of(prefixes.prefixes, total)} held-out completions are prefixes of seen ones"
        return "where to stop", f"{finding}: this split tests only where to stop"
    if prefixes.suffixes >= enough and prefixes.undecided_backward <= _FEW_TOKENS:
        finding = f"{_out_of(prefixes.suffixes, total)} held-out completions are the ends of seen ones"
        return "where to begin", f"{finding}: this split tests only where to begin"
    if lengths.longer >= enough:
        finding = f"{_out_of(lengths.longer, total)} held-out completions are longer than any seen one"
        tokens = f"up to {lengths.longest_held_out} tokens against {lengths.longest_seen}"
        return "extrapolation in length", f"{finding} ({tokens}): this split tests extrapolation in length"
    finding = f"{prefixes.undecided:.0%} of the held-out tokens are not decided by seen completions that begin alike"
    return "new text", f"{finding}, and {name} is right on {_out_of(right, items)}: this split tests new text"


def _best(neighbours: NearestPrompts, shortcuts: Sequence[ProgramScore]) -> tuple[str, int, int]:
    """Name, right answers and items of the best way to answer without the rule."""
    # First, so that it is named where a shortcut is right just as often.
    copying = ("copying the nearest neighbour", neighbours.copy_right, neighbours.items)
    others = [(f"the shortcut {score.name}", score.right, score.items) for score in shortcuts]
    return max([copying, *others], key=lambda program: program[1])


def _repeated(repeated: int, prefixes: PrefixLeakage) -> str:
    """Prompts that are on both sides."""
    if not repeated:
        return ""
    return f"{_out_of(repeated, prefixes.items)} held-out prompts were seen word for word; remove them from one side"


def _best_program(neighbours: NearestPrompts, shortcuts: Sequence[ProgramScore]) -> str:
    """A shortcut that answers a good part."""
    name, right, items = _best(neighbours, shortcuts)
    # The mirror of what counts as nearly all: below a tenth a shortcut explains no more than odd items.
    if right < (1 - _NEARLY_ALL) * items:
        return ""
    return f"{name} is right on {_out_of(right, items)} held-out examples: only what goes beyond that counts"


def _mixture(kind: Kind, prefixes: PrefixLeakage, lengths: LengthComparison) -> str:
    """Other parts of the items that test less, or more, than the main finding."""
    parts = {
        "choice among known answers": (prefixes.known, "have completions that were seen"),
        "where to stop": (prefixes.prefixes, "have completions that are prefixes of seen ones"),
        "where to begin": (prefixes.suffixes, "have completions that are the ends of seen ones"),
        "extrapolation in length": (lengths.longer, "have completions longer than any seen one"),
    }
    findings = [
        f"{_out_of(count, prefixes.items)} {what}"
        for name, (count, what) in parts.items()
        if name != kind and count >= (1 - _NEARLY_ALL) * prefixes.items
    ]
    if prefixes.new_tokens >= 1 - _NEARLY_ALL:
        findings.append(f"{prefixes.new_tokens:.0%} of the completion tokens occur in no seen completion")
    return "; ".join(findings)


def _determined(kind: Kind, prefixes: PrefixLeakage) -> str:
    """The share of positions that test nothing, where only a boundary is new."""
    if kind != "where to stop":
        return ""
    return f"{prefixes.determined:.1%} of the next tokens follow from seen completions that begin alike"


def _gap(kind: Kind, cycles: Cycles) -> str:
    """How far it is from a held-out item to a seen one, where the items have an order."""
    # Only where a boundary is new is the distance to the next seen boundary what makes an item hard.
    if cycles.order != "index" or kind not in ("where to stop", "where to begin"):
        return ""
    if cycles.longest_gap == 1:
        return "every held-out item has a seen one next to it by index: this is interpolation"
    return f"up to {cycles.longest_gap} held-out items follow each other by index without a seen one between them"


def _phases(cycles: Cycles) -> str:
    """The token cycle, the split's own period, and what of the cycle was seen."""
    tokens, split = cycles.token_period, cycles.split_period
    if tokens is None:
        return f"the split repeats every {split} items, and the tokens of the completions do not" if split else ""
    finding = f"the tokens at the end of a completion repeat every {tokens} items"
    if split:
        finding += f" and the split every {split}"
    if cycles.new_phases:
        places = f"place {', '.join(map(str, cycles.new_phases))} of that cycle"
        return f"{finding}; no seen completion ends at {places}, so that ending there is new"
    if len(cycles.seen_phases) == tokens:
        return f"{finding}; seen completions end at all {tokens} places of that cycle, so that none is new"
    return f"{finding}; seen completions end wherever in that cycle held-out ones do"


def _out_of(count: int, total: int) -> str:
    """``all 30``, or ``27 of 30``."""
    return f"all {total}" if count == total else f"{count} of {total}"
