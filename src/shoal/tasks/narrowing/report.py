"""The narrowness report: its parts measured and brought to a conclusion."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.tasks.narrowing.conclusion import Kind, conclude
from shoal.tasks.narrowing.cycles import Cycles, find_cycles
from shoal.tasks.narrowing.encoding import Tokenizer, encode, tokenizer_name
from shoal.tasks.narrowing.lengths import Lengths, compare_lengths
from shoal.tasks.narrowing.neighbours import Neighbours, nearest_neighbours
from shoal.tasks.narrowing.prefixes import PrefixLeakage, prefix_leakage
from shoal.tasks.narrowing.programs import ProgramScore, score_rule, score_shortcuts
from shoal.tasks.narrowing.sampling import sample, sample_sizes
from shoal.tasks.shortcuts import COPYING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.tasks.example import Example
    from shoal.tasks.task import Rule, Shortcut


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowness:
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
    neighbours: Neighbours
    cycles: Cycles
    lengths: Lengths

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


def narrowness(
    seen: Sequence[Example],
    held_out: Sequence[Example],
    tokenizer: Tokenizer | None = None,
    *,
    rule: Rule | None = None,
    shortcuts: Mapping[str, Shortcut] = COPYING,
    seed: int = 0,
) -> Narrowness:
    """Measure how far the held-out examples can be answered from the seen ones.

    Prefixes, cycles and lengths are measured on all examples. Neighbours and shortcuts compare pairs of prompts; with
    many long rows they use a sample drawn by the seed, and say of how many.

    Args:
        seen: the examples that may be trained on.
        held_out: the examples kept for the test.
        tokenizer: of the model in question: a ``transformers`` tokenizer, a ``tokenizers.Tokenizer`` or a callable
            from a text to its token ids; None counts characters.
        rule: the task's rule.
        shortcuts: the task's shortcuts; by default those that copy a seen answer.
        seed: of the samples.

    Raises:
        DataError: one of the two parts is empty.
    """
    if not seen or not held_out:
        raise DataError(f"{len(seen)} seen and {len(held_out)} held-out examples were given; both parts need some")
    seen_ids, held_out_ids = encode(tokenizer, seen), encode(tokenizer, held_out)
    prompts = {example.prompt for example in seen}
    sizes = sample_sizes([example.prompt for example in seen], [example.prompt for example in held_out])
    sampled_seen = sample(list(zip(seen, seen_ids, strict=True)), sizes[0], seed)
    sampled_held = sample(list(zip(held_out, held_out_ids, strict=True)), sizes[1], seed)
    repeated = sum(example.prompt in prompts for example in held_out)
    prefixes = prefix_leakage(seen_ids, held_out_ids)
    neighbours = nearest_neighbours([ids for _, ids in sampled_seen], [ids for _, ids in sampled_held])
    cycles = find_cycles(seen, seen_ids, held_out, held_out_ids)
    lengths = compare_lengths(seen_ids, held_out_ids)
    scores = score_shortcuts(
        shortcuts, tuple(example for example, _ in sampled_seen), [example for example, _ in sampled_held]
    )
    kind, conclusion = conclude(repeated, prefixes, neighbours, cycles, lengths, scores)
    return Narrowness(
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
