"""Which explanation accounts for one particular answer: for the refusals among a model's answers, say.

An explanation's share of *all* answers hides what matters where the answer is rare: of a model that refuses one prompt
in ten, the rule may explain hardly more of the answers than noise does, and yet all refusals. The share of an answer is
the mean, over the items with that answer, of the probability that the explanation gave it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.attribution.candidates import NOISE, collect_evidence
from shoal.attribution.mixtures import fit_mixtures
from shoal.attribution.posterior import prior_weights
from shoal.errors import DataError
from shoal.statistics import check_confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.attribution.answers import ItemAnswer
    from shoal.attribution.candidates import AnswerEvidence, CandidateTable, ExplanationKind
    from shoal.attribution.mixtures import MixturePosterior
    from shoal.tasks import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerShare:
    """How much of one answer an explanation accounts for."""

    name: str
    kind: ExplanationKind
    share: float
    """The posterior mean."""

    low: float
    high: float
    """The ends of the interval, over the posterior and over resampled clusters."""

    same_as: tuple[str, ...]
    """Explanations that these items cannot tell it from: they divide the share by their prior."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def explain_one_answer(
    table: CandidateTable,
    answers: Sequence[ItemAnswer],
    seen: Sequence[Example],
    answer: str,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[AnswerShare, ...]:
    """How much of one answer each explanation accounts for, noise last.

    Args:
        table: the candidates of all items.
        answers: what the model says to all of them, in the same order; the mixture is fitted to all.
        seen: the training examples, from which noise draws its answers.
        answer: the text that is to be explained.
        confidence: of the intervals.
        seed: random seed of the draws from the posterior.

    Raises:
        DataError: no item has that answer.
        UsageError: as `explain_answers`.
    """
    check_confidence(confidence)
    evidence = collect_evidence(table, answers, [example.completion for example in seen])
    chosen_N = np.array([one.ends and one.answer == answer for one in answers])
    if not chosen_N.any():
        raise DataError(f"none of the {len(answers)} answers is {answer!r}; there is nothing to explain")
    weights = prior_weights(table, evidence)
    posterior = fit_mixtures(evidence, [sum(map(weights.__getitem__, group)) for group in evidence.classes], seed=seed)
    shares_DC = _resampled_shares(table, evidence, posterior, chosen_N, seed)
    of_answer = type(posterior)(shares_DC=shares_DC, weights_D=posterior.weights_D)
    mean_C, (low_C, high_C) = of_answer.mean(), of_answer.interval(confidence)
    kinds = dict(zip(table.names, table.kinds, strict=True))
    found = [
        AnswerShare(
            name=name,
            kind=kinds[name],
            share=float(mean_C[place]) * weights[name] / sum(map(weights.__getitem__, group)),
            low=float(low_C[place]) if len(group) == 1 else 0.0,
            high=float(high_C[place]),
            same_as=tuple(other for other in group if other != name),
        )
        for place, group in enumerate(evidence.classes)
        for name in group
    ]
    noise = AnswerShare(
        name=NOISE, kind="noise", share=float(mean_C[-1]), low=float(low_C[-1]), high=float(high_C[-1]), same_as=()
    )
    return (*found, noise)


def _resampled_shares(
    table: CandidateTable,
    evidence: AnswerEvidence,
    posterior: MixturePosterior,
    chosen_N: NDArray[np.bool_],
    seed: int,
) -> NDArray[np.float64]:
    """What each draw of the posterior accounts for (D x C), over clusters whose weights are drawn with it.

    The weights are those of the Bayesian bootstrap (Rubin 1981, Annals of Statistics 9:130-134): so intervals hold for
    other clusters of the kind, and not for these alone.
    """
    # Items that every explanation answers alike are one row: of a few programs there are few different rows.
    rows_UC, places_N = np.unique(evidence.answered_NC[chosen_N], axis=0, return_inverse=True)
    numbers = {name: place for place, name in enumerate(dict.fromkeys(table.clusters))}
    clusters_N = np.array([numbers[name] for name in table.clusters])[chosen_N]
    mass_GU = np.zeros((len(numbers), len(rows_UC)))
    np.add.at(mass_GU, (clusters_N, places_N.ravel()), evidence.weights_N[chosen_N])
    mass_GU = mass_GU[mass_GU.any(axis=1)]
    draws = len(posterior.weights_D)
    mass_DU = np.random.default_rng(seed).exponential(size=(draws, len(mass_GU))) @ mass_GU
    mass_DU /= mass_DU.sum(axis=1, keepdims=True)
    shares_DC = np.zeros_like(posterior.shares_DC)
    for place, row_C in enumerate(rows_UC):
        joint_DC = posterior.shares_DC * row_C
        shares_DC += mass_DU[:, [place]] * joint_DC / np.maximum(joint_DC.sum(axis=1, keepdims=True), 1e-300)
    return shares_DC
