"""The evidence that answers give for explanations, as arrays.

Shapes: N items, A different answers of an item (padded), C classes of explanations and, last, noise.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.attribution.answers import ItemAnswer
    from shoal.attribution.candidates import CandidateTable


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEvidence:
    """What a mixture of explanations is fitted to."""

    classes: tuple[tuple[str, ...], ...]
    """The explanations in groups that the items cannot tell apart; noise is the last column and is not named here."""

    race_NA: NDArray[np.float64]
    """The weight of each answer among those that are compared; rows sum to 1."""

    given_NAC: NDArray[np.float64]
    """Probability of each answer by each class, and by noise in the last column."""

    answered_NC: NDArray[np.float64]
    """Probability of the answer that the model gave, in the same columns."""

    weights_N: NDArray[np.float64]
    """Items of one cluster share the weight of one."""


def collect_evidence(table: CandidateTable, answers: Sequence[ItemAnswer], seen: Sequence[str]) -> AnswerEvidence:
    """Bring candidates and answers together.

    Args:
        table: the candidates of the items.
        answers: what the model says to them, in the same order.
        seen: the completions of the training examples, from which noise draws its answers.

    Raises:
        UsageError: the answers are not those to the items of the table, there are none, or no explanation applies to
            any item.
    """
    if not answers:
        raise UsageError("there are no answers to explain; give at least one")
    if [answer.prompt for answer in answers] != list(table.prompts):
        raise UsageError(
            f"{len(answers)} answers were given to {len(table.prompts)} items, or to other prompts; give one answer "
            "for each item, in the same order"
        )
    classes = table.classes()
    if not classes:
        raise UsageError(
            f"the explanations ({', '.join(table.names) or 'none'}) give no answer to any of the {len(answers)} items, "
            "so that they can explain nothing; name one that applies"
        )
    # All answers of a class are equal, so that its first explanation stands for it.
    columns = [table.column(group[0]) for group in classes]
    noise = NoiseModel(seen)
    compared = [_compared(answer, row) for answer, row in zip(answers, table.answers, strict=True)]
    widest = max(map(len, compared))
    # Rows are padded with answers of no weight, which drop out of every sum.
    race = np.zeros((len(answers), widest))
    given = np.zeros((len(answers), widest, len(columns) + 1))
    answered = np.zeros((len(answers), len(columns) + 1))
    for place, (answer, row, texts) in enumerate(zip(answers, table.answers, compared, strict=True)):
        race[place, : len(texts)] = _race(answer, texts, is_candidate=texts[0] in row)
        for column, candidates in enumerate(columns):
            given[place, : len(texts), column] = [text == candidates[place] for text in texts]
            # An answer that never ends is not the candidate, whatever its text is.
            answered[place, column] = answer.ends and answer.answer == candidates[place]
        given[place, : len(texts), -1] = [noise.probability(text) for text in texts]
        answered[place, -1] = noise.probability(answer.answer)
    sizes = Counter(table.clusters)
    return AnswerEvidence(
        classes=classes,
        race_NA=race,
        given_NAC=given,
        answered_NC=answered,
        weights_N=np.array([1 / sizes[cluster] for cluster in table.clusters]),
    )


class NoiseModel:
    """Answers that do not depend on the prompt: as frequent as in training, with some mass for answers never seen.

    The mass of new answers is that of Witten and Bell (1991): different answers by different answers plus answers. It
    is dealt to one more unseen answer than were seen, so that each is less probable than an answer that was seen once.
    """

    def __init__(self, seen: Sequence[str]) -> None:
        self._counts = Counter(seen)
        self._total = sum(self._counts.values())

    def probability(self, text: str) -> float:
        """The probability of an answer."""
        kinds = len(self._counts)
        if text in self._counts:
            return self._counts[text] / (self._total + kinds)
        return max(kinds, 1) / (self._total + max(kinds, 1)) / (kinds + 1)


_NOT_ENDED = "\0"
"""Stands behind the text of an answer that did not end, so that it is equal to no candidate."""


def race_of(answer: ItemAnswer, candidates: Sequence[str | None]) -> dict[str, float]:
    """The answers of an item that run against each other with their weights, which sum to 1; the model's own is first.

    Args:
        answer: what the model answers, with its log-probabilities.
        candidates: the completions that the explanations give.
    """
    texts = _compared(answer, candidates)
    return dict(zip(texts, _race(answer, texts, is_candidate=texts[0] in candidates).tolist(), strict=True))


def _compared(answer: ItemAnswer, row: Sequence[str | None]) -> list[str]:
    """The different answers that run against each other: all candidates and what the model says."""
    own = answer.answer if answer.ends else answer.answer + _NOT_ENDED
    # The model's own answer stands first, which the callers rely on.
    return list(dict.fromkeys([own, *(text for text in row if text is not None)]))


def _race(answer: ItemAnswer, texts: Sequence[str], *, is_candidate: bool) -> NDArray[np.float64]:
    """The weight of each answer, the model's own first.

    Where the model's answer is a candidate, the candidates share the weight by their probabilities, among which that of
    a long text is small by its length alone. So log-probabilities refine an answer and never overrule it: where another
    candidate is more probable as a whole than the answer that was decoded token by token, the answer has all weight.
    Where the model's answer is no candidate, other answers have all that the candidates leave.
    """
    nats = np.array([answer.log_probs.get(text, -math.inf) for text in texts])
    overruled = is_candidate and nats.max() > nats[0]
    # Without log-probabilities the answer itself is all that is known.
    if overruled or not np.isfinite(nats).any():
        alone: NDArray[np.float64] = np.eye(len(texts))[0]
        return alone
    if is_candidate:
        # Relative to the answer itself: the exponential of a long text of -800 nats alone would be 0.
        odds = np.exp(nats - nats[0])
    else:
        odds = np.exp(nats)
        # The answer stands for all texts that are no candidate, whose probabilities are not known one by one.
        odds[0] = max(odds[0], 1 - odds[1:].sum())
    shares: NDArray[np.float64] = odds / odds.sum()
    return shares
