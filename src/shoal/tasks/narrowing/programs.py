"""How often a program, the rule or a shortcut, gives the right completion of the held-out prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.tasks.example import Example
    from shoal.tasks.task import Rule, Shortcut


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramScore:
    """One program on the held-out examples."""

    name: str
    right: int
    """How many completions it gives exactly."""

    items: int
    """Of how many."""

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.right / self.items


def score_shortcuts(
    shortcuts: Mapping[str, Shortcut], seen: Sequence[Example], held_out: Sequence[Example]
) -> tuple[ProgramScore, ...]:
    """Every shortcut, the best first."""
    scores = [
        ProgramScore(
            name=name,
            right=sum(shortcut(example.prompt, seen) == example.completion for example in held_out),
            items=len(held_out),
        )
        for name, shortcut in shortcuts.items()
    ]
    return tuple(sorted(scores, key=lambda score: -score.right))


def score_rule(rule: Rule, held_out: Sequence[Example]) -> ProgramScore:
    """The rule; short of all right, the examples are not what the rule says."""
    right = sum(rule(example.prompt) == example.completion for example in held_out)
    return ProgramScore(name="rule", right=right, items=len(held_out))
