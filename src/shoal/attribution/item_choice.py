"""Which items to ask next: those whose answers say most about which explanation is the main one.

An item is worth its mutual information: by how much its answer is expected to reduce the entropy of the posterior over
the explanations (Lindley 1956, "On a measure of the information provided by an experiment", Annals of Mathematical
Statistics 27(4), eq. 6). The posterior here only steers the choice. No conclusion rests on it: those are drawn by
e-values, which are valid however items are chosen by the past.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.attribution.item_pool import ItemPool

_AGREES, _DIFFERS = 9.0, 1.0
"""The beta prior of how often a model gives the answer of its main explanation: .9 in the mean, as a small model
slips."""

_LOOKED_AT = 64
"""Items of a pattern among which the one with the rarest answer is taken."""


@dataclass(slots=True)
class AnswerCounts:
    """How the answers so far agree with the classes of explanations (E)."""

    agrees_E: NDArray[np.float64]
    differs_E: NDArray[np.float64]
    log_chance_E: NDArray[np.float64]
    """Log probability (nats) of the answers that are not explained, as if every other outcome were equally likely."""

    log_chance: float = 0.0
    """The same of all answers, if no explanation holds."""

    @classmethod
    def empty(cls, classes: int) -> AnswerCounts:
        """Before the first answer.

        Args:
            classes: how many there are.
        """
        return cls(np.zeros(classes), np.zeros(classes), np.zeros(classes))

    def copy(self) -> AnswerCounts:
        """Counts that can go their own way."""
        return AnswerCounts(self.agrees_E.copy(), self.differs_E.copy(), self.log_chance_E.copy(), self.log_chance)

    def add(self, pattern_E: NDArray[np.int64], outcome: int) -> None:
        """Count an answer.

        Args:
            pattern_E: how the item divides the classes.
            outcome: the number in the pattern of the answer; -1 for one that no class gives.
        """
        distinct = int(pattern_E.max()) + 1
        applies_E = pattern_E >= 0
        agrees_E = applies_E & (pattern_E == outcome)
        self.agrees_E += agrees_E
        self.differs_E += applies_E & ~agrees_E
        # Besides the answer of a class there are the others of the item, and all that is none of them.
        chance = -np.log(distinct + 1)
        self.log_chance_E += np.where(agrees_E, 0.0, np.where(applies_E, -np.log(max(1, distinct)), chance))
        self.log_chance += chance

    def agreement(self) -> NDArray[np.float64]:
        """The posterior mean, for each class, of how often it gives the answer if it is the main explanation."""
        hits_E = self.agrees_E + _AGREES
        return hits_E / (hits_E + self.differs_E + _DIFFERS)

    def posterior(self, live_E: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The probability that each class is the main explanation, and at the end that none is.

        Args:
            live_E: the classes that may be; each of them, and none, has the same prior probability.
        """
        from scipy.special import betaln

        fit_E = betaln(self.agrees_E + _AGREES, self.differs_E + _DIFFERS) - betaln(_AGREES, _DIFFERS)
        # A rejected class keeps its place with a probability of 0, so that places stay those of the pool.
        logs = np.append(np.where(live_E, fit_E + self.log_chance_E, -np.inf), self.log_chance)
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())

    def leader(self, live_E: NDArray[np.bool_]) -> int:
        """The class that fits best among those given; of equals, the first.

        Args:
            live_E: the classes to choose from; at least one.
        """
        return int(np.where(live_E, self.posterior(live_E)[:-1], -1.0).argmax())


