"""Programs that copy what was seen: one answer always, the commonest for a feature, the nearest prompt's, a table."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

from shoal.attribution.programs.distances import DISTANCES, word_distances
from shoal.attribution.programs.program import Program, keys, shown, value_shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.attribution.programs.context import Context, PromptBatch
    from shoal.attribution.programs.expressions import Expression

CHOICES = {"commonest": 0.5, "first": 0.125, "last": 0.125, "longest": 0.125, "shortest": 0.125}
"""Which of several seen completions is copied, with the prior."""

TIES = ("first", "lower", "higher")
"""Of equally near seen prompts: the first, or the first of those with the lower or the higher value."""


@dataclass(frozen=True, slots=True)
class ConstantAnswer(Program):
    """One answer to every prompt."""

    kind = "constant"
    share = 0.05
    share_of_labels = 0.08

    answer: str

    @property
    def notation(self) -> str:
        """``constant(' yes')``."""
        return f"constant({self.answer!r})"

    @property
    def text(self) -> str:
        """In plain words."""
        return f"always {shown(self.answer)}"

    def answers(self, batch: PromptBatch) -> list[str | None]:
        """The same answer for every prompt."""
        return [self.answer] * len(batch)

    def own_bits(self, context: Context) -> float:
        """One bit for whether it was seen, then its place among the distinct ones, or its bytes and an end."""
        distinct = set(context.completions)
        return 1 + (math.log2(len(distinct)) if self.answer in distinct else 8 * (len(self.answer.encode()) + 1))


@dataclass(frozen=True, slots=True)
class CopyMatching(Program):
    """Copies the commonest (first, last, longest, shortest) seen completion among the prompts with the same key."""

    kind = "copy"
    share = 0.2
    share_of_labels = 0.19

    choice: str
    key: Expression | None = None
    """What must be equal; None for all prompts."""

    otherwise: bool = True
    """Where no seen prompt has the key: True to choose among all, False for no answer (a look-up that fails)."""

    @property
    def partial(self) -> bool:
        """Whether it is part of the program that it has no answer to some prompts."""
        return not self.otherwise

    @property
    def notation(self) -> str:
        """``copy[commonest](same at[-1](words))``."""
        same = f"same {self.key.notation}" if self.key else ""
        return f"copy[{self.choice}]({same}{'' if self.otherwise else ', else none'})"

    @property
    def text(self) -> str:
        """In plain words."""
        where = f" among the prompts with the same value of: {self.key.text}" if self.key else ""
        return (
            f"the {self.choice} seen completion{where}{'' if self.otherwise else ', and no answer where there is none'}"
        )

    def answers(self, batch: PromptBatch) -> list[str | None]:
        """The completion of each prompt's group; where no seen prompt has the key, of all seen prompts."""
        overall = _chosen(self.choice, batch.context.completions) if self.otherwise else None
        if self.key is None:
            return [overall] * len(batch)
        groups: dict[object, list[str]] = {}
        for key, completion in zip(keys(batch.context.seen, self.key), batch.context.completions, strict=True):
            groups.setdefault(key, []).append(completion)
        chosen: dict[object, str | None] = {}
        for key in set(keys(batch, self.key)):
            chosen[key] = _chosen(self.choice, groups[key]) if key in groups else overall
        return [chosen[key] for key in keys(batch, self.key)]

    def own_bits(self, context: Context) -> float:
        """The choice, then one bit for no key, or three for its type and what is done without it, and the key."""
        key = 3 + context.bits(self.key) if self.key else 1
        return -math.log2(CHOICES[self.choice]) + key


