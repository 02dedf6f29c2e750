"""Cross-validation over any functions that fit and score, with an interval that does not pretend to independence.

Two folds share most of what they are trained on, so that the plain standard error of their scores is too small. The
interval here takes the variance as (1/k + n_test/n_train) s² with k - 1 degrees of freedom, the corrected resampled t
of Nadeau and Bengio (2003), "Inference for the generalization error", Machine Learning 52:239-281, equation 9. It was
made for random divisions and is a heuristic for k folds: no unbiased estimator of the variance of k-fold
cross-validation exists (Bengio and Grandvalet 2004, "No unbiased estimator of the variance of k-fold cross-validation",
JMLR 5:1089-1105, theorem 1).

Shapes: k folds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from shoal.errors import UsageError
from shoal.progress import no_progress
from shoal.statistics.clustered import StudentTest
from shoal.statistics.intervals import Interval, check_confidence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from shoal.progress import Progress
    from shoal.statistics.folds import Fold

    Places = NDArray[np.int64]

M = TypeVar("M")
C = TypeVar("C", bound=Hashable)

Fit = Callable[["Places"], M]
"""From the places of the examples to learn from to a model."""

Score = Callable[[M, "Places"], float]
"""From a model and the places of the examples to score to a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldScore:
    """The score of one fold."""

    fold: str
    score: float
    trained_on: int
    tested_on: int
    chosen: str = ""
    """In a nested cross-validation, the candidate that the inner folds chose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """The scores of all folds, with their mean and its interval."""

    folds: tuple[FoldScore, ...]
    mean: float
    low: float
    high: float
    """Ends of the corrected interval (Nadeau and Bengio 2003); infinite where the scores cannot bound it."""

    confidence: float
    standard_error: float
    """Corrected for the examples that trainings share."""

    @property
    def scores(self) -> tuple[float, ...]:
        """The score of each fold."""
        return tuple(fold.score for fold in self.folds)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """A row per fold."""
        import pandas as pd

        return pd.DataFrame([asdict(fold) for fold in self.folds])

    def __str__(self) -> str:
        lines = [
            f"{fold.fold}: {fold.score:.4f} on {fold.tested_on:,} examples, trained on {fold.trained_on:,}"
            + (f", chosen: {fold.chosen}" if fold.chosen else "")
            for fold in self.folds
        ]
        lines.append(
            f"mean {self.mean:.4f} [{self.low:.4f}, {self.high:.4f}], {100 * self.confidence:g}% interval over "
            f"{len(self.folds)} folds, corrected for shared training examples (Nadeau & Bengio 2003)"
        )
        return "\n".join(lines)


def corrected_test(scores: Sequence[float], *, trained_on: float, tested_on: float) -> StudentTest:
    """The corrected resampled t-test of scores, or of the differences of two models over the same folds.

    Source: Nadeau and Bengio (2003), equation 9; see the module.

    Args:
        scores: one per fold, finite, at least two.
        trained_on: examples that a fold is trained on, on average.
        tested_on: examples that a fold is scored on, on average.

    Raises:
        UsageError: fewer than two scores, one that is not finite, or a size that is not above 0.
    """
    if len(scores) < 2 or not all(map(math.isfinite, scores)):
        raise UsageError(f"an interval over folds needs two finite scores or more, not {list(scores)}")
    if not (trained_on > 0 and tested_on > 0):
        raise UsageError(f"a fold has examples on both sides, not {trained_on} to train on and {tested_on} to score")
    mean = math.fsum(scores) / len(scores)
    variance = math.fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1)
    return StudentTest(
        estimate=mean,
        standard_error=math.sqrt((1 / len(scores) + tested_on / trained_on) * variance),
        freedom=len(scores) - 1,
    )


def corrected_interval(
    scores: Sequence[float], *, trained_on: float, tested_on: float, confidence: float = 0.95
) -> Interval:
    """The interval of `corrected_test`.

    Args:
        scores: one per fold.
        trained_on: examples that a fold is trained on, on average.
        tested_on: examples that a fold is scored on, on average.
        confidence: of the interval.

    Raises:
        UsageError: as `corrected_test`, or the confidence is not in [0.5, 1).
    """
    check_confidence(confidence)
    low, high = corrected_test(scores, trained_on=trained_on, tested_on=tested_on).interval(confidence)
    return Interval(low, high, confidence)


def summarize_folds(folds: Sequence[FoldScore], *, confidence: float = 0.95) -> CrossValidation:
    """The result of folds that have been scored.

    Args:
        folds: at least two.
        confidence: of the interval.

    Raises:
        UsageError: as `corrected_interval`.
    """
    check_confidence(confidence)
    test = corrected_test(
        [fold.score for fold in folds],
        trained_on=sum(fold.trained_on for fold in folds) / max(1, len(folds)),
        tested_on=sum(fold.tested_on for fold in folds) / max(1, len(folds)),
    )
    low, high = test.interval(confidence)
    return CrossValidation(
        folds=tuple(folds),
        mean=test.estimate,
        low=low,
        high=high,
        confidence=confidence,
        standard_error=test.standard_error,
    )


def cross_validate(
    fit: Fit[M],
    score: Score[M],
    folds: Sequence[Fold],
    *,
    confidence: float = 0.95,
    progress: Progress = no_progress,
) -> CrossValidation:
    """Fit and score on each fold.

    Args:
        fit: learns from the examples at these places, and from no others.
        score: of a model on the examples at these places.
        folds: as `group_folds` or `leave_one_group_out` gives them.
        confidence: of the interval.
        progress: called with ("folds", done, total).

    Raises:
        UsageError: fewer than two folds, or a score that is not finite.
    """
    found = []
    for done, fold in enumerate(folds):
        progress("folds", done, len(folds))
        found.append(_scored(fold, score(fit(fold.train), fold.test)))
    progress("folds", len(folds), len(folds))
    return summarize_folds(found, confidence=confidence)


@dataclass(frozen=True, slots=True)
class Candidates(Generic[C, M]):
    """Settings that a nested cross-validation chooses from, and how each is fitted."""

    names: Sequence[C]
    fit: Callable[[C, Places], M]
    """From a candidate and the places to learn from to a model."""

    def __post_init__(self) -> None:
        if not self.names:
            raise UsageError("a nested cross-validation needs at least one candidate to choose from")


def nested_cross_validate(
    candidates: Candidates[C, M],
    score: Score[M],
    folds: Sequence[Fold],
    inner: Callable[[Places], Sequence[Fold]],
    *,
    maximize: bool = True,
    confidence: float = 0.95,
    progress: Progress = no_progress,
) -> CrossValidation:
    """Score what is fitted with the candidate that an inner cross-validation chose, so that the choice is scored too.

    The examples of an outer fold are never seen by the choice that is scored on them (Varma and Simon 2006, "Bias in
    error estimation when using cross-validation for model selection", BMC Bioinformatics 7:91).

    Args:
        candidates: what is chosen from; of equal scores the first is taken.
        score: of a model on the examples at these places.
        folds: the outer folds.
        inner: makes folds of the examples at these places; places of an inner fold count within them.
        maximize: whether more is better.
        confidence: of the interval.
        progress: called with ("trainings", done, total).

    Raises:
        UsageError: there are no candidates or inner folds, fewer than two folds, or a score that is not finite.
    """
    found, sign = [], 1.0 if maximize else -1.0
    inner_folds = [inner(fold.train) for fold in folds]
    total = sum(len(part) * len(candidates.names) + 1 for part in inner_folds)
    done = 0
    for fold, parts in zip(folds, inner_folds, strict=True):
        means: list[float] = []
        for name in candidates.names:
            scores = []
            for part in parts:
                progress("trainings", done, total)
                scores.append(score(candidates.fit(name, fold.train[part.train]), fold.train[part.test]))
                done += 1
            means.append(sign * _inner_mean(scores, name))
        best = candidates.names[max(range(len(means)), key=means.__getitem__)]
        progress("trainings", done, total)
        found.append(_scored(fold, score(candidates.fit(best, fold.train), fold.test), chosen=str(best)))
        done += 1
    progress("trainings", total, total)
    return summarize_folds(found, confidence=confidence)


def out_of_fold(
    fit: Fit[M], predict: Callable[[M, Places], NDArray[np.float64]], folds: Sequence[Fold]
) -> NDArray[np.float64]:
    """What each example is predicted by a model that did not learn from it: the inputs of stacking.

    Source: Wolpert (1992), "Stacked generalization", Neural Networks 5:241-259, section 3.

    Args:
        fit: learns from the examples at these places.
        predict: gives a row per place.
        folds: every example is in the test part of exactly one.

    Raises:
        UsageError: there are no folds, or an example is in the test part of none or of several.
    """
    import numpy as np

    if not folds:
        raise UsageError("there are no folds to predict; take those of group_folds or leave_one_group_out")
    tested = np.sort(np.concatenate([fold.test for fold in folds]))
    if not np.array_equal(tested, np.arange(len(tested))):
        raise UsageError("the folds must test every example once; take those of group_folds or leave_one_group_out")
    rows = [(fold, np.asarray(predict(fit(fold.train), fold.test), dtype=np.float64)) for fold in folds]
    found = np.empty((len(tested), *rows[0][1].shape[1:]))
    for fold, predicted in rows:
        found[fold.test] = predicted
    return found


def _inner_mean(scores: Sequence[float], name: object) -> float:
    """What a candidate is chosen by; of numbers with one that is none, no candidate would be the best."""
    if not scores or not all(map(math.isfinite, scores)):
        raise UsageError(f"the candidate {name!r} has no finite score on every inner fold: {list(scores)}")
    return math.fsum(scores) / len(scores)


def _scored(fold: Fold, score: float, chosen: str = "") -> FoldScore:
    return FoldScore(
        fold=fold.name, score=float(score), trained_on=len(fold.train), tested_on=len(fold.test), chosen=chosen
    )