class ItemChooser:
    """Chooses items of a pool that were not chosen before.

    Within a pattern the order is random, so that an item is a random draw from those that divide the explanations in
    this way; where answers repeat (yes and no), the rarest answer so far comes first, so that a model with one answer
    to everything does not pass for the explanation that happens to give it.
    """

    def __init__(self, pool: ItemPool, seed: int) -> None:
        """Set up.

        Args:
            pool: the items.
            seed: random seed of the order.
        """
        self._pool = pool
        self._waiting: list[list[int]] = [[] for _ in pool.patterns_UE]
        order = list(range(len(pool)))
        random.Random(seed).shuffle(order)
        # Items are taken from the end of a list, where it is cheap; the end is the first of the random order.
        for item in reversed(order):
            self._waiting[pool.pattern_of_N[item]].append(item)
        self._given: Counter[str | None] = Counter()
        self._outcomes_UEC, self._spread_U = _outcomes(pool.patterns_UE)

    def available(self) -> NDArray[np.bool_]:
        """Whether each pattern has items left (U)."""
        return np.array([bool(items) for items in self._waiting])

    def choose(
        self, counts: AnswerCounts, live_E: NDArray[np.bool_], useful_U: NDArray[np.bool_], limit: int
    ) -> list[int]:
        """The next items, the most informative first.

        Of several items, each is chosen as if the one before had been answered by the leading explanation, so that they
        complement each other.

        Args:
            counts: the answers so far.
            live_E: the classes that are not rejected.
            useful_U: the patterns that can add evidence.
            limit: items at most.
        """
        imagined = counts.copy()
        chosen: list[int] = []
        for _ in range(limit):
            open_U = useful_U & self.available()
            if not open_U.any():
                break
            value_U = self._information(imagined, live_E)
            pattern = int(np.where(open_U, value_U, -1.0).argmax())
            leader = imagined.leader(live_E)
            chosen.append(self._take(pattern, leader))
            # Without it, all items of a batch would be of the one pattern that is best now.
            imagined.add(self._pool.patterns_UE[pattern], int(self._pool.patterns_UE[pattern, leader]))
        return chosen

    def _take(self, pattern: int, leader: int) -> int:
        """An item of a pattern: the first in random order among those with the rarest answer of the leader."""
        waiting = self._waiting[pattern]
        # From the end: of equally rare ones the first that is met is taken, which is the next in random order.
        place = min(
            range(len(waiting) - 1, max(-1, len(waiting) - 1 - _LOOKED_AT), -1),
            key=lambda place: self._given[self._pool.candidate(waiting[place], leader)],
        )
        item = waiting.pop(place)
        self._given[self._pool.candidate(item, leader)] += 1
        return item

    def _information(self, counts: AnswerCounts, live_E: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The mutual information (nats) between the answer to an item of each pattern and the main explanation."""
        posterior = counts.posterior(live_E)
        agreement_E1 = counts.agreement()[:, None]
        # Given a class: its own outcome, else one of the others evenly. A class that does not apply, and none at all,
        # leave all outcomes equally likely.
        own_UEC, valid_UC = self._outcomes_UEC, self._spread_U[:, None] >= np.arange(self._outcomes_UEC.shape[2])
        others_U = np.maximum(self._spread_U, 1)
        chance_UC = valid_UC / (self._spread_U[:, None] + 1.0)
        applies_UE1 = own_UEC.any(axis=2, keepdims=True)
        given_UEC = np.where(own_UEC, agreement_E1, (1.0 - agreement_E1) / others_U[:, None, None]) * valid_UC[:, None]
        given_UEC = np.where(applies_UE1, given_UEC, chance_UC[:, None])
        mixed_UC = np.einsum("e,uec->uc", posterior[:-1], given_UEC) + posterior[-1] * chance_UC
        conditional_U = np.einsum("e,uec->u", posterior[:-1], _entropy_terms(given_UEC))
        unexplained_U = posterior[-1] * _entropy_terms(chance_UC).sum(axis=1)
        return np.asarray(_entropy_terms(mixed_UC).sum(axis=1) - conditional_U - unexplained_U)


def _entropy_terms(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """-p log p, which is 0 at 0."""
    return -probabilities * np.log(np.where(probabilities > 0, probabilities, 1.0))


def _outcomes(patterns_UE: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which outcome each class gives (U, E, C), and how many distinct answers a pattern has; one more is any other."""
    spread_U = patterns_UE.max(axis=1) + 1
    outcomes_C = np.arange(int(spread_U.max()) + 1)
    return patterns_UE[:, :, None] == outcomes_C, spread_U
