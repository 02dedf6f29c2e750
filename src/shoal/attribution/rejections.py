"""Explanations rejected one after the other, by evidence that is valid at every look.

The hypotheses, where "gives an answer" always means: with what probability, given all that was asked before.

- For each class of explanations: it is the *main* explanation. It gives at least the share ``share`` (one half) of the
  model's answers, hence at least as many as any other explanation, on all items on which it differs from others.
- There is none: no explanation gives more than half of that share, where it stands alone among those that are left.

They exclude each other, so at most one is true, but for explanations that give exactly as many answers as each other.
Hypotheses that exclude each other need no correction for their number (the partitioning principle: Finner and
Strassburger 2002, Annals of Statistics 30(4)); for the sake of ties, as in an even mixture of two, an explanation is
rejected at half of alpha only. So the chance of a verdict against the truth, ever, is at most alpha.

Two bets are placed against an explanation, on the items on which it differs from the leading one. First, that the
leading one gives more of the answers that either of the two gives; answers that neither gives leave the bet as it is,
so that slips cost little. Second, that it gives less than its share of all answers. The evidence is the weighted mean
of the two e-values, which is an e-value again. Which explanation leads is read off the answers before, as a valid bet
needs it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from shoal.attribution.item_choice import AnswerCounts
from shoal.statistics import log_e_share_above, log_e_share_below

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAD_WEIGHT = 0.8
"""The weight of the first bet. It decides between explanations, the usual case; the second finds that none holds, with
about three items more than it would need alone."""

_SURE_ENOUGH = 0.5
"""The posterior probability from which bets are placed on the leading explanation. Before, it is a guess, and each
answer that an explanation wins against a wrong leader has to be made good by some four items later."""

_LOOK_AHEAD = 100
"""Items that `Rejections.fewest_items` looks ahead; more than a batch has."""


class Rejections:
    """The evidence against each class of explanations (E), and against there being none."""

    def __init__(self, patterns_UE: NDArray[np.int64], *, alpha: float, share: float) -> None:
        """Start without an answer.

        Args:
            patterns_UE: the ways in which items divide the classes.
            alpha: the probability that the true hypothesis is rejected.
            share: of the answers that a main explanation gives at least; one half or more.
        """
        classes = patterns_UE.shape[1]
        self._patterns_UE = patterns_UE
        # Half of alpha for an explanation, since two of them can be true at once, in a tie; none has no such twin.
        self._threshold, self._none_threshold = math.log(2.0 / alpha), math.log(1.0 / alpha)
        self._share = share
        self.counts = AnswerCounts.empty(classes)
        self.wins_E, self.contests_E = np.zeros(classes), np.zeros(classes)
        """Answers that the class or the leading one gave where the two differ, and those of them that the class
        gave."""
        self.agrees_E, self.trials_E = np.zeros(classes), np.zeros(classes)
        """Items that test the class, and those of them whose answer it gives."""
        self.none_agrees, self.none_trials = 0, 0
        self.live_E, self.none_live = np.ones(classes, dtype=bool), True
        self.log_e_E, self.none_log_e = np.zeros(classes), 0.0
        self.leader, self._state = 0, (-1, True, b"")
        self._follow_leader()

    @property
    def settled(self) -> bool:
        """Whether one hypothesis is left."""
        live = int(self.live_E.sum())
        return live == 0 or (live == 1 and not self.none_live)

    def _place_bets(self) -> None:
        """Which classes an item of each pattern tests (U, E), and whether it tests that there is none (U)."""
        first_U1 = self._patterns_UE[:, self.leader : self.leader + 1]
        applies_UE = self._patterns_UE >= 0
        differs_UE = (self._patterns_UE != first_U1) & applies_UE
        stands_U = (first_U1[:, 0] >= 0) & differs_UE.any(axis=1)
        self._bets_UE = differs_UE & self.live_E
        self._bets_UE[:, self.leader] = stands_U & self.live_E[self.leader]
        alone_U = ~(~differs_UE & applies_UE & self._rivals()).any(axis=1)
        self._none_U = stands_U & alone_U & self.none_live

    def _rivals(self) -> NDArray[np.bool_]:
        """The classes that are left besides the leading one."""
        return np.asarray(self.live_E & (np.arange(len(self.live_E)) != self.leader))

    def useful(self) -> NDArray[np.bool_]:
        """Whether an item of each pattern brings a decision nearer (U)."""
        return np.asarray((self._bets_UE & self._rivals()).any(axis=1) | self._none_U)

    def observe(self, pattern: int, outcome: int) -> None:
        """Take in the answer to an item.

        Args:
            pattern: the item's.
            outcome: the number in the pattern of the answer; -1 for one that no class gives.
        """
        pattern_E, bets_E = self._patterns_UE[pattern], self._bets_UE[pattern]
        gives_E = (pattern_E == outcome) & (pattern_E >= 0)
        self.agrees_E += bets_E & gives_E
        self.trials_E += bets_E
        if self._sure:
            contest_E = bets_E & (gives_E | gives_E[self.leader]) & self._rivals()
            self.wins_E += contest_E & gives_E
            self.contests_E += contest_E
            self.none_trials += int(self._none_U[pattern])
            self.none_agrees += int(self._none_U[pattern] and gives_E[self.leader])
        self.counts.add(pattern_E, outcome)
        if bets_E.any():
            self._weigh()

    def _weigh(self) -> None:
        """The e-values after an answer; a hypothesis that was rejected once stays so (Ville's inequality)."""
        self.log_e_E = np.where(self.live_E, self._log_e(0, 0), self.log_e_E)
        if self.none_live:
            self.none_log_e = float(log_e_share_above(self.none_agrees, self.none_trials, self._share / 2))
        self.live_E &= self.log_e_E < self._threshold
        self.none_live &= self.none_log_e < self._none_threshold
        self._follow_leader()

    def _follow_leader(self) -> None:
        """Who leads by the answers so far, whether that is sure enough to bet on, and which bets are to be placed."""
        posterior = self.counts.posterior(self.live_E)[:-1]
        leader = int(np.where(self.live_E, posterior, -1.0).argmax())
        self._sure = bool(posterior[leader] >= _SURE_ENOUGH)
        # Placing bets visits all patterns, so that it waits until what they depend on has changed.
        state = (leader, self.none_live, self.live_E.tobytes())
        if state != self._state:
            self._state, self.leader = state, leader
            self._place_bets()

    def _log_e(self, lost: int, missed: int) -> NDArray[np.float64]:
        """The log e-value of each class if it lost so many more contests, and missed so many more answers."""
        lead_E = log_e_share_below(self.wins_E, self.contests_E + lost, 0.5)
        share_E = log_e_share_below(self.agrees_E, self.trials_E + missed, self._share)
        return np.logaddexp(lead_E + math.log(_LEAD_WEIGHT), share_E + math.log(1 - _LEAD_WEIGHT))

    def fewest_items(self) -> int:
        """How many more items it takes at least until one hypothesis is left: a batch of so many wastes none."""
        return next((more for more in range(1, _LOOK_AHEAD) if self._may_settle(more)), _LOOK_AHEAD)

    def _may_settle(self, more: int) -> bool:
        """Whether so many more answers could decide: all of the leading explanation, or of none."""
        lost_E, missed_E = self._log_e(more, more) >= self._threshold, self._log_e(0, more) >= self._threshold
        # None is left if every explanation misses all of its answers.
        if missed_E[self.live_E].all():
            return True
        none_log_e = log_e_share_above(self.none_agrees + more, self.none_trials + more, self._share / 2)
        none_out = not self.none_live or bool(none_log_e >= self._none_threshold)
        return none_out and bool(lost_E[self._rivals()].all())
