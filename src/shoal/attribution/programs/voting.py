"""Programs that count associations: the label that the words (letters, endings ...) of a prompt had in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.programs.program import Program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.attribution.programs.context import Context, PromptBatch
    from shoal.attribution.programs.expressions import Column, Expression

VOTES = ("all", "strongest")
"""Whether all features of a prompt vote, or the one whose seen prompts have one label most clearly."""


@dataclass(frozen=True, slots=True)
class Vote(Program):
    """The label that is most probable by what the words of a prompt went with in training (naive Bayes)."""

    kind = "vote"
    share = 0.01
    share_of_labels = 0.08

    voters: str
    """One of `VOTES`."""

    features: Expression
    """Of words: each different one is a feature."""

    @property
    def notation(self) -> str:
        """``vote[all](last-letters(words))``."""
        return f"vote[{self.voters}]({self.features.notation})"

    @property
    def text(self) -> str:
        """In plain words."""
        which = "all of these" if self.voters == "all" else "the clearest one of these"
        return f"the label that went in training with {which}: {self.features.text}"

    def answers(self, batch: PromptBatch) -> list[str | None]:
        """The label with the most votes; the commonest one where no feature was seen."""
        context = batch.context
        labels = sorted(set(context.completions))
        places = {label: place for place, label in enumerate(labels)}
        seen = context.seen.value(self.features)
        features = sorted({feature for row in seen if isinstance(row, tuple) for feature in row})
        numbers = {feature: number for number, feature in enumerate(features)}
        given = np.eye(len(labels))[[places[text] for text in context.completions]]
        totals = given.sum(axis=0)
        counts = _bags(seen, numbers).T @ given
        if self.voters == "all":
            # One half for each outcome that was not seen (Krichevsky and Trofimov).
            votes = np.log(totals / totals.sum()) + _bags(batch.value(self.features), numbers) @ np.log(
                (counts + 0.5) / (totals + 1)
            )
        else:
            prior = totals / totals.sum()
            clear = (counts + prior) / (counts.sum(axis=1, keepdims=True) + 1)
            bags = _bags(batch.value(self.features), numbers)
            votes = np.array([clear[row > 0].max(axis=0, initial=0) if row.any() else prior for row in bags])
        return [labels[place] for place in votes.argmax(axis=1)]

    def own_bits(self, context: Context) -> float:
        """One bit for who votes, and the features."""
        return 1 + context.bits(self.features)


def _bags(rows: Column, numbers: dict[str, int]) -> NDArray[np.float64]:
    """Prompts by features: 1 where the prompt has it."""
    bags = np.zeros((len(rows), len(numbers)))
    for place, row in enumerate(rows):
        if isinstance(row, tuple):
            bags[place, [numbers[each] for each in set(row) if each in numbers]] = 1
    return bags
