"""The narrowness report: its parts measured, what the held-out part tests concluded from them, and printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import DataError
from shoal.tasks.narrowing.measurements import (
    LengthComparison,
    NearestPrompts,
    ProgramScore,
    Tokenizer,
    compare_lengths,
    encode,
    nearest_prompts,
    sample,
    sample_sizes,
    score_rule,
    score_shortcuts,
    tokenizer_name,
)
from shoal.tasks.narrowing.repeats import Cycles, PrefixLeakage, find_cycles, prefix_leakage
from shoal.tasks.shortcuts import COPYING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas

    from shoal.tasks.task import Example, Rule, Shortcut


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrownessReport:
    """How far the held-out examples can be answered from the seen ones."""

    seen: int
    """Seen examples."""

    held_out: int
    """Held-out examples."""

    tokens: str
    """What the tokens are: a tokenizer's name, or ``characters``."""

    repeated_prompts: int
    """Held-out examples whose prompt was seen, word for word."""

    prefixes: PrefixLeakage
    neighbours: NearestPrompts
    cycles: Cycles
    lengths: LengthComparison

    rule: ProgramScore | None
    """The rule on the held-out examples; None where none was given."""

    shortcuts: tuple[ProgramScore, ...]
    """The shortcuts on the held-out examples (a sample of them where there are many), the best first."""

    kind: Kind
    """What the held-out part tests, in a word."""

    conclusion: tuple[str, ...]
    """The same in plain sentences, the most important first."""

    def to_dict(self) -> dict[str, Any]:
        """Every number, ready for JSON."""
        return asdict(self)

    def to_frame(self) -> pandas.DataFrame:
        """One row a program: the rule, if it was given, and the shortcuts, with what they answer on their own."""
        import pandas

        programs = [*([self.rule] if self.rule else []), *self.shortcuts]
        return pandas.DataFrame([{**asdict(program), "accuracy": program.accuracy} for program in programs])

    def __str__(self) -> str:
        """The report as lines of text, the conclusion at the end."""
        lines = [
            f"Narrowness of {self.held_out} held-out examples against {self.seen} seen ones (tokens: {self.tokens})",
            f"  prompts seen word for word: {self.repeated_prompts} of {self.held_out}",
            *_prefix_lines(self.prefixes),
            _neighbours_line(self.neighbours),
            _cycles_line(self.cycles),
            _lengths_line(self.lengths),
        ]
        if self.rule:
            lines.append(f"  rule: right on {self.rule.right} of {self.rule.items}")
        if self.shortcuts:
            scores = ", ".join(f"{score.name} {score.right}" for score in self.shortcuts)
            lines.append(f"  shortcuts, right of {self.shortcuts[0].items}: {scores}")
        return "\n".join([*lines, "Conclusion", *(f"  {sentence}." for sentence in self.conclusion)])


def narrowness(
    seen: Sequence[Example],
    held_out: Sequence[Example],
    tokenizer: Tokenizer | None = None,
    *,
    rule: Rule | None = None,
    shortcuts: Mapping[str, Shortcut] = COPYING,
    seed: int = 0,
) -> NarrownessReport:
    """Measure how far the held-out examples can be answered from the seen ones.

    Prefixes, cycles and lengths are measured on all examples. Neighbours and shortcuts compare pairs of prompts; with
    many long rows they use a sample, whose size is part of the report.

    Args:
        seen: the examples that may be trained on.
        held_out: the examples reserved for the test.
        tokenizer: of the model in question: a ``transformers`` tokenizer, a ``tokenizers.Tokenizer`` or a callable
            from a text to its token ids; None counts characters.
        rule: the task's rule.
        shortcuts: the task's shortcuts; by default those that copy a seen answer.
        seed: random seed of the samples.

    Raises:
        DataError: one of the two parts is empty.
    """
    if not seen or not held_out:
        raise DataError(f"{len(seen)} seen and {len(held_out)} held-out examples were given; both parts need some")
    seen_ids, held_out_ids = encode(tokenizer, seen), encode(tokenizer, held_out)
    prompts = {example.prompt for example in seen}
    # Samples for what compares each held-out prompt with each seen one; what sets can tell takes all of them.
    sizes = sample_sizes([example.prompt for example in seen], [example.prompt for example in held_out])
    sampled_seen = sample(list(zip(seen, seen_ids, strict=True)), sizes[0], seed)
    sampled_held = sample(list(zip(held_out, held_out_ids, strict=True)), sizes[1], seed)
    repeated = sum(example.prompt in prompts for example in held_out)
    prefixes = prefix_leakage(seen_ids, held_out_ids)
    neighbours = nearest_prompts([ids for _, ids in sampled_seen], [ids for _, ids in sampled_held])
    cycles = find_cycles(seen, seen_ids, held_out, held_out_ids)
    lengths = compare_lengths(seen_ids, held_out_ids)
    scores = score_shortcuts(
        shortcuts, tuple(example for example, _ in sampled_seen), [example for example, _ in sampled_held]
    )
    kind, conclusion = conclude(repeated, prefixes, neighbours, cycles, lengths, scores)
    return NarrownessReport(
        seen=len(seen),
        held_out=len(held_out),
        tokens=tokenizer_name(tokenizer),
        repeated_prompts=repeated,
        prefixes=prefixes,
        neighbours=neighbours,
        cycles=cycles,
        lengths=lengths,
        rule=score_rule(rule, held_out) if rule else None,
        shortcuts=scores,
        kind=kind,
        conclusion=conclusion,
    )


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


def _neighbours_line(neighbours: NearestPrompts) -> str:
    """How near the prompts are."""
    return (
        f"  nearest prompts, {neighbours.items} held-out against {neighbours.seen} seen: {neighbours.steps:.1f} tokens "
        f"away (distance {neighbours.distance:.3f}); the neighbour's completion is right on {neighbours.copy_right}, "
        f"and on {neighbours.copy_token_accuracy:.1%} of tokens"
    )


def _lengths_line(lengths: LengthComparison) -> str:
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
