"""Boosting: each further member learns more from what the ones before it predict badly.

**Classes.** `samme` is AdaBoost for K classes (Zhu, Zou, Rosset and Hastie 2009, "Multi-class AdaBoost", Statistics and
Its Interface 2:349-360, algorithm 2).

**Language models.** The members form a mixture of probabilities, and the next member q should lower the loss of (1 - a)
p + a q as fast as it can, where p is the mixture so far (Rosset and Segal 2002, "Boosting density estimation", NeurIPS
15). At a = 0 the derivative of the loss Σ_t -log((1 - a) p_t + a q_t) over the training tokens t is Σ_t (1 - q_t /
p_t): so q should make Σ_t q_t / p_t large. With v_t = 1 / p_t and V = Σ v_t, Jensen's inequality gives log(Σ_t v_t q_t
/ V) ≥ Σ_t (v_t / V) log q_t, and the right side is a log-likelihood in which token t counts v_t times. Maximising it is
a weighted training, and raises a lower bound of the descent. Since 1 / p_t has no bound, and a few tokens that nothing
could predict would get all the weight, weights are cut at a multiple of their mean; how many tokens they are worth then
is reported. The share of each member is not found by the line search of the paper, on training tokens, but by EM on
text that no member has read (`shoal.statistics.fit_mixture`).

Shapes: N examples or tokens, K members.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

M = TypeVar("M")

WeightedFit = Callable[["NDArray[np.float64]"], M]
"""From the weights of the examples (N, they sum to 1) to a model."""

Predict = Callable[[M], Sequence[Hashable]]
"""From a model to the class that it gives each example (N)."""

MAX_WEIGHT = 8.0
"""How many times the mean a token's weight may be."""

_STEPS = 100
"""Of the search for the cut, which halves what is left of it each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenWeights:
    """How much each training token counts for the next member."""

    weights_N: NDArray[np.float32]
    """Their mean is 1."""

    effective: float
    """Share of the tokens that they are worth: (Σ w)² / (N Σ w²), Kish's effective sample size."""


def token_weights(log_p_N: NDArray[Any], *, max_weight: float = MAX_WEIGHT) -> TokenWeights:
    """The weights of the tokens for the next member of a boosted mixture: 1 / p, cut at a multiple of the mean.

    Args:
        log_p_N: log-probabilities of the training tokens under the mixture so far, in nats.
        max_weight: how many times the mean a weight may be, above 1.

    Raises:
        DataError: there are no tokens, or a log-probability is not a number.
        UsageError: the cut is not above 1.
    """
    if not 1 < max_weight < math.inf:
        raise UsageError(f"max_weight = {max_weight}: a weight may be a multiple of the mean, so give a number above 1")
    logs_N = np.asarray(log_p_N, dtype=np.float64)
    if not logs_N.size or np.isnan(logs_N).any():
        raise DataError("boosting needs the log-probability of each training token; one is missing or not a number")
    # In units of the likeliest token, so that nothing overflows; a token of probability 0 gets the cut, and where all
    # are such they count alike.
    possible_N = np.isfinite(logs_N)
    behind_N = np.full(logs_N.shape, 600.0)
    behind_N[possible_N] = np.minimum(logs_N[possible_N].max(initial=-math.inf) - logs_N[possible_N], 600.0)
    raw_N = np.exp(behind_N)
    low, high = 0.0, float(behind_N.max())
    # The cut must be the multiple of the mean of what it leaves: found by halving, on logarithms, since weights differ
    # by many orders of magnitude.
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if np.exp(middle) > max_weight * float(np.minimum(raw_N, np.exp(middle)).mean()):
            high = middle
        else:
            low = middle
    cut_N = np.minimum(raw_N, np.exp(high))
    weights_N = cut_N / cut_N.mean()
    effective = float(weights_N.sum() ** 2 / (len(weights_N) * (weights_N**2).sum()))
    return TokenWeights(weights_N=weights_N.astype(np.float32), effective=effective)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosted(Generic[M]):
    """Classifiers that vote."""

    models: tuple[M, ...]
    weights: tuple[float, ...]
    """Of their votes: log((1 - error) / error) + log(K - 1), times the learning rate."""

    errors: tuple[float, ...]
    """Weighted training error of each."""

    classes: tuple[Hashable, ...]

    def vote(self, predictions: Sequence[Sequence[Hashable]]) -> list[Hashable]:
        """The class with the most votes for each example; of equals the first.

        Args:
            predictions: of each model in order, a class per example.
        """
        place = {name: number for number, name in enumerate(self.classes)}
        votes_NC = np.zeros((len(predictions[0]), len(self.classes)))
        for weight, predicted in zip(self.weights, predictions, strict=True):
            votes_NC[np.arange(len(predicted)), [place[name] for name in predicted]] += weight
        return [self.classes[number] for number in votes_NC.argmax(axis=1)]


def samme(
    fit: WeightedFit[M],
    predict: Predict[M],
    targets: Sequence[Hashable],
    *,
    rounds: int,
    learning_rate: float = 1.0,
) -> Boosted[M]:
    """AdaBoost for any number of classes.

    It ends early where a model makes no error, which then votes alone with weight 1 in its round, or where one is no
    better than chance, which gets no vote.

    Args:
        fit: learns from all examples with these weights.
        predict: the class that a model gives each of the same examples.
        targets: the right classes, of at least two kinds.
        rounds: models at most.
        learning_rate: shrinks the votes and the change of the weights.

    Raises:
        DataError: there are fewer than two classes, or the first model is no better than chance.
        UsageError: fewer than one round, or a learning rate that is not above 0.
    """
    if rounds < 1 or not learning_rate > 0:
        raise UsageError(f"boosting needs a round or more and a rate above 0, not {rounds} and {learning_rate}")
    classes = tuple(dict.fromkeys(sorted(targets, key=str)))
    if len(classes) < 2:
        raise DataError(f"boosting needs examples of two classes or more, not of {len(classes)}")
    right = np.asarray([classes.index(target) for target in targets])
    weights_N = np.full(len(right), 1 / len(right))
    models: list[M] = []
    votes: list[float] = []
    errors: list[float] = []
    for _ in range(rounds):
        model = fit(weights_N)
        wrong_N = np.asarray([classes.index(name) for name in predict(model)]) != right
        error = float(np.average(wrong_N, weights=weights_N))
        if error >= 1 - 1 / len(classes):
            break
        models.append(model)
        errors.append(error)
        if error <= 0:
            votes.append(1.0)
            break
        votes.append(learning_rate * (math.log((1 - error) / error) + math.log(len(classes) - 1)))
        weights_N = weights_N * np.exp(votes[-1] * wrong_N)
        weights_N /= weights_N.sum()
    if not models:
        raise DataError(f"the first model is no better than chance over {len(classes)} classes; boosting has no start")
    return Boosted(models=tuple(models), weights=tuple(votes), errors=tuple(errors), classes=classes)
