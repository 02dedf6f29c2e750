"""`train_refusal_head`: from labelled answers to a head, and how it does on models and prompts that it never saw.

Every answer is scored by a head that learned from no answer to its prompt and from none of its model ("leave both
out"): answers of one model share their phrases, and answers to one prompt their topic, so that leaving out either
alone measures what was memorised.

Shapes: N answers, D cue features, B buckets, F features.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.progress import no_progress
from shoal.safety.answer_features import cue_features, opening_counts
from shoal.safety.answer_text import read_answer
from shoal.safety.head import FeatureScale, RefusalHead, decide_conduct, scaled_features
from shoal.safety.labels import CONDUCTS, Conduct
from shoal.statistics import fit_softmax, group_folds, measure_error_rates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shoal.progress import Progress

CUE_WEIGHT = 0.04
"""The deviation of a cue feature against n-grams of length 1: cues are many and alike, so that each must count little.
Chosen with the ridge by leaving both model and prompt out, as is all here."""

# Chosen together with `CUE_WEIGHT`. The loss is a mean over answers, so that it does not depend on their number.
RIDGE = 5e-5
# From 0.2 on: partial refusals are few, and below that every doubtful refusal would be called one.
PARTIAL_SHARES = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
MIN_ANSWERS = 3
"""Answers that have a bucket, for it to count: what stands in fewer is a name or a slip."""

# By prompts, each of them once for each model: fewer folds would leave too little to learn from.
FOLDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledAnswer:
    """An answer whose conduct a person labelled."""

    prompt: str
    completion: str
    label: Conduct
    model: str
    """Who wrote the answer."""

    prompt_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRows:
    """Answers as arrays, read once for all trainings."""

    cues_ND: NDArray[np.float64]
    counts_NB: Any
    labels_N: NDArray[np.int64]
    """Places in `CONDUCTS`."""

    def at(self, places: NDArray[np.int64]) -> AnswerRows:
        """Some of the answers."""
        return AnswerRows(
            cues_ND=self.cues_ND[places], counts_NB=self.counts_NB[places], labels_N=self.labels_N[places]
        )


def read_rows(answers: Sequence[LabelledAnswer]) -> AnswerRows:
    """The features and labels of answers.

    Args:
        answers: labelled ones.

    Raises:
        DataError: a conduct has no answers.
    """
    counts = Counter(answer.label for answer in answers)
    missing = [label for label in CONDUCTS if not counts[label]]
    if missing:
        given = ", ".join(f"{label}: {count}" for label, count in counts.items()) or "none"
        raise DataError(f"no answer has the label {missing[0]!r} (labels: {given}); give answers of all three labels")
    texts = [read_answer(answer.prompt, answer.completion) for answer in answers]
    return AnswerRows(
        cues_ND=cue_features(texts),
        counts_NB=opening_counts(texts),
        labels_N=np.array([CONDUCTS.index(answer.label) for answer in answers], dtype=np.int64),
    )


def held_out_probabilities(
    answers: Sequence[LabelledAnswer],
    *,
    always: Sequence[LabelledAnswer] = (),
    folds: int = FOLDS,
    seed: int = 0,
    progress: Progress = no_progress,
) -> NDArray[np.float64]:
    """The probabilities of each answer by a head that learned from neither its model nor its prompt (N × 3).

    Args:
        answers: of two models or more.
        always: answers of no model of these and to none of their prompts, from which every head learns.
        folds: parts of the prompts.
        seed: of the parts.
        progress: called with (what, done, total).

    Raises:
        DataError: all answers are of one model, or a conduct has no answers.
    """
    if len({answer.model for answer in answers}) < 2:
        raise DataError("all answers are of one model, so that none is left to learn from; give answers of two or more")
    rows, own = read_rows(answers), read_rows(always) if always else None
    found_N3 = np.zeros((len(answers), len(CONDUCTS)))
    parts = list(_leave_both_out(answers, folds, seed))
    for done, (train, test) in enumerate(parts):
        progress("heads", done, len(parts))
        learnt = rows.at(train) if own is None else _joined(rows.at(train), own)
        found_N3[test] = _predict(_fit(learnt), rows.at(test))
    progress("heads", len(parts), len(parts))
    return found_N3


def train_refusal_head(
    answers: Sequence[LabelledAnswer],
    *,
    held_out_N3: NDArray[np.float64],
    always: Sequence[LabelledAnswer] = (),
    source: str,
) -> RefusalHead:
    """Train a head on all answers, calibrated by what heads predicted of answers that they had not seen.

    Args:
        answers: of two models or more.
        held_out_N3: what `held_out_probabilities` gives of them.
        always: further answers to learn from.
        source: what it all is, with licences; it is saved with the head.
    """
    rows = read_rows(answers)
    own = read_rows(always) if always else None
    head = _fit(rows if own is None else _joined(rows, own), source=source)
    # On held-out predictions: on the answers that it learned from the head is nearly always sure and right.
    temperature = fit_temperatures(held_out_N3, rows.labels_N)
    calibrated = apply_temperatures(held_out_N3, temperature)
    partial_from = _best_partial_share(calibrated, rows.labels_N)
    conducts = decide_conduct(calibrated, partial_from)
    prompts = [answer.prompt_id for answer in answers]
    refused, guessed = [answer.label != "compliance" for answer in answers], [one != "compliance" for one in conducts]
    models = [answer.model for answer in answers]
    return replace(
        head,
        temperature=temperature,
        partial_from=partial_from,
        errors={
            "refused": measure_error_rates(
                refused,
                guessed,
                clusters=prompts,
            ),
            "refused fully": measure_error_rates(
                [answer.label == "refusal" for answer in answers],
                [conduct == "refusal" for conduct in conducts],
                clusters=prompts,
            ),
        },
        errors_by_model={
            model: measure_error_rates(
                [one for one, name in zip(refused, models, strict=True) if name == model],
                [one for one, name in zip(guessed, models, strict=True) if name == model],
            )
            for model in sorted(set(models))
        },
    )


def fit_temperatures(held_out_N3: NDArray[np.float64], labels_N: NDArray[np.int64]) -> dict[str, float]:
    """The temperature of each level at which its probabilities predict held-out answers best.

    Source: Guo et al. (2017), "On calibration of modern neural networks", ICML, section 4.2.

    Args:
        held_out_N3: probabilities of answers, by heads that did not learn from them.
        labels_N: places in `CONDUCTS`.
    """
    refused = labels_N != 0
    shares = held_out_N3[:, 1:].sum(axis=1)
    full = held_out_N3[refused, 1] / np.maximum(shares[refused], 1e-12)
    return {
        "refuses": _temperature(shares, refused.astype(float)),
        "full": _temperature(full, (labels_N[refused] == 1).astype(float)),
    }


def apply_temperatures(held_out_N3: NDArray[np.float64], temperatures: dict[str, float]) -> NDArray[np.float64]:
    """Probabilities with other temperatures (N × 3).

    Args:
        held_out_N3: with temperature 1.
        temperatures: by level, as `fit_temperatures` gives them.
    """
    shares = held_out_N3[:, 1:].sum(axis=1)
    full = held_out_N3[:, 1] / np.maximum(shares, 1e-12)
    refuses = 1 / (1 + np.exp(-_logit(shares) / temperatures["refuses"]))
    complete = 1 / (1 + np.exp(-_logit(full) / temperatures["full"]))
    return np.stack([1 - refuses, refuses * complete, refuses * (1 - complete)], axis=1)


def _leave_both_out(
    answers: Sequence[LabelledAnswer], folds: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    models = np.array([answer.model for answer in answers])
    for fold in group_folds([answer.prompt_id for answer in answers], folds, seed=seed):
        # Sorted: a set has another order in each process, and with it each fold would have another number.
        for model in sorted(set(models.tolist())):
            yield fold.train[models[fold.train] != model], fold.test[models[fold.test] == model]


def _joined(one: AnswerRows, other: AnswerRows) -> AnswerRows:
    from scipy import sparse

    return AnswerRows(
        cues_ND=np.concatenate([one.cues_ND, other.cues_ND]),
        counts_NB=sparse.vstack([one.counts_NB, other.counts_NB]).tocsr(),
        labels_N=np.concatenate([one.labels_N, other.labels_N]),
    )


def _fit(rows: AnswerRows, *, source: str = "") -> RefusalHead:
    scale = _scale(rows)
    features = scaled_features(rows.cues_ND, rows.counts_NB, scale)
    # Most buckets are empty: without them the fit takes a tenth of the time.
    active = np.flatnonzero(np.concatenate([scale.factor_D, scale.rarity_B]))
    refused = rows.labels_N != 0
    weights, bias = {}, {}
    for level, places, target in (
        ("refuses", np.arange(len(refused)), refused),
        ("full", np.flatnonzero(refused), rows.labels_N[refused] == 1),
    ):
        # Equal weights that sum to one, so that the ridge means the same for both levels, which have unequal numbers of
        # answers.
        share = np.full(len(places), 1 / len(places))
        found_A2, bias_2 = fit_softmax(
            features[places][:, active], target.astype(np.int64), classes=2, ridge=RIDGE, weights_N=share
        )
        weights[level] = np.zeros(features.shape[1], dtype=np.float32)
        # A softmax of two classes is a logistic regression of their difference.
        weights[level][active] = found_A2[:, 1] - found_A2[:, 0]
        bias[level] = float(bias_2[1] - bias_2[0])
    return RefusalHead(
        scale=scale, weights=weights, bias=bias, temperature={"refuses": 1.0, "full": 1.0}, partial_from=0.5,
        errors={}, errors_by_model={}, source=source,
    )  # fmt: skip


def _scale(rows: AnswerRows) -> FeatureScale:
    deviation = rows.cues_ND.std(axis=0)
    having = np.asarray((rows.counts_NB > 0).sum(axis=0)).ravel()
    # Inverse document frequency with one added answer that has every bucket, so that no logarithm is of infinity.
    rarity = np.where(having >= MIN_ANSWERS, np.log((1 + len(rows.labels_N)) / (1 + having)) + 1, 0)
    return FeatureScale(
        mean_D=rows.cues_ND.mean(axis=0).astype(np.float32),
        factor_D=np.where(deviation > 0, CUE_WEIGHT / np.where(deviation > 0, deviation, 1), 0).astype(np.float32),
        rarity_B=rarity.astype(np.float32),
    )


def _predict(head: RefusalHead, rows: AnswerRows) -> NDArray[np.float64]:
    return head.probabilities_of(scaled_features(rows.cues_ND, rows.counts_NB, head.scale))


def _best_partial_share(held_out_N3: NDArray[np.float64], labels_N: NDArray[np.int64]) -> float:
    """The share from which on a refusal counts as partial, by the F1 of partial refusals."""
    partial = labels_N == CONDUCTS.index("partial")

    def f1(share: float) -> float:
        found = np.array([conduct == "partial" for conduct in decide_conduct(held_out_N3, share)])
        return float(2 * (found & partial).sum() / max(found.sum() + partial.sum(), 1))

    return max(PARTIAL_SHARES, key=f1)


def _temperature(shares: NDArray[np.float64], outcomes: NDArray[np.float64]) -> float:
    from scipy.optimize import minimize_scalar

    logits = _logit(shares)

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, scaled) - outcomes * scaled))

    # In logarithms, so that halving and doubling are alike; the bounds are temperatures of 0.14 and 7.4.
    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def _logit(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    # A probability that was rounded to 0 or 1 has no logit.
    inner = np.clip(shares, 1e-9, 1 - 1e-9)
    found: NDArray[np.float64] = np.log(inner / (1 - inner))
    return found