@dataclass(frozen=True, slots=True)
class CopyNearest(Program):
    """Copies the completion of the seen prompt that is nearest, among all or among those with the same key."""

    kind = "nearest"
    share = 0.12
    share_of_labels = 0.12

    value: Expression
    distance: str = "difference"
    """``difference`` of numbers, or one of `DISTANCES` between words."""

    ties: str = "first"
    key: Expression | None = None

    @property
    def notation(self) -> str:
        """``nearest[difference, lower](number[0])``."""
        within = f", same {self.key.notation}" if self.key else ""
        return f"nearest[{self.distance}, {self.ties}]({self.value.notation}{within})"

    @property
    def text(self) -> str:
        """In plain words."""
        within = f" among those with the same value of: {self.key.text}" if self.key else ""
        by = f"in {self.value.text}" if self.distance == "difference" else f"by {self.distance} of {self.value.text}"
        return f"the completion of the seen prompt that is nearest {by}{within} (of equals the {self.ties})"

    def answers(self, batch: PromptBatch) -> list[str | None]:
        """The nearest seen prompt's completion; where no seen prompt has the key, the nearest of all."""
        seen = batch.context.seen
        if not len(seen):
            return [None] * len(batch)
        gaps = self._distances(batch)
        gaps[np.isnan(gaps)] = np.inf
        if self.key is not None:
            codes: dict[object, int] = {}
            own, other = (
                np.array([codes.setdefault(key, len(codes)) for key in keys(each, self.key)]) for each in (batch, seen)
            )
            apart = np.where(own[:, None] == other[None, :], gaps, np.inf)
            gaps = np.where(np.isfinite(apart).any(axis=1, keepdims=True), apart, gaps)
        best = gaps.argmin(axis=1)
        undefined = ~np.isfinite(gaps[np.arange(len(best)), best])
        completions = batch.context.completions
        return [None if gone else completions[place] for gone, place in zip(undefined, best, strict=True)]

    def _distances(self, batch: PromptBatch) -> NDArray[np.float64]:
        """Prompts by seen prompts; what decides ties is added as less than any difference of whole numbers."""
        seen = batch.context.seen
        if self.distance != "difference":
            return word_distances(self.distance, batch.value(self.value), seen.value(self.value))
        own = np.asarray(batch.value(self.value), dtype=float)[:, None]
        other = np.asarray(seen.value(self.value), dtype=float)[None, :]
        side = {"first": 0.0, "lower": 0.25, "higher": -0.25}[self.ties]
        return np.asarray(np.abs(own - other) + side * np.sign(other - own), dtype=float)

    def own_bits(self, context: Context) -> float:
        """The type, the distance or the ties, the expression, and one bit for a key with the key."""
        choices = len(TIES) if self.distance == "difference" else len(DISTANCES)
        key = 2 + context.bits(self.key) if self.key else 1
        return 1 + math.log2(choices) + context.bits(self.value) + key


@dataclass(frozen=True, slots=True)
class AnswerTable(Program):
    """A table from the values of a feature to completions, which is spelled out in the program."""

    kind = "table"
    share = 0.1
    share_of_labels = 0.3

    key: Expression
    entries: tuple[tuple[object, str], ...]
    """Value and completion."""

    @property
    def notation(self) -> str:
        """``table(modulo[2](length(words)); 0: ' even'; 1: ' odd')``."""
        rows = "; ".join(f"{value_shown(value)}: {completion!r}" for value, completion in self.entries)
        return f"table({self.key.notation}; {rows})"

    @property
    def text(self) -> str:
        """In plain words."""
        rows = ", ".join(f"{shown(completion)} where it is {value_shown(value)}" for value, completion in self.entries)
        return f"by {self.key.text}: {rows}"

    def answers(self, batch: PromptBatch) -> list[str | None]:
        """The completion of each prompt's value, None for a value that is not in the table."""
        entries = dict(self.entries)
        return [entries.get(value) for value in keys(batch, self.key)]

    def own_bits(self, context: Context) -> float:
        """The type and the key, then for each value that the prompts have a completion among the distinct seen ones."""
        counts = np.array([list(Counter(completion for _, completion in self.entries).values())])
        return 1 + context.bits(self.key) + float(row_bits(counts, len(set(context.completions)))[0])


def row_bits(counts: NDArray[np.int_], labels: int) -> NDArray[np.float64]:
    """Bits of the rows of tables: each label is predicted by those of the rows before (Krichevsky and Trofimov 1981).

    A table with the same label in all rows is a constant and no table, so that the others have all of the probability.

    Args:
        counts: tables by labels, how many rows have each; labels of no row may be left out.
        labels: how many there are.
    """
    rows = counts.sum(axis=1)
    nats = gammaln(rows + labels / 2) - gammaln(labels / 2) - (gammaln(counts + 0.5) - gammaln(0.5)).sum(axis=1)
    # Of one row nothing else is possible, and it keeps what it has.
    same = np.exp(gammaln(labels / 2) - gammaln(rows + labels / 2) + gammaln(rows + 0.5) - gammaln(0.5)) * labels
    nats = np.where(rows > 1, nats + np.log1p(-np.where(rows > 1, same, 0)), nats)
    nats = np.where((rows > 1) & ((counts > 0).sum(axis=1) == 1), np.inf, nats)
    return np.asarray(nats / math.log(2), dtype=float)


def _chosen(choice: str, completions: Sequence[str]) -> str | None:
    """One of the completions."""
    if not completions:
        return None
    if choice == "commonest":
        return Counter(completions).most_common(1)[0][0]
    if choice in ("first", "last"):
        return completions[0 if choice == "first" else -1]
    return (max if choice == "longest" else min)(completions, key=len)
