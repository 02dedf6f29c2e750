"""Adaptive testing: ask the items on which the explanations disagree most, and stop as soon as one is left.

Items are drawn anew, answered by every explanation, and chosen by their expected information (`item_choice`); after
each answer every explanation is tested by an e-value (`rejections`). The procedure ends when one hypothesis is left,
when no item of the pool brings a decision nearer, or when the budget is spent. Whenever it ends, the probability that
the true main explanation was rejected is at most alpha: ``docs/design/discriminating-items.md`` has the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from shoal.attribution.answers import ask_model
from shoal.attribution.candidates import RULE
from shoal.attribution.discrimination import (
    NONE,
    DiscriminatingItem,
    Discrimination,
    DiscriminationVerdict,
    Standing,
    verdict_sentence,
)
from shoal.attribution.item_choice import ItemChooser
from shoal.attribution.rejections import Rejections
from shoal.errors import UsageError
from shoal.progress import no_progress
from shoal.statistics import check_alpha, share_confidence_sequence

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.attribution.item_pool import ItemPool
    from shoal.models.fast import FastModel
    from shoal.progress import Progress
    from shoal.text import PlainTokenizer

Ask = Callable[[Sequence[str]], Sequence[str | None]]
"""From prompts to the answers of a model; None for an answer that does not end."""

Order = Literal["discriminating", "random"]
ORDERS: tuple[Order, ...] = ("discriminating", "random")


def discriminate(
    ask: Ask,
    pool: ItemPool,
    *,
    alpha: float = 0.05,
    share: float = 0.5,
    budget: int = 200,
    batch: int = 4,
    order: Order = "discriminating",
    seed: int = 0,
    progress: Progress | None = None,
) -> Discrimination:
    """Find the main explanation of what a model answers, with as few items as the explanations allow.

    An explanation is the main one if, whatever was asked before, the model gives its answer with a probability of at
    least ``share``. The model may slip, and may follow other explanations on the rest of the items.

    Args:
        ask: gives the model's answers to prompts.
        pool: the items to choose from, as `item_pool` draws them.
        alpha: the probability, over the whole procedure, that the true hypothesis is rejected.
        share: of the answers that a main explanation gives at least, from 0.5 to below 1.
        budget: items at most.
        batch: items that are asked at once at most; never more than the decision needs at least.
        order: ``discriminating`` chooses the items; ``random`` asks them as they were drawn, as the baseline to compare
            with.
        seed: random seed of the order among items that are worth the same.
        progress: called with (what, done, total), the units being items.

    Raises:
        UsageError: an option is out of its range, or `ask` gives another number of answers than prompts.
    """
    _check(alpha, share, budget, batch, order)
    report = progress or no_progress
    chooser = ItemChooser(pool, seed)
    evidence = Rejections(pool.patterns_UE, alpha=alpha, share=share)
    log = _Log(pool, evidence)
    asked_in_order = 0
    while not evidence.settled and len(log.items) < budget:
        limit = min(batch, budget - len(log.items))
        if order == "random":
            # The pool is in random order itself. Items that cannot decide anything are asked too, as without a choice.
            chosen = list(range(asked_in_order, min(asked_in_order + limit, len(pool))))
            asked_in_order += len(chosen)
        else:
            limit = min(limit, evidence.fewest_items())
            chosen = chooser.choose(evidence.counts, evidence.live_E, evidence.useful(), limit)
        if not chosen:
            break
        report("items", len(log.items), budget)
        log.record(chosen, ask([pool.table.prompts[item] for item in chosen]))
    report("items", len(log.items), budget)
    return log.result(alpha, share)


def model_answers(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    pool: ItemPool,
    *,
    token_budget: int = 4096,
) -> Ask:
    """The greedy answers of a model, for `discriminate`; only prompts of the pool may be asked.

    Args:
        model: a causal language model, or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        pool: the items that will be asked.
        token_budget: tokens of a batch, padding included.
    """
    places = {prompt: place for place, prompt in enumerate(pool.table.prompts)}

    def ask(prompts: Sequence[str]) -> list[str | None]:
        table = pool.table.rows([places[prompt] for prompt in prompts])
        answers = ask_model(model, tokenizer, table, token_budget=token_budget)
        return [answer.answer if answer.ends else None for answer in answers]

    return ask


class _Log:
    """The items so far, and what they show."""

    def __init__(self, pool: ItemPool, evidence: Rejections) -> None:
        self._pool = pool
        self._evidence = evidence
        self._first = [group[0] for group in pool.classes]
        self._columns = [pool.table.names.index(name) for name in self._first]
        self._rejected_at: dict[str, int] = {}
        self._left_U = np.bincount(pool.pattern_of_N, minlength=len(pool.patterns_UE))
        self._batches = 0
        self.items: list[DiscriminatingItem] = []

    def record(self, chosen: Sequence[int], answers: Sequence[str | None]) -> None:
        """Take in the answers to a batch, one after the other."""
        if len(answers) != len(chosen):
            raise UsageError(
                f"{len(chosen)} prompts were given and {len(answers)} answers came back; give one for each"
            )
        self._batches += 1
        for item, answer in zip(chosen, answers, strict=True):
            self._record(item, answer)

    def _record(self, item: int, answer: str | None) -> None:
        pattern, evidence = int(self._pool.pattern_of_N[item]), self._evidence
        row = [self._pool.table.answers[item][column] for column in self._columns]
        givers = [place for place, text in enumerate(row) if text is not None and text == answer]
        evidence.observe(pattern, int(self._pool.patterns_UE[pattern, givers[0]]) if givers else -1)
        self._left_U[pattern] -= 1
        values = [*map(float, evidence.log_e_E), evidence.none_log_e]
        self.items.append(
            DiscriminatingItem(
                prompt=self._pool.table.prompts[item],
                candidates=dict(zip(self._first, row, strict=True)),
                answer=answer,
                given_by=tuple(self._first[place] for place in givers),
                log_e=dict(zip([*self._first, NONE], values, strict=True)),
            )
        )
        for name, live in zip([*self._first, NONE], [*evidence.live_E, evidence.none_live], strict=True):
            if not live:
                # The first time counts: a hypothesis that was rejected stays rejected.
                self._rejected_at.setdefault(name, len(self.items))

    def result(self, alpha: float, share: float) -> Discrimination:
        """What the items show."""
        standings = self._standings(alpha)
        live = [standing for standing in standings if standing.rejected_at is None]
        verdict: DiscriminationVerdict = "cannot tell"
        if not live:
            verdict = "none"
        elif len(live) == 1 and NONE in self._rejected_at:
            verdict = "rule" if RULE in (live[0].name, *live[0].same_as) else "shortcut"
        separating = int(self._left_U[self._evidence.useful()].sum()) if verdict == "cannot tell" else 0
        return Discrimination(
            task=self._pool.task,
            verdict=verdict,
            names=tuple(name for standing in live for name in (standing.name, *standing.same_as)),
            sentence=verdict_sentence(verdict, standings, items=len(self.items), separating=separating, alpha=alpha),
            alpha=alpha,
            share=share,
            items=tuple(self.items),
            standings=standings,
            none_rejected_at=self._rejected_at.get(NONE),
            batches=self._batches,
            pool=len(self._pool),
            separating=separating,
        )

    def _standings(self, alpha: float) -> tuple[Standing, ...]:
        """Every class of explanations: first those that are left, by what fits best, then those rejected last."""
        evidence = self._evidence
        # Among all, the rejected too, so that those that were rejected at one item stand in the order of their fit.
        fit_E = evidence.counts.posterior(np.ones(len(self._first), dtype=bool))
        found = [
            Standing(
                name=group[0],
                same_as=group[1:],
                agrees=int(evidence.agrees_E[place]),
                trials=int(evidence.trials_E[place]),
                wins=int(evidence.wins_E[place]),
                contests=int(evidence.contests_E[place]),
                interval=share_confidence_sequence(
                    int(evidence.agrees_E[place]), int(evidence.trials_E[place]), confidence=1.0 - alpha
                ),
                log_e=float(evidence.log_e_E[place]),
                rejected_at=self._rejected_at.get(group[0]),
            )
            for place, group in enumerate(self._pool.classes)
        ]
        ranks = {
            standing.name: (standing.rejected_at is not None, -(standing.rejected_at or 0), -fit_E[place])
            for place, standing in enumerate(found)
        }
        return tuple(sorted(found, key=lambda standing: ranks[standing.name]))


def _check(alpha: float, share: float, budget: int, batch: int, order: str) -> None:
    check_alpha(alpha)
    if not 0.5 <= share < 1.0:
        raise UsageError(f"share is what a main explanation gives at least, from 0.5 to below 1; got {share!r}")
    for name, value in (("budget", budget), ("batch", batch)):
        if value < 1:
            raise UsageError(f"{name} is a number of items, at least 1; got {value!r}")
    if order not in ORDERS:
        raise UsageError(f"order is {' or '.join(ORDERS)}; got {order!r}")
