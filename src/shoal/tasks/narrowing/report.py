"""The narrowness report: its parts measured, brought to a conclusion and printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.tasks.narrowing.conclusion import Kind, conclude
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
